// Gates, data and training.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "govern/charts.h"
#include "govern/report_sections.h"

namespace slipway::govern {

using base::Json;
using html::escape;

namespace {

constexpr size_t kMaxRows = 40;  // of any list of names

std::string cut_note(size_t shown, size_t all) {
  return all > shown ? fmt::format("<p class=\"about\">{} more are not shown.</p>", all - shown) : "";
}

// Bars from an object of name -> count, largest first unless `keep_order`.
std::string count_bars(std::string_view caption, const Json& object, bool keep_order, const char* tone) {
  std::vector<charts::Bar> rows;
  double total = 0;
  for (const auto& item : object.items()) {
    if (item.value().is_number()) {
      rows.push_back({item.key(), item.value().get<double>(), "", tone});
      total += rows.back().value;
    }
  }
  if (rows.empty()) {
    return html::absent(caption);
  }
  if (!keep_order) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const charts::Bar& a, const charts::Bar& b) { return a.value > b.value; });
    for (charts::Bar& bar : rows) {
      bar.note = total > 0 ? html::percent(bar.value / total) : "";
    }
  }
  const size_t all = rows.size();
  rows.resize(std::min(rows.size(), kMaxRows));
  return charts::bars(caption, rows, html::count) + cut_note(rows.size(), all);
}

std::string label_bars(const Json& labels) {
  if (!labels.is_object() || labels.empty()) {
    return html::absent("labels");
  }
  if (!labels.begin()->is_object()) {
    return count_bars("Label balance", labels, false, "");
  }
  std::string out;
  for (const auto& item : labels.items()) {
    out += count_bars("Label balance, " + item.key(), item.value(), false, "");
  }
  return out;
}

std::string length_chart(const Json& lengths) {
  std::vector<charts::Bin> bins;
  const Json& list = html::at(lengths, "bins");
  if (list.is_array()) {
    for (const Json& bin : list) {
      bins.push_back({html::number_at(bin, "low"), html::number_at(bin, "high"), html::number_at(bin, "count")});
    }
  }
  std::erase_if(bins, [](const charts::Bin& bin) {
    return !std::isfinite(bin.low) || !std::isfinite(bin.high) || !std::isfinite(bin.count);
  });
  const std::string unit = html::text_at(lengths, "unit", "tokens");
  std::string out = bins.empty() ? "<h3>Length of texts</h3>" : charts::histogram("Length of texts", bins, unit);
  std::string facts;
  for (const auto& [key, title] : {std::pair{"mean", "mean"}, std::pair{"median", "median"},
                                   std::pair{"p95", "95th percentile"}, std::pair{"max", "longest"}}) {
    if (html::has(lengths, key)) {
      facts +=
          fmt::format("{}{} {}", facts.empty() ? "" : " · ", title, html::number(html::number_at(lengths, key), 4));
    }
  }
  if (facts.empty()) {
    return bins.empty() ? html::absent("length of texts") : out;
  }
  return out + fmt::format("<p class=\"about\">{} {}</p>", escape(facts), escape(unit));
}

// A source's own "rows", else the sum over its files (a dataset's manifest).
double source_rows(const Json& source) {
  double rows = html::number_at(source, "rows");
  const Json& files = html::at(source, "files");
  if (!std::isfinite(rows) && files.is_array() && !files.empty()) {
    rows = 0;
    for (const Json& file : files) {
      rows += html::number_at(file, "rows");
    }
  }
  return rows;
}

std::string sources_table(const Json& sources) {
  if (!sources.is_array() || sources.empty()) {
    return html::absent("sources");
  }
  std::vector<std::string> rows;
  for (const Json& source : sources) {
    if (rows.size() == kMaxRows) {
      break;
    }
    const Json& files = html::at(source, "files");
    const bool manifest = files.is_array() && !files.empty();
    const Json& file = manifest ? files[0] : source;
    const auto either = [](const Json& a, const char* key, const Json& b, const char* other) {
      return html::has(a, key) ? html::text_at(a, key) : html::text_at(b, other, "–");
    };
    rows.push_back(html::row(
        {escape(html::text_at(source, "id", "–")), escape(either(source, "type", html::at(source, "options"), "type")),
         html::code(html::text_at(file, "path", "–"), 48) +
             (manifest && files.size() > 1 ? fmt::format(" and {} more", files.size() - 1) : ""),
         escape(either(source, "license", source, "licence")), html::code(either(file, "digest", file, "sha256"), 19),
         html::count(source_rows(source))}));
  }
  return html::table("Sources", {"Id", "Type", "Path", "Licence", "Digest", "Texts"}, rows, 5) +
         cut_note(rows.size(), sources.size());
}

