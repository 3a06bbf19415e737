// How good and how fair: evaluation, slices, comparison with the champion, bias.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "govern/charts.h"
#include "govern/report_sections.h"

namespace slipway::govern {

using base::Json;
using html::escape;

namespace {

constexpr size_t kMaxMatrixLabels = 12;
constexpr size_t kMaxConfusions = 15;
constexpr size_t kMaxRows = 60;
constexpr size_t kMaxExamples = 10;

// The order in which people look for measures; others follow as they come.
constexpr std::array<std::pair<const char*, const char*>, 15> kMeasures = {
    {{"accuracy", "Accuracy"},
     {"balanced_accuracy", "Balanced accuracy"},
     {"f1", "F1, macro"},
     {"precision", "Precision, macro"},
     {"recall", "Recall, macro"},
     {"f1_weighted", "F1, weighted"},
     {"precision_weighted", "Precision, weighted"},
     {"recall_weighted", "Recall, weighted"},
     {"roc_auc", "ROC AUC"},
     {"average_precision", "Average precision"},
     {"mcc", "Matthews correlation"},
     {"kappa", "Cohen's kappa"},
     {"ece", "Calibration error (ECE)"},
     {"brier", "Brier score"},
     {"log_loss", "Log loss"}}};

std::string measure_title(const std::string& name) {
  for (const auto& [key, title] : kMeasures) {
    if (name == key) {
      return title;
    }
  }
  return name;
}

std::string measures_forest(const Json& measures) {
  std::vector<charts::IntervalRow> main;
  std::vector<charts::IntervalRow> others;
  for (const auto& [key, title] : kMeasures) {
    const auto it = measures.find(key);
    if (it == measures.end()) {
      continue;
    }
    const html::Estimate e = html::estimate_of(*it);
    const bool error_like =
        std::string_view(key) == "ece" || std::string_view(key) == "brier" || std::string_view(key) == "log_loss";
    (error_like ? others : main).push_back({title, e, "", ""});
  }
  std::string out;
  if (!main.empty()) {
    out += charts::intervals("Measures (higher is better)", main, {.high = 1});
  }
  if (!others.empty()) {
    out += charts::intervals("Errors (lower is better)", others, {.low = 0});
  }
  return out;
}

std::string label_table(const Json& labels, const Json& measures) {
  std::vector<std::string> rows;
  for (const Json& label : labels) {
    const std::string name = html::text_of(label);
    std::vector<std::string> cells = {escape(name)};
    double n = NAN;
    bool any = false;
    for (const char* measure : {"precision.", "recall.", "f1."}) {
      const auto it = measures.find(measure + name);
      if (it == measures.end()) {
        cells.emplace_back("–");
        continue;
      }
      const html::Estimate e = html::estimate_of(*it);
      cells.push_back(fmt::format("{} <small>({})</small>", html::fixed(e.value, 3), html::interval(e, 3)));
      n = e.n;
      any = any || e.known();
    }
    cells.push_back(html::count(n));
    if (any && rows.size() < kMaxRows) {
      rows.push_back(html::row(cells));
    }
  }
  return rows.empty() ? "" : html::table("By label", {"Label", "Precision", "Recall", "F1", "n"}, rows);
}

struct Confusion {
  std::string truth;
  std::string predicted;
  double count = 0;
  double of = 0;
};

// With many labels a matrix says nothing: the largest confusions as a list.
std::string confusion_list(const std::vector<std::string>& names, const Json& confusion) {
  std::vector<Confusion> list;
  for (size_t t = 0; t < names.size() && t < confusion.size(); ++t) {
    double total = 0;
    for (const Json& cell : confusion[t]) {
      total += cell.is_number() ? cell.get<double>() : 0;
    }
    for (size_t p = 0; p < names.size() && p < confusion[t].size(); ++p) {
      if (t != p && confusion[t][p].is_number() && confusion[t][p].get<double>() > 0) {
        list.push_back({names[t], names[p], confusion[t][p].get<double>(), total});
      }
    }
  }
  std::stable_sort(list.begin(), list.end(), [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  list.resize(std::min(list.size(), kMaxConfusions));
  std::vector<std::string> rows;
  for (const Confusion& one : list) {
    rows.push_back(html::row(
        {escape(one.truth), escape(one.predicted), html::count(one.count), html::percent(one.count / one.of)}));
  }
  return html::table("Most frequent confusions", {"Truth", "Predicted", "Texts", "Of the label"}, rows, 2);
}

std::string confusion_matrix(const Json& labels, const Json& confusion) {
  if (!confusion.is_array() || !labels.is_array() || confusion.size() != labels.size() ||
      !std::all_of(confusion.begin(), confusion.end(), [](const Json& row) { return row.is_array(); })) {
    return html::absent("confusion matrix");
  }
  std::vector<std::string> names;
  for (const Json& label : labels) {
    names.push_back(html::text_of(label));
  }
  if (names.size() > kMaxMatrixLabels) {
    return confusion_list(names, confusion);
  }
  std::string out =
      "<div class=\"scroll\"><table class=\"matrix\"><caption>Confusion: truth in rows, prediction in columns"
      "</caption><thead><tr><td></td>";
  for (const std::string& name : names) {
    out += fmt::format("<th scope=\"col\">{}</th>", escape(html::shorten(name, 24)));
  }
  out += "</tr></thead><tbody>";
  for (size_t t = 0; t < names.size(); ++t) {
    double total = 0;
    for (const Json& cell : confusion[t]) {
      total += cell.is_number() ? cell.get<double>() : 0;
    }
    out += fmt::format("<tr><th scope=\"row\">{}</th>", escape(html::shorten(names[t], 24)));
    for (size_t p = 0; p < confusion[t].size(); ++p) {
      const double value = confusion[t][p].is_number() ? confusion[t][p].get<double>() : 0;
      const double share = total > 0 ? std::clamp(value / total, 0.0, 1.0) : 0;
      out += fmt::format("<td class=\"{}\" style=\"--a:{:.2f}\">{}<small>{}</small></td>", t == p ? "ok" : "no",
                         0.06 + (0.5 * share), html::count(value), html::percent(share));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string calibration(const Json& bins) {
  std::vector<charts::CalibrationPoint> points;
  if (bins.is_array()) {
    for (const Json& bin : bins) {
      points.push_back(
          {html::number_at(bin, "confidence"), html::number_at(bin, "accuracy"), html::number_at(bin, "n")});
    }
  }
  return points.empty() ? html::absent("calibration") : charts::calibration(points);
}

std::string chip_of(double n) { return std::isfinite(n) ? "n = " + html::count(n) : ""; }

Section unmeasured(Section section, std::string_view why) {
  section.measured = false;
  section.body = html::absent(why);
  return section;
}

}  // namespace

Section evaluation_section(const Json& facts) {
  Section section{"evaluation", "Evaluation", "On texts that training never saw; bars are 95% bootstrap intervals.",
                  "",           "",           true};
  const Json& evaluation = html::at(facts, "evaluation");
  const Json& measures = html::at(evaluation, "measures");
  if (!measures.is_object() || measures.empty()) {
    return unmeasured(section, "the model was not evaluated");
  }
  section.chip = chip_of(html::number_at(evaluation, "n"));
  const Json& labels = html::at(evaluation, "labels");
  section.body = measures_forest(measures);
  section.body += "<div class=\"two\"><div>" + confusion_matrix(labels, html::at(evaluation, "confusion")) +
                  "</div><div>" + calibration(html::at(evaluation, "calibration")) + "</div></div>";
  if (labels.is_array()) {
    section.body += label_table(labels, measures);
  }
  return section;
}

Section slices_section(const Json& facts) {
  Section section{"slices", "Slices", "The same model on parts of the test texts; the dashed line is the whole.",
                  "",       "",       true};
  const Json& slices = html::at(facts, "evaluation.slices");
  if (!slices.is_array() || slices.empty()) {
    return unmeasured(section, "no slices");
  }
  const html::Estimate whole = html::estimate_of(html::at(html::at(facts, "evaluation.measures"), "accuracy"));
  std::vector<std::string> kinds;
  for (const Json& slice : slices) {
    const std::string by = html::text_at(slice, "by", "slice");
    if (std::find(kinds.begin(), kinds.end(), by) == kinds.end()) {
      kinds.push_back(by);
    }
  }
  for (const std::string& kind : kinds) {
    std::vector<charts::IntervalRow> rows;
    for (const Json& slice : slices) {
      if (html::text_at(slice, "by", "slice") != kind || rows.size() == kMaxRows) {
        continue;
      }
      const html::Estimate e = html::estimate_at(slice, "accuracy");
      const bool worse = e.has_interval() && whole.known() && e.high < whole.value;
      const bool better = e.has_interval() && whole.known() && e.low > whole.value;
      rows.push_back({html::text_at(slice, "name"), e, html::fixed(html::estimate_at(slice, "f1").value, 3),
                      worse    ? "neg"
                      : better ? "pos"
                               : ""});
    }
    section.body += charts::intervals("Accuracy by " + kind, rows,
                                      {.label_head = kind, .note_head = "F1", .reference = whole.value, .high = 1});
  }
  return section;
}

Section comparison_section(const Json& facts) {
  Section section{
      "comparison",
      "Against the champion",
      "Candidate minus champion on the same texts; an interval that crosses the dashed line could be chance.",
      "",
      "",
      true};
  const Json& comparison = html::at(facts, "comparison");
  const Json& differences = html::at(comparison, "differences");
  if (!differences.is_object() || differences.empty()) {
    return unmeasured(section, "there was no champion to compare with");
  }
  section.chip = chip_of(html::number_at(comparison, "n"));
  std::vector<charts::IntervalRow> rows;
  for (const auto& item : differences.items()) {
    if (rows.size() == kMaxRows) {
      break;
    }
    const html::Estimate e = html::estimate_of(item.value());
    const bool lower_is_better =
        item.key() == "ece" || item.key() == "mce" || item.key() == "brier" || item.key() == "log_loss";
    const bool above = e.has_interval() && e.low > 0;
    const bool below = e.has_interval() && e.high < 0;
    const char* tone = above ? (lower_is_better ? "neg" : "pos") : below ? (lower_is_better ? "pos" : "neg") : "";
    rows.push_back({measure_title(item.key()), e, html::number(html::number_at(item.value(), "p"), 2), tone});
  }
  section.body = charts::intervals("Difference to " + html::text_at(comparison, "champion", "the champion"), rows,
                                   {.note_head = "p", .reference = 0, .with_sign = true});
  const Json& mcnemar = html::at(comparison, "mcnemar");
  if (mcnemar.is_object()) {
    section.body += fmt::format(
        "<p class=\"about\">Only the champion was right on {} texts, only this model on {}; McNemar mid-p {}.</p>",
        html::count(html::number_at(mcnemar, "only_champion_right")),
        html::count(html::number_at(mcnemar, "only_candidate_right")),
        html::number(html::number_at(mcnemar, "mid_p"), 3));
  }
  return section;
}

namespace {

std::string bias_examples(const Json& examples) {
  if (!examples.is_array() || examples.empty()) {
    return "";
  }
  std::string out = "<h3>Texts whose answer moved most</h3>";
  size_t shown = 0;
  for (const Json& example : examples) {
    if (shown++ == kMaxExamples) {
      break;
    }
    const std::string from = html::text_at(example, "label");
    const std::string to = html::text_at(example, "counterfactual_label");
    out += fmt::format("<blockquote>{}<br>{}<footer>{} · {}{} · probability {}</footer></blockquote>\n",
                       escape(html::shorten(html::text_at(example, "text"), 400)),
                       escape(html::shorten(html::text_at(example, "counterfactual"), 400)),
                       escape(html::text_at(example, "group")), escape(from),
                       from == to ? "" : " → <b>" + escape(to) + "</b>",
                       html::signed_fixed(html::number_at(example, "shift"), 3));
  }
  return out;
}

}  // namespace

Section bias_section(const Json& facts) {
  Section section{
      "bias",
      "Bias",
      "The same texts with only a gender word or a name exchanged: how often the answer flips and by how much the "
      "probability moves.",
      "",
      "",
      true};
  const Json& bias = html::at(facts, "bias");
  const html::Estimate flips = html::estimate_at(bias, "flip_rate");
  if (!flips.known()) {
    return unmeasured(section, "the bias probe did not run");
  }
  section.chip = std::isfinite(flips.n) ? html::count(flips.n) + " pairs" : "";
  std::vector<charts::IntervalRow> rows = {{"all pairs", flips, "–", ""}};
  const Json& families = html::at(bias, "families");
  if (families.is_array()) {
    for (const Json& family : families) {
      rows.push_back({html::text_at(family, "name"), html::estimate_at(family, "flip_rate"),
                      html::fixed(html::estimate_at(family, "mean_shift").value, 3), ""});
    }
  }
  section.body = charts::intervals("Share of pairs whose label flips", rows,
                                   {.label_head = "Pairs", .note_head = "|shift|", .low = 0});
  const Json& groups = html::at(bias, "groups");
  std::vector<charts::IntervalRow> shifts;
  if (groups.is_array()) {
    for (const Json& group : groups) {
      const html::Estimate e = html::estimate_at(group, "shift");
      const bool away = e.has_interval() && (e.low > 0 || e.high < 0);
      if (shifts.size() < kMaxRows) {
        shifts.push_back({html::text_at(group, "group"), e, html::percent(html::estimate_at(group, "flip_rate").value),
                          away ? "neg" : ""});
      }
    }
  }
  const std::string favourable = html::text_at(bias, "favourable");
  if (!shifts.empty()) {
    section.body += charts::intervals(
        favourable.empty() ? "Shift by group" : "Shift of the probability of '" + favourable + "' by group", shifts,
        {.label_head = "Group", .note_head = "Flips", .reference = 0, .decimals = 4, .with_sign = true});
  }
  section.body += bias_examples(html::at(bias, "examples"));
  return section;
}

}  // namespace slipway::govern
