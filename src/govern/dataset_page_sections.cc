// Sections of the report of a dataset but its map.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "govern/charts.h"
#include "govern/dataset_page_parts.h"

namespace slipway::govern::dataset_page {
namespace {

using base::Json;
using html::escape;

constexpr size_t kMaxColumns = 200;
constexpr size_t kMaxFindings = 500;
constexpr size_t kMaxTests = 1000;
constexpr size_t kShownRow = 300;
constexpr double kFewValues = 20;

const Json& list_at(const Json& json, std::string_view path) {
  static const Json kNone = Json::array();
  const Json& list = html::at(json, path);
  return list.is_array() ? list : kNone;
}

std::vector<charts::Bin> bins_of(const Json& histogram) {
  std::vector<charts::Bin> bins;
  for (const Json& bin : list_at(histogram, "bins")) {
    bins.push_back({html::number_at(bin, "low"), html::number_at(bin, "high"), html::number_at(bin, "count")});
  }
  return bins;
}

std::string cell(double value) { return "<td>" + escape(html::number(value)) + "</td>"; }
std::string cell(const std::string& markup) { return "<td>" + markup + "</td>"; }

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : base::dump_json(value); }

const Said& check_name(const std::string& check) {
  static const std::map<std::string, Said> kNames = {
      {"column_removed", {"column removed", "列消失"}}, {"column_added", {"column added", "新增列"}},       {"type_changed", {"type changed", "类型改变"}},
      {"rows", {"rows", "行数"}},                       {"broken_rows", {"broken rows", "损坏的行"}},       {"missing", {"missing values", "缺失值"}},
      {"new_category", {"new value", "新取值"}},        {"vanished_category", {"vanished value", "取值消失"}}, {"out_of_range", {"out of range", "超出范围"}},
      {"distribution", {"distribution", "分布"}},       {"language", {"language", "语言"}},                 {"words", {"words", "用词"}},
      {"copies", {"copies", "重复"}},                   {"near_duplicates", {"near-duplicates", "近似重复"}}, {"pii", {"personal data", "个人信息"}}};
  static const Said kUnknown = {"", ""};
  const auto it = kNames.find(check);
  return it == kNames.end() ? kUnknown : it->second;
}

std::string severity_badge(const std::string& severity) {
  if (severity == "error") {
    return "<span class=\"badge neg\">" + both({"error", "错误"}) + "</span>";
  }
  return severity == "warning" ? "<span class=\"badge warn\">" + both({"warning", "警告"}) + "</span>" : "<span class=\"badge\">" + both({"note", "提示"}) + "</span>";
}

// What moved, in Chinese: the numbers of the finding.
std::string chinese(const Json& finding) {
  const std::string check = html::text_at(finding, "check");
  const double before = html::number_at(finding, "before");
  const double after = html::number_at(finding, "after");
  const std::string name = escape(check_name(check).zh);
  if (check == "missing" || check == "language" || check == "copies" || check == "near_duplicates" || check == "pii") {
    return fmt::format("{}：{} → {}", name, escape(html::percent(before, 2)), escape(html::percent(after, 2)));
  }
  if (check == "rows" || check == "distribution" || check == "out_of_range") {
    return fmt::format("{}：{} → {}", name, escape(html::number(before)), escape(html::number(after)));
  }
  return name;
}

std::string rows_of(const Json& finding) {
  std::string out;
  for (const Json& row : list_at(finding, "rows")) {
    const std::string text = html::has(row, "text") ? html::text_at(row, "text") : html::has(row, "value") ? value_text(html::at(row, "value")) : "";
    out += fmt::format("<li>{} {}</li>", html::code(html::text_at(row, "at")), escape(html::shorten(text, kShownRow)));
  }
  return out.empty() ? "" : "<ul class=\"plain\">" + out + "</ul>";
}

std::string length_chart(const Json& facts, const char* key, const Said& name) {
  const Json& lengths = html::at(facts, fmt::format("texts.{}", key));
  if (!lengths.is_object()) {
    return "";
  }
  return both_charts([&](bool zh) { return charts::histogram(zh ? name.zh : name.en, bins_of(lengths), zh ? name.zh : name.en); });
}

}  // namespace

std::string both(const Said& said) { return fmt::format("<span class=\"t\" lang=\"en\">{}</span><span class=\"t\" lang=\"zh\">{}</span>", said.en, said.zh); }

