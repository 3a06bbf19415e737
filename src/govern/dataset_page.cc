#include "govern/dataset_page.h"

#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hash.h"
#include "govern/dataset_page_parts.h"
#include "govern/report_sections.h"

namespace slipway::govern {
namespace {

using base::Json;
using dataset_page::both;
using dataset_page::Part;
using dataset_page::Said;
using html::escape;

// What a policy calls the script.
std::string script_hash() {
  const std::string hex = base::sha256_hex(dataset_page::script());
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    bytes += static_cast<char>(value);
  }
  return base::base64_encode(bytes);
}

std::string verdict(const Json& facts) {
  const Json& counts = html::at(facts, "comparison.counts");
  if (!counts.is_object()) {
    return "";
  }
  const double errors = html::number_at(counts, "error");
  const double warnings = html::number_at(counts, "warning");
  const double infos = html::number_at(counts, "info");
  const char* tone = errors > 0 ? "neg" : warnings > 0 ? "warn" : "pos";
  if (!(errors + warnings + infos > 0)) {
    return fmt::format("<p class=\"verdict {}\">{}</p>", tone, both({"Nothing unusual against the version before", "与上一版本相比没有异常"}));
  }
  return fmt::format("<p class=\"verdict {}\">{}</p>", tone,
                     both({fmt::format("errors: {}, warnings: {}, notes: {}", html::count(errors), html::count(warnings), html::count(infos)),
                           fmt::format("{} 个错误，{} 个警告，{} 条提示", html::count(errors), html::count(warnings), html::count(infos))}));
}

std::string tile(const Said& key, const std::string& value, const std::string& below = "") {
  return fmt::format("<li class=\"tile\"><p class=\"k\">{}</p><p class=\"n\">{}</p>{}</li>\n", both(key), value, below.empty() ? "" : "<p class=\"s\">" + below + "</p>");
}

std::string tiles(const Json& facts) {
  const double rows = html::number_at(facts, "rows");
  const double before = html::number_at(facts, "comparison.rows_before");
  std::string out = "<ul class=\"tiles\">";
  out += tile({"Rows", "行数"}, escape(html::count(rows)),
              std::isfinite(before) ? both({"before: " + escape(html::count(before)), "之前：" + escape(html::count(before))}) : "");
  const Json& columns = html::at(facts, "columns");
  out += tile({"Columns", "列数"}, columns.is_array() ? std::to_string(columns.size()) : "–");
  const double copies = html::number_at(facts, "copies");
  out += tile({"Copies", "重复"}, rows > 0 ? escape(html::percent(copies / rows)) : "–", both({escape(html::count(copies)) + " rows", escape(html::count(copies)) + " 行"}));
  if (html::has(facts, "near_duplicates")) {
    const double sample = html::number_at(facts, "near_duplicates.sample");
    const double near = html::number_at(facts, "near_duplicates.rows");
    out += tile({"In clusters of near-duplicates", "属于近似重复组"}, sample > 0 ? escape(html::percent(near / sample)) : "–",
                both({"of " + escape(html::count(sample)) + " rows of the sample", "样本 " + escape(html::count(sample)) + " 行"}));
  }
  if (html::has(facts, "texts")) {
    const double texts = html::number_at(facts, "texts.rows");
    const double personal = html::number_at(facts, "texts.personal_data.rows");
    out += tile({"With personal data", "含个人信息"}, texts > 0 ? escape(html::percent(personal / texts)) : "–",
                both({escape(html::count(personal)) + " rows", escape(html::count(personal)) + " 行"}));
    out += tile({"Words, median", "词数中位数"}, escape(html::number(html::number_at(facts, "texts.words.p50"))));
  }
  return out + "</ul>";
}

std::string top(const Json& facts) {
  std::string out = fmt::format("<header class=\"top\"><div class=\"bar\"><p class=\"eyebrow\">{}</p><button type=\"button\" id=\"language\" hidden>中文</button></div><h1>{}</h1>{}",
                                both({"Dataset report", "数据集报告"}), escape(html::text_at(facts, "name", "dataset")), verdict(facts));
  out += "<ul class=\"meta\">";
  const auto line = [&](const char* key, const Said& title) {
    if (const std::string value = html::text_at(facts, key); !value.empty()) {
      out += fmt::format("<li>{} {}</li>", both(title), html::code(value, 60));
    }
  };
  line("version", {"Version", "版本"});
  line("against", {"Against", "对比"});
  line("sample", {"Rows in the sample", "样本行数"});
  line("seed", {"Seed", "随机种子"});
  return out + "</ul>" + tiles(facts) + "</header>\n";
}

}  // namespace

std::string render_dataset_page(const Json& facts) {
  if (!facts.is_object()) {
    throw base::Error(base::Code::kInvalid, "the facts of a dataset's report must be a JSON object (docs/formats/data-report.md)");
  }
  using namespace dataset_page;  // NOLINT: ten parts of one page
  const std::array parts = {findings_part(facts), columns_part(facts), lengths_part(facts), languages_part(facts), ngrams_part(facts),
                            near_part(facts),     map_part(facts),     quality_part(facts), personal_part(facts),  tests_part(facts)};
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline';script-src 'sha256-{}'\">"
      "<meta name=\"generator\" content=\"slipway\"><title>{} · dataset report</title><style>{}{}</style></head><body>"
      "<a class=\"skip\" href=\"#main\">{}</a><div class=\"page\"><nav aria-label=\"Contents\"><ol>",
      script_hash(), escape(html::text_at(facts, "name", "dataset")), report_style(), style(), both({"Skip to the report", "跳到报告"}));
  for (const Part& part : parts) {
    page += part.body.empty() ? "" : fmt::format("<li><a href=\"#{}\">{}</a></li>", part.id, both(part.title));
  }
  page += "</ol></nav><main id=\"main\">" + top(facts);
  for (const Part& part : parts) {
    if (!part.body.empty()) {
      page += fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-title\"><header><h2 id=\"{0}-title\">{1}</h2></header><p class=\"about\">{2}</p>{3}</section>\n", part.id,
                          both(part.title), both(part.about), part.body);
    }
  }
  page += fmt::format("</main></div><footer>{}</footer><script>{}</script></body></html>\n",
                      both({"Made by slipway. Counts are of all rows; near-duplicates, quality and the map are of a sample drawn by the seed.",
                            "由 slipway 生成。计数基于全部行；近似重复、质量和分布图基于按种子抽取的样本。"}),
                      script());
  return page;
}

}  // namespace slipway::govern
