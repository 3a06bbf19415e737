#include "govern/report.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "govern/html.h"
#include "govern/report_sections.h"

namespace slipway::govern {
namespace {

using base::Json;
using html::escape;

constexpr const char* kTick =
    R"(<svg viewBox="0 0 20 20" aria-hidden="true"><path fill="currentColor" d="M10 1a9 9 0 100 18 9 9 0 000-18zm4.3 6.9l-5 5.6a1 1 0 01-1.5 0L5.6 11a1 1 0 111.5-1.3l1.4 1.6 4.3-4.8a1 1 0 111.5 1.4z"/></svg>)";
constexpr const char* kCross =
    R"(<svg viewBox="0 0 20 20" aria-hidden="true"><path fill="currentColor" d="M10 1a9 9 0 100 18 9 9 0 000-18zm3.7 11.3a1 1 0 01-1.4 1.4L10 11.4l-2.3 2.3a1 1 0 01-1.4-1.4L8.6 10 6.3 7.7a1 1 0 011.4-1.4L10 8.6l2.3-2.3a1 1 0 011.4 1.4L11.4 10z"/></svg>)";

std::string verdict(const Json& facts) {
  const Json& gates = html::at(facts, "gates");
  if (!gates.is_array() || gates.empty()) {
    return "<p class=\"verdict warn\">No gates were set for this run</p>";
  }
  const auto passed = std::count_if(gates.begin(), gates.end(),
                                    [](const Json& gate) { return html::text_at(gate, "passed") == "yes"; });
  if (passed == static_cast<int64_t>(gates.size())) {
    return fmt::format("<p class=\"verdict pos\">{}{}</p>", kTick,
                       gates.size() == 1 ? "The gate passed" : fmt::format("All {} gates passed", gates.size()));
  }
  return fmt::format("<p class=\"verdict neg\">{}{} of {} gates failed</p>", kCross,
                     gates.size() - static_cast<size_t>(passed), gates.size());
}

struct Tile {
  std::string key;
  std::string value;  // HTML
  std::string below;  // HTML
};

std::string share_tile_below(const html::Estimate& e) {
  if (!e.has_interval()) {
    return "";
  }
  const auto position = [](double value) { return 100 * std::clamp(value, 0.0, 1.0); };
  return fmt::format(
      "<div class=\"mini\" aria-hidden=\"true\"><i style=\"left:{:.2f}%;width:{:.2f}%\"></i><u "
      "style=\"left:{:.2f}%\"></u></div><p class=\"s\">95% interval {} · n {}</p>",
      position(e.low), position(e.high) - position(e.low), position(e.value), html::percent_interval(e),
      html::count(e.n));
}

void quality_tiles(const Json& facts, std::vector<Tile>& tiles) {
  for (const auto& [key, title] : {std::pair{"accuracy", "Accuracy"}, std::pair{"f1", "F1, macro"}}) {
    const html::Estimate e = html::estimate_at(html::at(facts, "evaluation.measures"), key);
    if (e.known()) {
      tiles.push_back({title, html::percent(e.value), share_tile_below(e)});
    }
  }
  const html::Estimate flips = html::estimate_at(facts, "bias.flip_rate");
  if (flips.known()) {
    tiles.push_back({"Answers that flip with gender or name", html::percent(flips.value), share_tile_below(flips)});
  }
}

std::vector<Tile> tiles_of(const Json& facts) {
  std::vector<Tile> tiles;
  quality_tiles(facts, tiles);
  const double int8 = html::number_at(facts, "model.size_int8");
  const double f32 = html::number_at(facts, "model.size_f32");
  if (std::isfinite(int8) || std::isfinite(f32)) {
    const bool both = std::isfinite(int8) && std::isfinite(f32);
    tiles.push_back({"Size to serve", html::bytes(std::isfinite(int8) ? int8 : f32),
                     both ? fmt::format("<p class=\"s\">int8; {} in f32</p>", html::bytes(f32)) : ""});
  }
  const double p50 = html::number_at(facts, "latency.p50_ms");
  if (std::isfinite(p50)) {
    const double p99 = html::number_at(facts, "latency.p99_ms");
    tiles.push_back({"Time to answer, median", fmt::format("{}<small>ms</small>", html::number(p50, 3)),
                     std::isfinite(p99)
                         ? fmt::format("<p class=\"s\">99th percentile {} ms · n {}</p>", html::number(p99, 3),
                                       html::count(html::number_at(facts, "latency.n")))
                         : ""});
  }
  const double seconds = html::number_at(facts, "train.seconds");
  if (std::isfinite(seconds)) {
    const double rate = html::number_at(facts, "train.samples_per_second");
    tiles.push_back(
        {"Time to train", html::seconds(seconds),
         std::isfinite(rate) ? fmt::format("<p class=\"s\">{} texts a second</p>", html::number(rate, 3)) : ""});
  }
  return tiles;
}

std::string top(const Json& facts) {
  const std::string project = html::text_at(facts, "project", "Untitled project");
  std::string name = html::text_at(facts, "model.name", project);
  const std::string version = html::text_at(facts, "model.version");
  if (!version.empty()) {
    name += " / " + version;
  }
  std::string out =
      fmt::format("<header class=\"top\"><p class=\"eyebrow\">{}</p><h1>{}</h1>{}",
                  escape(html::text_at(facts, "task", "model") + " · run report"), escape(name), verdict(facts));
  const std::string lead = html::text_at(facts, "summary");
  if (!lead.empty()) {
    out += fmt::format("<p class=\"lead\">{}</p>", escape(lead));
  }
  out += "<ul class=\"meta\">";
  for (const auto& [key, title] :
       {std::pair{"created", "Made"}, std::pair{"run_id", "Run"}, std::pair{"model.base", "Started from"},
        std::pair{"endpoint", "Endpoint"}, std::pair{"project", "Project"}}) {
    const std::string value = html::text_at(facts, key);
    if (!value.empty()) {
      out += fmt::format("<li>{} {}</li>", title, html::code(value, 60));
    }
  }
  out += "</ul><ul class=\"tiles\">";
  for (const Tile& tile : tiles_of(facts)) {
    out += fmt::format("<li class=\"tile\"><p class=\"k\">{}</p><p class=\"n\">{}</p>{}</li>\n", escape(tile.key),
                       tile.value, tile.below);
  }
  return out + "</ul></header>\n";
}

std::string rendered(const Section& section) {
  std::string out =
      fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-title\"><header><h2 id=\"{0}-title\">{1}</h2>", section.id,
                  escape(section.title));
  if (!section.chip.empty()) {
    out += fmt::format("<span class=\"chip\">{}</span>", escape(section.chip));
  }
  out += "</header>";
  if (!section.about.empty()) {
    out += fmt::format("<p class=\"about\">{}</p>", escape(section.about));
  }
  return out + section.body + "</section>\n";
}

}  // namespace

