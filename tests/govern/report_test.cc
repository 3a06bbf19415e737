#include "govern/report.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "govern/html.h"
#include "support/support.h"

namespace slipway::govern {
namespace {

using base::Json;

const Json& facts() {
  static const auto path = tests::source_dir() / "tests/govern/facts.json";
  static const Json json = base::parse_json(base::read_file(path), path.string());
  return json;
}

// Every tag that opens closes in order; returns what is wrong, or "".
std::string unbalanced(const std::string& page) {
  static const std::set<std::string> kVoid = {"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (size_t i = page.find('<'); i != std::string::npos; i = page.find('<', i + 1)) {
    const size_t end = page.find('>', i);
    if (end == std::string::npos) {
      return "a tag does not end";
    }
    const bool closing = page[i + 1] == '/';
    const size_t name_begin = i + (closing ? 2 : 1);
    const std::string name = page.substr(name_begin, page.find_first_of(" />\n", name_begin) - name_begin);
    if (closing) {
      if (open.empty() || open.back() != name) {
        return fmt::format("</{}> closes <{}> at {}", name, open.empty() ? "nothing" : open.back(), page.substr(i, 80));
      }
      open.pop_back();
    } else if (page[end - 1] != '/' && !kVoid.contains(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Report, ShowsEverySectionOfFullFacts) {
  const std::string page = render_report(facts());
  EXPECT_EQ(unbalanced(page), "");
  EXPECT_EQ(occurrences(page, "Not measured"), 0U);
  EXPECT_EQ(occurrences(page, "<section "), 13U);
  for (const char* text :
       {"All 3 gates passed", "87.4%", "near duplicate", "Training loss", "Confusion", "Calibration",
        "Against the champion", "Shift of the probability", "Accuracy lost", "MMD on embeddings", "3 of 9 windows",
        "comprehensiveness", "slipway run examples/sentiment/slipway.yaml", "n 3,840"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text;
  }
  EXPECT_LT(page.size(), 300'000U);
}

TEST(Report, FetchesNothing) {
  const std::string page = render_report(facts());
  for (const char* text : {"src=", "@import", "<script", "<link", "<img", "<iframe"}) {
    EXPECT_EQ(page.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(occurrences(page, "url("), occurrences(page, "url(#arrow)"));
  EXPECT_EQ(occurrences(page, "href="), occurrences(page, "href=\"#"));
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Report, EmptyFactsSayNotMeasured) {
  const std::string page = render_report(Json::object());
  EXPECT_EQ(unbalanced(page), "");
  EXPECT_GE(occurrences(page, "Not measured"), 13U);
  EXPECT_NE(page.find("No gates were set"), std::string::npos);
  EXPECT_THROW(render_report(Json::array()), base::Error);
}

TEST(Report, AFailedGateIsTheVerdict) {
  Json json = facts();
  json["gates"][1]["passed"] = false;
  EXPECT_NE(render_report(json).find("1 of 3 gates failed"), std::string::npos);
}

// Puts `evil` where each text, key and number was.
Json poisoned(const Json& json, const std::string& evil) {
  if (json.is_object()) {
    Json out = Json::object();
    for (const auto& item : json.items()) {
      out[item.key()] = poisoned(item.value(), evil);
    }
    out[evil] = evil;
    return out;
  }
  if (json.is_array()) {
    Json out = Json::array();
    for (const Json& item : json) {
      out.push_back(poisoned(item, evil));
    }
    return out;
  }
  return json.is_string() ? Json(evil) : json;
}

TEST(Report, NoTextCanBecomeMarkup) {
  for (const std::string evil : {"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='alert(1)",
                                 "</style><script>x</script>", "javascript:alert(1)", "\xff\xfe<b>\x01"}) {
    const std::string page = render_report(poisoned(facts(), evil));
    EXPECT_EQ(unbalanced(page), "") << evil;
    EXPECT_EQ(page.find("<script"), std::string::npos) << evil;
    EXPECT_EQ(page.find("<img"), std::string::npos) << evil;
    EXPECT_EQ(page.find("<b>\x01"), std::string::npos);
    EXPECT_EQ(page.find("\" onload"), std::string::npos);
    EXPECT_EQ(page.find("' onload='"), std::string::npos);
  }
}

// Replaces every value, one after the other, by something of another type.
TEST(Report, NoShapeOfFactsBreaksIt) {
  const Json whole = facts().flatten();
  const std::vector<Json> odd = {nullptr, -1e308, 1e308, "text", Json::array(), Json::object(), true};
  size_t turn = 0;
  std::set<std::string> seen;
  for (const auto& item : whole.items()) {
    // One of each kind of place: /evaluation/confusion/0/1 and /evaluation/confusion/1/0 are the same kind.
    std::string kind;
    for (const char c : item.key()) {
      kind += std::isdigit(static_cast<unsigned char>(c)) != 0 ? '0' : c;
    }
    if (!seen.insert(kind).second) {
      continue;
    }
    Json changed = facts();
    changed[Json::json_pointer(item.key())] = odd[turn++ % odd.size()];
    EXPECT_EQ(unbalanced(render_report(changed)), "") << item.key();
  }
  for (const auto& item : facts().items()) {
    for (const Json& value : odd) {
      Json changed = facts();
      changed[item.key()] = value;
      EXPECT_EQ(unbalanced(render_report(changed)), "") << item.key();
    }
  }
}

TEST(Report, LongListsAreCut) {
  Json json = facts();
  for (int i = 0; i < 5000; ++i) {
    json["data"]["drops"]["reason " + std::to_string(i)] = i;
    json["lineage"]["edges"].push_back({{"from", "file:" + std::to_string(i)}, {"to", "dataset:x"}, {"kind", "used"}});
    json["train"]["curve"].push_back({{"step", 1000 + i}, {"loss", 0.2}});
    json["explanations"].push_back(json["explanations"][0]);
    json["drift"]["windows"].push_back(json["drift"]["windows"][0]);
  }
  const std::string page = render_report(json);
  EXPECT_LT(page.size(), 600'000U);
  EXPECT_NE(page.find("more are not shown"), std::string::npos);
}

TEST(Report, TakesADatasetManifestAsItIs) {
  Json json = Json::parse(
      R"({"data": {"rows": 30, "merkle_root": "ab", "splits": {"train": {"rows": 20, "labels": {"no": 9, "yes": 11}}},
    "sources": [{"id": "s", "licence": "MIT", "options": {"type": "tsv"}, "files": [{"path": "a.tsv", "sha256": "cd", "rows": 40}]}],
    "statistics": {"words": {"mean": 8.5, "p50": 8, "p95": 20, "max": 31}},
    "history": {"collect": {"documents": 40, "dropped": {"neutral": 3}}, "clean": {"documents": 40, "kept": 35, "dropped": {"too short": 5}},
                "deduplicate": {"documents": 35, "kept": 30, "exact": 4, "near": 1}}}})");
  const std::string page = render_report(json);
  for (const char* text :
       {"collected", "too short", "near duplicate", "Label balance, train", "a.tsv", "MIT", "median 8", "tsv"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text;
  }
}

TEST(Report, TakesExplanationsWithOffsets) {
  Json json =
      Json::parse(R"({"explanations": [{"text": "好电影！真好", "method": "shap", "label": "正面", "prediction": 0.9,
    "tokens": [{"begin": 0, "end": 1, "word": "好", "value": 0.4}, {"begin": 4, "end": 6, "word": "真好", "value": -0.1}]}]})");
  const std::string page = render_report(json);
  EXPECT_NE(page.find(">好</span>电影！<span"), std::string::npos);
  EXPECT_NE(page.find("正面 90.0%"), std::string::npos);
}

TEST(Html, EscapesAndMendsText) {
  EXPECT_EQ(html::escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(html::escape("\xff\xc3\x28\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(html::escape("é中😀\n"), "é中😀\n");
  EXPECT_EQ(html::shorten("中文字符", 2), "中文…");
  EXPECT_EQ(html::shorten("ab", 2), "ab");
}

TEST(Html, NumbersAreForPeople) {
  EXPECT_EQ(html::count(1234567), "1,234,567");
  EXPECT_EQ(html::count(-999), "−999");
  EXPECT_EQ(html::percent(0.8742), "87.4%");
  EXPECT_EQ(html::bytes(24061800), "24.1 MB");
  EXPECT_EQ(html::seconds(143.2), "2 min 23 s");
  EXPECT_EQ(html::signed_fixed(-0.5, 2), "−0.50");
  EXPECT_EQ(html::fixed(std::numeric_limits<double>::quiet_NaN(), 2), "–");
}

TEST(Report, ARunThatUsesWhatItMadeDoesNotStretchTheLineage) {
  Json json = facts();
  json["lineage"]["edges"] = {{{"from", "file:a"}, {"to", "run:r"}, {"kind", "used"}},
                              {{"from", "run:r"}, {"to", "artifact:m"}, {"kind", "produced"}},
                              {{"from", "artifact:m"}, {"to", "run:r"}, {"kind", "used"}},
                              {{"from", "artifact:m"}, {"to", "model:x/1"}, {"kind", "version_of"}}};
  EXPECT_NE(render_report(json).find("viewBox=\"0 0 666 54\""), std::string::npos);  // four columns, one row
}

}  // namespace
}  // namespace slipway::govern