std::string both_charts(const std::function<std::string(bool chinese)>& chart) {
  return fmt::format("<div class=\"t\" lang=\"en\">{}</div><div class=\"t\" lang=\"zh\">{}</div>", chart(false), chart(true));
}

std::string table(const Said& caption, const std::vector<Said>& head, const std::vector<std::string>& rows, size_t numeric) {
  std::string out = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: " + escape(caption.en) + "\"><table><caption>" + both(caption) + "</caption><thead><tr>";
  for (size_t i = 0; i < head.size(); ++i) {
    out += fmt::format("<th scope=\"col\"{}>{}</th>", i >= numeric ? " class=\"r\"" : "", both(head[i]));
  }
  out += fmt::format("</tr></thead><tbody class=\"r{}\">\n", numeric);
  for (const std::string& row : rows) {
    out += row;
  }
  return out + "</tbody></table></div>\n";
}

Part findings_part(const Json& facts) {
  Part part{"findings", {"What changed", "变化"}, {"Against the version before. A test finds that something moved; the severity says how far.", "与上一版本对比。检验说明发生了变化，级别说明变化的大小。"}, ""};
  if (!html::has(facts, "comparison")) {
    return part;
  }
  const Json& findings = list_at(facts, "comparison.findings");
  if (findings.empty()) {
    part.body = "<p>" + both({"No test gave an alarm.", "没有检验报警。"}) + "</p>";
    return part;
  }
  std::vector<std::string> rows;
  for (const Json& finding : findings) {
    if (rows.size() == kMaxFindings) {
      break;
    }
    const std::string test = html::text_at(finding, "test");
    const Said& name = check_name(html::text_at(finding, "check"));
    rows.push_back(fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td></tr>\n", severity_badge(html::text_at(finding, "severity")),
                               both({escape(name.en), escape(name.zh)}), html::code(html::text_at(finding, "column"), 40),
                               both({escape(html::text_at(finding, "message")), chinese(finding)}), rows_of(finding),
                               test.empty() ? "" : escape(fmt::format("{} {} > {}, p {}", test, html::number(html::number_at(finding, "value")),
                                                                      html::number(html::number_at(finding, "threshold")), html::number(html::number_at(finding, "p"), 2)))));
  }
  constexpr size_t kNone = 9;
  part.body = table({"Findings", "发现"}, {{"severity", "级别"}, {"check", "检查"}, {"column", "列"}, {"what", "说明"}, {"test", "检验"}}, rows, kNone);
  if (findings.size() > kMaxFindings) {
    part.body += fmt::format("<p>{}</p>", both({fmt::format("and {} more: --json has them all", findings.size() - kMaxFindings), fmt::format("另有 {} 条：--json 给出全部", findings.size() - kMaxFindings)}));
  }
  return part;
}

Part columns_part(const Json& facts) {
  Part part{"columns", {"Columns", "列"}, {"Types, missing and different values of all rows; numbers as histograms, values that come again as bars.", "全部行的类型、缺失值与不同取值；数值用直方图，重复取值用条形图。"}, ""};
  const Json& columns = list_at(facts, "columns");
  std::vector<std::string> rows;
  std::string charts_of;
  for (const Json& column : columns) {
    if (rows.size() == kMaxColumns) {
      break;
    }
    const std::string name = html::text_at(column, "name");
    const double present = html::number_at(column, "present");
    const double missing = html::number_at(column, "missing");
    rows.push_back("<tr><th scope=\"row\">" + escape(html::shorten(name, 60)) + "</th>" + cell(escape(html::text_at(column, "type"))) + cell(escape(html::count(present))) +
                   cell(escape(html::percent(present + missing > 0 ? missing / (present + missing) : 0))) +
                   cell((html::text_at(column, "distinct_exact") == "no" ? "&gt; " : "") + escape(html::count(html::number_at(column, "distinct")))) + "</tr>\n");
    // Numbers of many values have a shape, those of few (stars, classes) have names.
    const bool shape = html::has(column, "numbers") && html::number_at(column, "distinct") > kFewValues;
    if (const Json& top = list_at(column, "top"); !top.empty() && !shape) {
      std::vector<charts::Bar> bars;
      for (const Json& one : top) {
        bars.push_back({value_text(html::at(one, "value")), html::number_at(one, "rows"), "", ""});
      }
      charts_of += "<div>" + charts::bars(name, bars, html::count) + "</div>";
    } else if (html::has(column, "numbers")) {
      charts_of += "<div>" + charts::histogram(name, bins_of(html::at(column, "numbers")), name) + "</div>";
    }
  }
  if (!rows.empty()) {
    part.body = table({"Columns", "列"}, {{"column", "列"}, {"type", "类型"}, {"values", "有值"}, {"missing", "缺失"}, {"different", "不同取值"}}, rows, 2) + "<div class=\"two\">" + charts_of + "</div>";
  }
  return part;
}