std::string render_report(const Json& facts) {
  if (!facts.is_object()) {
    throw base::Error(base::Code::kInvalid, "the facts of a report must be a JSON object (docs/formats/report.md)");
  }
  const std::vector<Section> sections = {
      gates_section(facts),  data_section(facts),       training_section(facts),    evaluation_section(facts),
      slices_section(facts), comparison_section(facts), bias_section(facts),        quantization_section(facts),
      cost_section(facts),   drift_section(facts),      explanation_section(facts), lineage_section(facts),
      repeat_section(facts)};
  const std::string title = html::text_at(facts, "project", "Model") + " · run report";
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src "
      "'none';style-src 'unsafe-inline'\"><meta name=\"generator\" "
      "content=\"slipway\"><title>{}</title><style>{}</style>"
      "</head><body><a class=\"skip\" href=\"#main\">Skip to the report</a><div class=\"page\"><nav "
      "aria-label=\"Contents\"><ol>",
      escape(title), report_style());
  for (const Section& section : sections) {
    page += fmt::format("<li{}><a href=\"#{}\">{}</a></li>", section.measured ? "" : " class=\"none\"", section.id,
                        escape(section.title));
  }
  page += "</ol></nav><main id=\"main\">" + top(facts);
  for (const Section& section : sections) {
    page += rendered(section);
  }
  page +=
      "</main></div><footer>Made by slipway. Intervals are 95% confidence intervals; n is the number of texts, pairs "
      "or "
      "requests behind a number. A dash means it was not measured.</footer></body></html>\n";
  return page;
}

}  // namespace slipway::govern
