// What it costs to serve, how it behaves on live traffic, and why it says what it says.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "govern/charts.h"
#include "govern/report_sections.h"

namespace slipway::govern {

using base::Json;
using html::escape;

namespace {

constexpr size_t kMaxLayers = 60;
constexpr size_t kMaxWindows = 500;
constexpr size_t kMaxAlerts = 4;
constexpr size_t kMaxWords = 16;
constexpr size_t kMaxExplanations = 20;
constexpr size_t kMaxTokens = 400;

Section unmeasured(Section section, std::string_view why) {
  section.measured = false;
  section.body = html::absent(why);
  return section;
}

std::string fixed_error(double value) { return html::number(value, 3); }

std::string layer_bars(const Json& layers) {
  std::vector<charts::Bar> rows;
  if (layers.is_array()) {
    for (const Json& layer : layers) {
      if (rows.size() < kMaxLayers) {
        rows.push_back({html::text_at(layer, "name"), html::number_at(layer, "relative_error"), "", ""});
      }
    }
  }
  if (rows.empty()) {
    return "";
  }
  return "<details><summary>Error by layer</summary>" +
         charts::bars("Relative error of the weights (root of squared error over squared weight)", rows, fixed_error) +
         "</details>";
}

}  // namespace

Section quantization_section(const Json& facts) {
  Section section{
      "quantization", "Quantisation", "What int8 weights cost in accuracy and save in bytes.", "", "", true};
  const Json& quantization = html::at(facts, "quantization");
  if (!quantization.is_object() || quantization.empty()) {
    return unmeasured(section, "the model was not quantised");
  }
  const Json& parity = html::at(quantization, "parity");
  const html::Estimate before = html::estimate_at(parity, "accuracy_reference");
  const html::Estimate after = html::estimate_at(parity, "accuracy_candidate");
  const double n = html::number_at(parity, "n");
  section.chip = std::isfinite(n) ? "n = " + html::count(n) : "";
  std::vector<std::string> rows;
  rows.push_back(html::row({"Size", html::bytes(html::number_at(quantization, "bytes_before")),
                            html::bytes(html::number_at(quantization, "bytes_after"))}));
  rows.push_back(
      html::row({"Accuracy", html::percent(before.value) + " <small>(" + html::percent_interval(before) + ")</small>",
                 html::percent(after.value) + " <small>(" + html::percent_interval(after) + ")</small>"}));
  const auto rate = [&](const char* key) { return html::number(n / html::number_at(parity, key), 4); };
  if (html::has(parity, "seconds_reference") && html::has(parity, "seconds_candidate")) {
    rows.push_back(html::row({"Texts a second, in batches", rate("seconds_reference"), rate("seconds_candidate")}));
  }
  section.body = html::table("Before and after", {"", "float32", "int8"}, rows);
  std::vector<charts::IntervalRow> intervals;
  if (html::has(parity, "accuracy_loss")) {
    intervals.push_back({"Accuracy lost", html::estimate_at(parity, "accuracy_loss"), "", ""});
  }
  if (!intervals.empty()) {
    section.body += charts::intervals("float32 minus int8 on the same texts", intervals,
                                      {.reference = 0, .decimals = 4, .with_sign = true});
  }
  const html::Estimate agreement = html::estimate_at(parity, "agreement");
  if (agreement.known()) {
    section.body += fmt::format(
        "<p class=\"about\">The two agree on {} of texts ({}, n {}); largest difference of a logit {}, "
        "of a probability {}. Relative error of the weights {}.</p>",
        html::percent(agreement.value, 2), html::percent_interval(agreement, 2), html::count(agreement.n),
        html::number(html::number_at(parity, "max_logit_difference"), 3),
        html::number(html::number_at(parity, "max_probability_difference"), 3),
        html::number(html::number_at(quantization, "relative_error"), 3));
  }
  section.body += layer_bars(html::at(quantization, "layers"));
  return section;
}

Section cost_section(const Json& facts) {
  Section section{"cost", "Speed and cost", "Measured on the machine named; latency is from request to answer.", "", "",
                  true};
  const Json& latency = html::at(facts, "latency");
  const Json& model = html::at(facts, "model");
  std::vector<std::string> rows;
  const auto add = [&](const std::string& title, const std::string& value) {
    if (value != "–" && !value.empty()) {
      rows.push_back(html::row({title, escape(value)}));
    }
  };
  const auto milliseconds = [&](const char* key) {
    const double value = html::number_at(latency, key);
    return !std::isfinite(value) ? std::string()
           : value < 1000        ? html::number(value, 3) + " ms"
                                 : html::seconds(value / 1000);
  };
  add("Median latency", milliseconds("p50_ms"));
  add("90th percentile", milliseconds("p90_ms"));
  add("95th percentile", milliseconds("p95_ms"));
  add("99th percentile", milliseconds("p99_ms"));
  add("Ready after start", milliseconds("ready_ms"));
  add("Texts a second", html::number(html::number_at(latency, "texts_per_second"), 4));
  add("Requests measured", html::count(html::number_at(latency, "n")));
  add("Precision", html::text_at(latency, "precision"));
  add("Machine", html::text_at(latency, "machine"));
  add("Parameters", html::count(html::number_at(model, "parameters")));
  add("Size, float32", html::bytes(html::number_at(model, "size_f32")));
  add("Size, int8", html::bytes(html::number_at(model, "size_int8")));
  const double flops = html::number_at(model, "flops_per_token");
  add("Operations a token", std::isfinite(flops) ? html::number(flops / 1e6, 4) + " MFLOP" : "");
  const double cost = html::number_at(latency, "cost_per_million");
  add("Cost of a million texts",
      std::isfinite(cost) ? html::number(cost, 3) + " " + html::text_at(latency, "currency") : "");
  if (rows.empty()) {
    return unmeasured(section, "latency and size");
  }
  const double n = html::number_at(latency, "n");
  section.chip = std::isfinite(n) ? "n = " + html::count(n) : "";
  section.body = "<div class=\"two\"><div>" + html::table("", {"", ""}, rows) + "</div><div>";
  const Json& cases = html::at(latency, "rows");
  std::vector<std::string> lines;
  if (cases.is_array()) {
    for (const Json& one : cases) {
      lines.push_back(html::row(
          {escape(html::text_at(one, "precision", "–")), html::count(html::number_at(one, "tokens")),
           html::count(html::number_at(one, "batch")), html::number(html::number_at(one, "p50_ms"), 3),
           html::number(html::number_at(one, "p99_ms"), 3), html::number(html::number_at(one, "texts_per_second"), 4),
           html::count(html::number_at(one, "n"))}));
    }
  }
  if (!lines.empty()) {
    section.body += html::table("By length and batch",
                                {"Precision", "Tokens", "Batch", "Median ms", "99th ms", "Texts/s", "n"}, lines);
  }
  section.body += "</div></div>";
  return section;
}

namespace {

struct TestCurve {
  std::string name;
  charts::Series series;
  double threshold = NAN;
};

// The statistics of all windows as one curve a test.
std::vector<TestCurve> test_curves(const Json& windows) {
  std::vector<TestCurve> curves;
  double index = 0;
  for (const Json& window : windows) {
    index += 1;
    const Json& tests = html::at(window, "tests");
    if (!tests.is_array() || index > kMaxWindows) {
      continue;
    }
    for (const Json& test : tests) {
      const std::string column = html::text_at(test, "column");
      const std::string name = html::text_at(test, "name", "statistic") + (column.empty() ? "" : " of " + column);
      auto it = std::find_if(curves.begin(), curves.end(), [&](const TestCurve& curve) { return curve.name == name; });
      if (it == curves.end()) {
        if (curves.size() == 12) {
          continue;
        }
        it = curves.insert(curves.end(), {name, {"", "s1", {}, true, {}}, NAN});
      }
      it->series.points.emplace_back(index, html::number_at(test, html::has(test, "score") ? "score" : "value"));
      it->series.alarms.push_back(html::text_at(test, "alarm") == "yes");
      const double threshold = html::number_at(test, "threshold");
      it->threshold = std::isfinite(threshold) ? threshold : it->threshold;
    }
  }
  return curves;
}

std::string alert_block(const Json& window, size_t index) {
  std::string out = fmt::format("<blockquote><span class=\"badge neg\">alert</span> window {}{}", index,
                                html::has(window, "name") ? " · " + escape(html::text_at(window, "name")) : "");
  const Json& words = html::at(window, "words");
  if (words.is_array() && !words.empty()) {
    out += "<br>Words that moved most: ";
    for (size_t i = 0; i < words.size() && i < kMaxWords; ++i) {
      const std::string word = words[i].is_string() ? html::text_of(words[i]) : html::text_at(words[i], "word");
      out += fmt::format("<ins>{}</ins> ", escape(html::shorten(word, 40)));
    }
  }
  const Json& examples = html::at(window, "examples");
  if (examples.is_array() && !examples.empty()) {
    out += "<ul class=\"plain\">";
    for (size_t i = 0; i < examples.size() && i < 3; ++i) {
      const std::string text =
          examples[i].is_string() ? html::text_of(examples[i]) : html::text_at(examples[i], "text");
      out += fmt::format("<li>{}</li>", escape(html::shorten(text, 240)));
    }
    out += "</ul>";
  }
  return out + fmt::format("<footer>n {}</footer></blockquote>\n", html::count(html::number_at(window, "n")));
}

}  // namespace

Section drift_section(const Json& facts) {
  Section section{"drift",
                  "Drift",
                  "Windows of live texts against the reference saved with the model; red points passed their "
                  "threshold.",
                  "",
                  "",
                  true};
  const Json& windows = html::at(facts, "drift.windows");
  if (!windows.is_array() || windows.empty()) {
    return unmeasured(section, "no window of traffic has been seen yet");
  }
  section.chip = fmt::format("{} windows", windows.size());
  std::string alerts;
  size_t alarms = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    const bool alarm = html::text_at(windows[i], "alarm") == "yes" || html::text_at(windows[i], "drift") == "yes";
    if (alarm && alarms++ < kMaxAlerts) {
      alerts += alert_block(windows[i], i + 1);
    }
  }
  section.body = fmt::format("<p><span class=\"badge {}\">{}</span></p><div class=\"two\">", alarms > 0 ? "neg" : "pos",
                             alarms > 0 ? fmt::format("{} of {} windows raised an alert", alarms, windows.size())
                                        : fmt::format("none of {} windows raised an alert", windows.size()));
  for (const TestCurve& curve : test_curves(windows)) {
    section.body +=
        "<div>" +
        charts::lines(curve.name, {curve.series},
                      {.x_label = "window", .threshold = curve.threshold, .from_zero = true, .height = 180}) +
        "</div>";
  }
  section.body += "</div>" + alerts;
  if (alarms > kMaxAlerts) {
    section.body += fmt::format("<p class=\"about\">{} more alerts are not shown.</p>", alarms - kMaxAlerts);
  }
  return section;
}

