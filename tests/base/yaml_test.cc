#include "base/yaml.h"

#include "base/error.h"
#include "support/support.h"

namespace slipway::base {
namespace {

std::string failure(std::string_view text, const YamlLimits& limits = {}) {
  try {
    parse_yaml(text, "a.yaml", limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalid);
    return error.what();
  }
  return "";
}

TEST(Yaml, ReadsTheCoreSchema) {
  const Json value = parse_yaml(R"(
epochs: 2
rate: 3.0e-5
small: .5
hex: 0x1f
name: movie-sentiment
quoted: "2"
version: 1.2.3
share: 10%
date: 2026-11-24
nothing: ~
empty:
yes: no
on: true
signed: -7
list: [a, {length: {min: 2}}, 3]
)",
                                "a.yaml")
                         .value;
  EXPECT_EQ(value["epochs"], 2);
  EXPECT_DOUBLE_EQ(value["rate"].get<double>(), 3e-5);
  EXPECT_DOUBLE_EQ(value["small"].get<double>(), 0.5);
  EXPECT_EQ(value["hex"], 31);
  EXPECT_EQ(value["quoted"], "2");
  EXPECT_EQ(value["version"], "1.2.3");
  EXPECT_EQ(value["share"], "10%");
  EXPECT_EQ(value["date"], "2026-11-24");
  EXPECT_TRUE(value["nothing"].is_null());
  EXPECT_TRUE(value["empty"].is_null());
  EXPECT_EQ(value["yes"], "no");  // YAML 1.2: only true and false
  EXPECT_EQ(value["on"], true);
  EXPECT_EQ(value["signed"], -7);
  EXPECT_EQ(value["list"][1]["length"]["min"], 2);
}

TEST(Yaml, KnowsTheLineOfEachValue) {
  const YamlDocument document = parse_yaml("a: 1\nb:\n  - x\n  - {c: 2}\n", "a.yaml");
  EXPECT_EQ(document.where("a.yaml", "/a"), "a.yaml:1");
  EXPECT_EQ(document.where("a.yaml", "/b/1/c"), "a.yaml:4");
  EXPECT_EQ(document.where("a.yaml", "/nowhere"), "a.yaml");
}

TEST(Yaml, SharesAnchoredValues) {
  const Json value = parse_yaml("base: &b {x: 1}\nuse: *b\n", "a.yaml").value;
  EXPECT_EQ(value["use"]["x"], 1);
}

TEST(Yaml, RefusesWhatIsAmbiguousOrBroken) {
  EXPECT_NE(failure("a: 1\na: 2\n").find("a.yaml:2:1: key 'a' is given twice"), std::string::npos);
  EXPECT_NE(failure("a: [1, 2\n").find("a.yaml:"), std::string::npos);
  EXPECT_NE(failure("a: 1\n---\nb: 2\n").find("second document"), std::string::npos);
  EXPECT_NE(failure("? [a]\n: 1\n").find("key must be text"), std::string::npos);
  EXPECT_NE(failure("a: *b\n").find("no anchor"), std::string::npos);
  EXPECT_NE(failure("a: \"\xff\"\n"), "");
}

TEST(Yaml, StopsBombs) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    const char before = static_cast<char>(name - 1);
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) {
      bomb += std::string(i > 0 ? ", *" : "*") + before;
    }
    bomb += "]\n";
  }
  EXPECT_NE(failure(bomb).find("more than 200000 values"), std::string::npos);
  EXPECT_NE(failure(std::string(100000, '[')), "");
  EXPECT_NE(failure("a: 1", {.max_bytes = 2}).find("limit"), std::string::npos);
}

TEST(Yaml, AnEmptyTextIsAnEmptyObject) { EXPECT_EQ(parse_yaml("# nothing\n", "a.yaml").value, Json::object()); }

}  // namespace
}  // namespace slipway::base