Part lengths_part(const Json& facts) {
  Part part{"lengths", {"Lengths", "长度"}, {"Of the texts, all rows.", "全部文本的长度。"}, ""};
  if (!html::has(facts, "texts")) {
    return part;
  }
  std::vector<std::string> rows;
  for (const auto& [key, name] : {std::pair{"characters", Said{"characters", "字符"}}, std::pair{"words", Said{"words", "词"}}, std::pair{"tokens", Said{"tokens", "词元"}}}) {
    const Json& one = html::at(facts, fmt::format("texts.{}", key));
    if (one.is_object()) {
      rows.push_back("<tr><th scope=\"row\">" + both(name) + "</th>" + cell(html::number_at(one, "mean")) + cell(html::number_at(one, "min")) + cell(html::number_at(one, "p5")) +
                     cell(html::number_at(one, "p50")) + cell(html::number_at(one, "p95")) + cell(html::number_at(one, "max")) + "</tr>\n");
    }
  }
  part.body = table({"Lengths", "长度"}, {{"unit", "单位"}, {"mean", "均值"}, {"least", "最小"}, {"5 %", "5 %"}, {"median", "中位数"}, {"95 %", "95 %"}, {"most", "最大"}}, rows) + "<div class=\"two\">" +
              length_chart(facts, "characters", {"characters", "字符"}) + length_chart(facts, "words", {"words", "词"}) + length_chart(facts, "tokens", {"tokens", "词元"}) + "</div>";
  return part;
}

Part languages_part(const Json& facts) {
  Part part{"languages", {"Languages", "语言"}, {"Detected in each text; “und” has no letters to tell from.", "逐条文本检测；“und”表示无法判断。"}, ""};
  std::vector<charts::Bar> bars;
  for (const Json& one : list_at(facts, "texts.languages")) {
    constexpr size_t kShown = 25;
    if (bars.size() < kShown) {
      bars.push_back({html::text_at(one, "language"), html::number_at(one, "rows"), "", ""});
    }
  }
  if (!bars.empty()) {
    part.body = both_charts([&](bool zh) { return charts::bars(zh ? "各语言的行数" : "Rows by language", bars, html::count); });
  }
  return part;
}

Part ngrams_part(const Json& facts) {
  Part part{"ngrams", {"Frequent words", "常见词"}, {"Single words, pairs and runs of three, in lower case, of all texts.", "全部文本中的单词、二元与三元词组（小写）。"}, ""};
  size_t n = 0;
  for (const Json& ngrams : list_at(facts, "texts.ngrams")) {
    std::vector<charts::Bar> bars;
    for (const Json& one : ngrams.is_array() ? ngrams : Json::array()) {
      bars.push_back({html::text_at(one, "ngram"), html::number_at(one, "count"), "", ""});
    }
    static const Said kNames[] = {{"Words", "词"}, {"Pairs", "二元词组"}, {"Runs of three", "三元词组"}};
    if (!bars.empty() && n < std::size(kNames)) {
      part.body += both_charts([&](bool zh) { return charts::bars(zh ? kNames[n].zh : kNames[n].en, bars, html::count); });
    }
    ++n;
  }
  part.body = part.body.empty() ? "" : "<div class=\"two\">" + part.body + "</div>";
  return part;
}

Part near_part(const Json& facts) {
  Part part{"near", {"Near-duplicates", "近似重复"}, {"Clusters of texts that are alike (MinHash, verified by Jaccard similarity), of the sample; the largest with examples.", "样本中相似文本的组（MinHash，经 Jaccard 验证）；列出最大的几组。"}, ""};
  if (!html::has(facts, "near_duplicates")) {
    return part;
  }
  const std::string clusters = escape(html::count(html::number_at(facts, "near_duplicates.clusters")));
  const std::string rows = escape(html::count(html::number_at(facts, "near_duplicates.rows")));
  part.body = "<p>" + both({fmt::format("{} clusters with {} rows", clusters, rows), fmt::format("{} 组，共 {} 行", clusters, rows)}) + "</p>";
  for (const Json& cluster : list_at(facts, "near_duplicates.largest")) {
    const std::string size = escape(html::count(html::number_at(cluster, "rows")));
    part.body += "<details><summary>" + both({size + " rows", size + " 行"}) + "</summary><ul class=\"plain\">";
    for (const Json& example : list_at(cluster, "examples")) {
      part.body += fmt::format("<li>{} {}</li>", html::code(html::text_at(example, "at")), escape(html::shorten(html::text_at(example, "text"), kShownRow)));
    }
    part.body += "</ul></details>\n";
  }
  return part;
}

