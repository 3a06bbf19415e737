#include "explain/explanation.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "text/unicode.h"

namespace slipway::explain {
namespace {

base::Json number(double value) { return std::isfinite(value) ? base::Json(value) : base::Json(nullptr); }

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

base::Json to_json(const Explanation& explanation) {
  base::Json json = {{"text", explanation.text},
                     {"method", explanation.method},
                     {"label", explanation.label},
                     {"output", explanation.output},
                     {"base_value", number(explanation.base_value)},
                     {"prediction", number(explanation.prediction)},
                     {"tokens", base::Json::array()},
                     {"seed", explanation.seed},
                     {"samples", explanation.samples},
                     {"evaluations", explanation.evaluations},
                     {"complete", explanation.complete}};
  size_t bytes = 0;
  size_t points = 0;
  const auto advance = [&](size_t to) {
    points += text::count_code_points(std::string_view(explanation.text).substr(bytes, to - bytes));
    bytes = to;
    return points;
  };
  for (const WordValue& word : explanation.words) {
    const size_t begin = advance(word.begin);
    const size_t end = advance(word.end);
    json["tokens"].push_back({{"begin", begin}, {"end", end}, {"word", word.word}, {"value", number(word.value)}});
  }
  if (explanation.local_r2) {
    json["local_r2"] = number(*explanation.local_r2);
  }
  if (explanation.completeness_error) {
    json["completeness_error"] = number(*explanation.completeness_error);
  }
  if (explanation.faithfulness) {
    const Faithfulness& f = *explanation.faithfulness;
    json["faithfulness"] = {{"comprehensiveness", number(f.comprehensiveness)},
                            {"sufficiency", number(f.sufficiency)},
                            {"deletion_auc", number(f.deletion_auc)},
                            {"tau_loo", number(f.tau_loo)},
                            {"evaluations", f.evaluations}};
  }
  return json;
}

std::string to_html(const Explanation& explanation) {
  double largest = 0;
  for (const WordValue& word : explanation.words) {
    largest = std::max(largest, std::abs(word.value));
  }
  const std::string& text = explanation.text;
  std::string out = "<div class=\"explanation\" style=\"line-height:1.9\"><div>";
  size_t done = 0;
  for (const WordValue& word : explanation.words) {
    out += escaped(std::string_view(text).substr(done, word.begin - done));
    done = word.end;
    const double strength = largest > 0 ? std::abs(word.value) / largest : 0;
    // Orange and blue stay apart for the colour-blind; the sign is in the tooltip too.
    const char* colour = word.value > 0 ? "230,97,1" : "44,123,182";
    out += fmt::format(
        "<span title=\"{:+.4f}\" style=\"background:rgba({},{:.2f});border-radius:3px;padding:1px\">{}</span>",
        word.value, colour, 0.75 * strength, escaped(word.word));
  }
  out += escaped(std::string_view(text).substr(done));
  out += fmt::format(
      "</div><div style=\"font-size:85%;opacity:.75\">{} of “{}”: {:.3f} (base {:.3f}) · {} · {} model calls",
      explanation.output == "logit" ? "logit" : "probability", escaped(explanation.label), explanation.prediction,
      explanation.base_value, escaped(explanation.method), explanation.evaluations);
  if (explanation.local_r2) {
    out += fmt::format(" · local R² {:.3f}", *explanation.local_r2);
  }
  if (explanation.faithfulness) {
    out += fmt::format(" · comprehensiveness {:.3f} · sufficiency {:.3f}", explanation.faithfulness->comprehensiveness,
                       explanation.faithfulness->sufficiency);
  }
  return out + "</div></div>";
}

}  // namespace slipway::explain