namespace {

// What a word adds, and the word: of our explain JSON ("word", "value") or any other maker's ("text", "weight").
double weight_of(const Json& token) { return html::number_at(token, html::has(token, "value") ? "value" : "weight"); }
std::string word_of(const Json& token) { return html::text_at(token, html::has(token, "word") ? "word" : "text"); }

std::string coloured_word(const Json& token, double largest) {
  const double weight = weight_of(token);
  if (!(std::fabs(weight) > 0.02 * largest)) {
    return escape(word_of(token));
  }
  return fmt::format("<span class=\"w {}\" style=\"--a:{:.2f}\" title=\"{}\">{}</span>", weight > 0 ? "p" : "q",
                     std::min(0.72, 0.06 + (0.66 * std::fabs(weight) / largest)), html::signed_fixed(weight, 4),
                     escape(word_of(token)));
}

// Text with each token on a ground of its weight's sign and size. With "text" and offsets in code points the text
// between tokens is kept as it was; else tokens are joined by "separator".
std::string coloured(const Json& explanation, double largest) {
  const Json& tokens = html::at(explanation, "tokens");
  const std::string text = html::text_at(explanation, "text");
  const std::string separator = html::text_at(explanation, "separator", " ");
  const bool with_offsets = !text.empty() && html::has(tokens[0], "begin");
  html::CodePoints points(text);
  double at = 0;
  std::string out;
  for (size_t i = 0; i < tokens.size() && i < kMaxTokens; ++i) {
    if (with_offsets) {
      const double begin = html::number_at(tokens[i], "begin");
      const double end = html::number_at(tokens[i], "end");
      if (!(begin >= at) || !(end >= begin)) {
        continue;
      }
      out += escape(points.take(begin)) + coloured_word(tokens[i], largest);
      points.take(end);
      at = end;
    } else {
      out += (i > 0 ? escape(separator) : "") + coloured_word(tokens[i], largest);
    }
  }
  if (tokens.size() > kMaxTokens) {
    return out + " …";
  }
  return with_offsets ? out + escape(html::shorten(points.take(1e9), 2'000)) : out;
}

std::string explanation_block(const Json& explanation) {
  const Json& tokens = html::at(explanation, "tokens");
  if (!tokens.is_array() || tokens.empty()) {
    return "";
  }
  double largest = 0;
  std::vector<std::pair<double, std::string>> ranked;
  for (const Json& token : tokens) {
    const double weight = weight_of(token);
    if (std::isfinite(weight)) {
      largest = std::max(largest, std::fabs(weight));
      ranked.emplace_back(weight, word_of(token));
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return std::fabs(a.first) > std::fabs(b.first); });
  std::string about =
      escape(html::text_at(explanation, "method", "explanation")) + " · " +
      escape(html::text_at(explanation, "label", "?")) + " " +
      html::percent(html::number_at(explanation, html::has(explanation, "score") ? "score" : "prediction"));
  const Json& faithfulness = html::at(explanation, "faithfulness");
  if (faithfulness.is_object()) {
    for (const auto& item : faithfulness.items()) {
      if (item.value().is_number() && item.key() != "evaluations") {
        about += fmt::format(" · {} {}", escape(item.key()), html::number(item.value().get<double>(), 3));
      }
    }
  }
  // Colour alone must not carry the meaning: the strongest words are also listed with their sign.
  about += "<br>strongest: ";
  for (size_t i = 0; i < ranked.size() && i < 5; ++i) {
    about += fmt::format("{}{} {}", i > 0 ? ", " : "", escape(html::shorten(ranked[i].second, 30)),
                         html::signed_fixed(ranked[i].first, 3));
  }
  return fmt::format("<blockquote>{}<footer>{}</footer></blockquote>\n", coloured(explanation, largest), about);
}

}  // namespace

Section explanation_section(const Json& facts) {
  Section section{"explanations",
                  "Explanations",
                  "Green words push towards the answer given, red ones away from it; the deeper "
                  "the colour, the stronger the push.",
                  "",
                  "",
                  true};
  const Json& explanations = html::at(facts, "explanations");
  if (explanations.is_array()) {
    for (size_t i = 0; i < explanations.size() && i < kMaxExplanations; ++i) {
      section.body += explanation_block(explanations[i]);
    }
    section.chip = fmt::format("{} texts", explanations.size());
    if (explanations.size() > kMaxExplanations) {
      section.body +=
          fmt::format("<p class=\"about\">{} more are not shown.</p>", explanations.size() - kMaxExplanations);
    }
  }
  return section.body.empty() ? unmeasured(section, "no text was explained") : section;
}

}  // namespace slipway::govern