std::string splits_table(const Json& splits) {
  std::vector<std::string> rows;
  if (splits.is_object()) {
    for (const auto& item : splits.items()) {
      const Json& split = item.value();
      const double n = split.is_number() ? split.get<double>() : html::number_at(split, "rows");
      rows.push_back(html::row({escape(item.key()), html::count(n)}));
    }
  }
  return rows.empty() ? "" : html::table("Splits", {"Split", "Texts"}, rows);
}

std::string checks_table(const Json& checks) {
  std::vector<std::string> rows;
  if (checks.is_array()) {
    for (const Json& check : checks) {
      const bool passed = html::text_at(check, "passed") == "yes";
      rows.push_back(html::row(
          {escape(html::text_at(check, "name")),
           fmt::format("<span class=\"badge {}\">{}</span>", passed ? "pos" : "neg", passed ? "passed" : "failed"),
           escape(html::text_at(check, "message")), html::number(html::number_at(check, "value")),
           html::number(html::number_at(check, "limit"))}));
    }
  }
  return rows.empty() ? ""
                      : html::table("Validation", {"Check", "Result", "What was found", "Value", "Limit"}, rows, 3);
}

}  // namespace

Section gates_section(const Json& facts) {
  Section section{"gates", "Gates", "Conditions set before the run; a failed one ends it and nothing is deployed.",
                  "",      "",      true};
  const Json& gates = html::at(facts, "gates");
  if (!gates.is_array() || gates.empty()) {
    section.measured = false;
    section.body = html::absent("no gates were set");
    return section;
  }
  std::vector<std::string> rows;
  for (const Json& gate : gates) {
    const bool passed = html::text_at(gate, "passed") == "yes";
    const html::Estimate e = html::estimate_at(gate, "interval");
    const bool certain = html::text_at(gate, "certain") == "yes";
    const std::string note = !e.has_interval() ? "–"
                             : certain         ? "the whole interval agrees"
                                               : "the limit is within the interval";
    rows.push_back(html::row(
        {html::code(html::text_at(gate, "text"), 90),
         fmt::format("<span class=\"badge {}\">{}</span>", passed ? "pos" : "neg", passed ? "passed" : "failed"),
         escape(html::text_at(gate, "reason")), escape(note), html::interval(e, 3),
         e.has_interval() ? html::count(e.n) : "–"}));
  }
  section.chip = fmt::format("{} gates", gates.size());
  section.body = html::table("", {"Gate", "Result", "Because", "How certain", "95% interval", "n"}, rows, 4);
  return section;
}

namespace {

// A dataset's manifest says the same in other places: "history" of the steps, labels within "splits", lengths in
// "statistics". They are moved to where the section looks, unless the facts are there already.
Json data_view(const Json& data) {
  Json view = data;
  const Json& history = html::at(data, "history");
  if (history.is_object() && !history.empty() && !html::has(data, "counts")) {
    Json& counts = view["counts"] = Json::object();
    counts["collected"] = html::at(history, "collect.documents");
    counts["cleaned"] = html::at(history, "clean.kept");
    counts["deduplicated"] = html::at(history, "deduplicate.kept");
  }
  if (history.is_object() && !history.empty() && !html::has(data, "drops")) {
    Json& drops = view["drops"] = Json::object();
    for (const char* step : {"collect.dropped", "clean.dropped"}) {
      const Json& reasons = html::at(history, step);
      if (reasons.is_object()) {
        drops.update(reasons);
      }
    }
    drops["exact duplicate"] = html::at(history, "deduplicate.exact");
    drops["near duplicate"] = html::at(history, "deduplicate.near");
  }
  const Json& splits = html::at(data, "splits");
  if (splits.is_object() && !html::at(data, "labels").is_object()) {
    Json& labels = view["labels"] = Json::object();
    for (const auto& item : splits.items()) {
      if (html::has(item.value(), "labels")) {
        labels[item.key()] = html::at(item.value(), "labels");
      }
    }
  }
  const Json& words = html::at(data, "statistics.words");
  if (words.is_object() && !html::has(data, "lengths")) {
    view["lengths"] = {{"unit", "words"},
                       {"mean", html::at(words, "mean")},
                       {"median", html::at(words, "p50")},
                       {"p95", html::at(words, "p95")},
                       {"max", html::at(words, "max")},
                       {"bins", html::at(words, "histogram")}};
  }
  if (!html::has(data, "checks")) {
    view["checks"] = html::at(data, "validation.checks");
  }
  return view;
}

}  // namespace