Part quality_part(const Json& facts) {
  Part part{"quality", {"Quality", "质量"}, {"Signals of web text, of at most 1,000 texts of the sample, and how many texts the presets of slipway data clean would keep. They are made for pages: short rows are not bad rows.", "网页文本的质量信号（至多 1,000 条样本），以及 slipway data clean 各预设会保留的数量。这些规则面向网页：短文本不等于差文本。"}, ""};
  const double texts = html::number_at(facts, "quality.texts");
  if (!(texts > 0)) {
    return part;
  }
  std::vector<charts::Bar> bars;
  for (const Json& one : list_at(facts, "quality.presets")) {
    bars.push_back({html::text_at(one, "preset"), html::number_at(one, "kept") / texts, "", ""});
  }
  part.body = both_charts([&](bool zh) { return charts::bars(zh ? "保留的比例" : "Share kept", bars, [](double share) { return html::percent(share); }); });
  std::vector<std::string> rows;
  for (const Json& one : list_at(facts, "quality.signals")) {
    rows.push_back("<tr><th scope=\"row\">" + escape(html::text_at(one, "signal")) + "</th>" + cell(html::number_at(one, "p5")) + cell(html::number_at(one, "p50")) + cell(html::number_at(one, "p95")) + "</tr>\n");
  }
  part.body += table({"Signals", "信号"}, {{"signal", "信号"}, {"5 %", "5 %"}, {"median", "中位数"}, {"95 %", "95 %"}}, rows);
  return part;
}

Part personal_part(const Json& facts) {
  Part part{"personal", {"Personal data", "个人信息"}, {"Rows with each type, by the recognisers of slipway data pii.", "各类型的行数，由 slipway data pii 的识别器给出。"}, ""};
  std::vector<std::string> rows;
  for (const Json& one : list_at(facts, "texts.personal_data.types")) {
    rows.push_back("<tr><th scope=\"row\">" + escape(html::text_at(one, "type")) + "</th>" + cell(html::code(html::text_at(one, "first"))) + cell(escape(html::count(html::number_at(one, "rows")))) + "</tr>\n");
  }
  if (!rows.empty()) {
    part.body = table({"Types", "类型"}, {{"type", "类型"}, {"first row", "首次出现"}, {"rows", "行数"}}, rows, 2);
  }
  return part;
}

Part tests_part(const Json& facts) {
  Part part{"tests", {"All tests", "全部检验"}, {"What was tested, with the value from which it is an alarm. The level of each is alpha by the number of tests.", "所做的检验及其报警阈值。每个检验的水平为 alpha 除以检验数。"}, ""};
  std::vector<std::string> rows;
  for (const Json& one : list_at(facts, "comparison.tests")) {
    if (rows.size() < kMaxTests) {
      rows.push_back("<tr><th scope=\"row\">" + escape(html::shorten(html::text_at(one, "column"), 60)) + "</th>" + cell(escape(html::text_at(one, "measure"))) + cell(escape(html::text_at(one, "test"))) +
                     cell(html::number_at(one, "value")) + (html::number_at(one, "threshold") > 0 ? cell(html::number_at(one, "threshold")) : cell(std::string("–"))) +
                     cell(escape(html::number(html::number_at(one, "p"), 2))) + cell(html::text_at(one, "alarm") == "yes" ? both({"alarm", "报警"}) : "–") + "</tr>\n");
    }
  }
  if (!rows.empty()) {
    part.body = "<details><summary>" + both({"Show", "显示"}) + "</summary>" +
                table({"Tests", "检验"}, {{"column", "列"}, {"measure", "度量"}, {"test", "检验"}, {"value", "值"}, {"threshold", "阈值"}, {"p", "p"}, {"", ""}}, rows, 3) + "</details>";
  }
  return part;
}

}  // namespace slipway::govern::dataset_page