Section data_section(const Json& facts) {
  Section section{"data", "Data", "What was collected, what was dropped and why, and what remained.", "", "", true};
  if (!html::at(facts, "data").is_object() || html::at(facts, "data").empty()) {
    section.measured = false;
    section.body = html::absent("nothing is recorded about the data");
    return section;
  }
  const Json data = data_view(html::at(facts, "data"));
  const double rows = html::number_at(data, "rows");
  section.chip = std::isfinite(rows) ? "n = " + html::count(rows) : "";
  section.body = "<div class=\"two\"><div>";
  section.body += html::has(data, "counts") ? count_bars("Texts after each step", html::at(data, "counts"), true, "")
                                            : html::absent("counts by step");
  section.body += "</div><div>";
  section.body += html::has(data, "drops")
                      ? count_bars("Dropped texts by reason", html::at(data, "drops"), false, "warn")
                      : html::absent("drops by reason");
  section.body +=
      "</div><div>" + label_bars(html::at(data, "labels")) + splits_table(html::at(data, "splits")) + "</div><div>";
  section.body += length_chart(html::at(data, "lengths")) + "</div></div>";
  section.body += checks_table(html::at(data, "checks"));
  section.body += sources_table(html::at(data, "sources"));
  for (const auto& [key, title] :
       {std::pair{"dataset_digest", "Dataset"}, std::pair{"merkle_root", "Merkle root of its shards"}}) {
    if (html::has(data, key)) {
      section.body += fmt::format("<p class=\"about\">{} {}</p>", title, html::code(html::text_at(data, key), 80));
    }
  }
  return section;
}

namespace {

using Points = std::vector<std::pair<double, double>>;

Points points_of(const Json& list, const char* x, const char* y) {
  Points points;
  if (list.is_array()) {
    for (const Json& item : list) {
      points.emplace_back(html::number_at(item, x), html::number_at(item, y));
    }
  }
  return points;
}

// Exponential mean over about a twentieth of the curve, without lag at its start.
Points smoothed(const Points& points) {
  Points result;
  const double keep = 1 - (1 / std::max(1.0, static_cast<double>(points.size()) / 20));
  double sum = 0;
  double weight = 0;
  for (const auto& [x, y] : points) {
    if (std::isfinite(y)) {
      sum = (keep * sum) + y;
      weight = (keep * weight) + 1;
      result.emplace_back(x, sum / weight);
    }
  }
  return result;
}

}  // namespace

Section training_section(const Json& facts) {
  Section section{"training", "Training", "The loss as it was logged and its moving mean; validation after each epoch.",
                  "",         "",         true};
  const Json& train = html::at(facts, "train");
  if (!train.is_object() || train.empty()) {
    section.measured = false;
    section.body = html::absent("this run trained nothing");
    return section;
  }
  const Points loss = points_of(html::at(train, "curve"), "step", "loss");
  const Json& validation = html::at(train, "validation");
  section.body = "<div class=\"two\"><div>";
  section.body += charts::lines(
      "Training loss", {{"logged", "faint", loss, false, {}}, {"moving mean", "s1", smoothed(loss), false, {}}},
      {.x_label = "step"});
  section.body += "</div><div>";
  section.body += charts::lines(
      "Validation accuracy", {{"", "s1", points_of(validation, "epoch", "accuracy"), true, {}}}, {.x_label = "epoch"});
  section.body += "</div><div>";
  section.body += charts::lines("Learning rate",
                                {{"", "s3", points_of(html::at(train, "curve"), "step", "learning_rate"), false, {}}},
                                {.x_label = "step", .from_zero = true, .height = 170});
  section.body += "</div><div>";
  std::vector<std::string> rows;
  for (const auto& [key, title] : {std::pair{"epochs", "Epochs"}, std::pair{"steps", "Steps"}}) {
    rows.push_back(html::row({title, html::count(html::number_at(train, key))}));
  }
  rows.push_back(html::row({"Time", html::seconds(html::number_at(train, "seconds"))}));
  rows.push_back(html::row({"Texts a second", html::number(html::number_at(train, "samples_per_second"), 4)}));
  rows.push_back(html::row({"Peak memory", html::bytes(html::number_at(train, "peak_memory_bytes"))}));
  section.body += html::table("How it was trained", {"", ""}, rows);
  rows.clear();
  const Json& options = html::at(train, "options");
  if (options.is_object()) {
    for (const auto& item : options.items()) {
      if (item.value().is_primitive() && !item.value().is_null() && rows.size() < kMaxRows) {
        rows.push_back(html::row({html::code(item.key()), escape(html::shorten(html::text_of(item.value()), 60))}));
      }
    }
  }
  if (!rows.empty()) {
    section.body += "<details><summary>All options</summary>" + html::table("", {"", ""}, rows) + "</details>";
  }
  section.body += "</div></div>";
  const double steps = html::number_at(train, "steps");
  section.chip = std::isfinite(steps) ? html::count(steps) + " steps" : "";
  return section;
}

}  // namespace slipway::govern
