#include "text/json_schema.h"

#include <gtest/gtest.h>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "text/grammar_automaton.h"

namespace slipway::text {
namespace {

GrammarText compile(const std::string& schema) {
  return GrammarText(std::make_shared<GrammarAutomaton>(grammar_from_json_schema(schema, "test")));
}

bool matches(const GrammarText& start, std::string_view text) {
  GrammarText copy = start;
  return copy.accept(text) && copy.can_end();
}

std::string error_of(const std::string& schema) {
  try {
    compile(schema);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
  return "";
}

struct Case {
  const char* schema;
  std::vector<const char*> good;
  std::vector<const char*> bad;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a","b"]})",
       {R"({"a":1,"b":"x"})", R"({ "a": 1, "b": "x" })", "{\n  \"a\": -7,\n  \"b\": \"\"\n}"},
       {R"({"a":1})", R"({"b":"x","a":1})", R"({"a":1.5,"b":"x"})", R"({"a":1,"b":"x","c":2})", "{}",
        R"({"a":01,"b":""})"}},
      {R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"boolean"},"c":{"const":3}},"required":["b"]})",
       {R"({"b":true})", R"({"a":null,"b":false})", R"({"b":true,"c":3})", R"({"a":null,"b":true,"c":3})"},
       {"{}", R"({"a":null})", R"({"a":null,"c":3})", R"({,"b":true})", R"({"b":true,})", R"({"b":1})"}},
      {R"({"properties":{"a":{"type":"integer"},"b":{"type":"integer"}}})",
       {"{}", R"({"a":1})", R"({"b":2})", R"({"a":1,"b":2})"},
       {R"({"a":1,})", R"({"b":2,"a":1})", "[]"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string"}})",
       {"{}", R"({"a":1})", R"({"a":1,"b":"x","ab":"y"})", R"({"":"x"})", R"({"b":"x"})"},
       {R"({"a":"x"})", R"({"b":1})", R"({"b":"x","a":"y"})", R"({"\u0061":"x"})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"},"minProperties":1,"maxProperties":2})",
       {R"({"x":1})", R"({"x":1,"y":2})"},
       {"{}", R"({"x":1,"y":2,"z":3})"}},
      {R"({"type":"object","required":["id"]})", {R"({"id":[1,{}]})", R"({"id":1,"more":2})"}, {"{}", R"({"idd":1})"}},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
       {"[1]", "[1, 2]", "[1,2,3]", "[\n  1,\n  2\n]"},
       {"[]", "[1,2,3,4]", "[1,]", "[\"a\"]"}},
      {R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":{"type":"boolean"}})",
       {"[]", R"(["a"])", R"(["a",1])", R"(["a",1,true,false])"},
       {"[1]", R"(["a",true])", R"(["a",1,2])"}},
      {R"({"type":"array","items":[{"type":"string"}],"additionalItems":false,"minItems":1})",
       {R"(["a"])"},
       {"[]", R"(["a",1])"}},
      {R"({"enum":["red","gr\u00fcn",3,null,[1,{"a":2}]]})",
       {R"("red")", "\"gr\xC3\xBCn\"", "3", "null", R"([1,{"a":2}])"},
       {R"("blue")", "4", "[1]"}},
      {R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"}},
      {R"({"type":["string","null"],"maxLength":2})",
       {"null", R"("")", R"("ab")", R"("\n\"")", "\"\xC3\xA9\xF0\x9F\x98\x80\"", R"("\ud83d\ude00x")"},
       {R"("abc")", "1", R"("\ud83d")", R"("\ude00\ud83d")"}},
      {R"({"type":"string","minLength":2,"maxLength":200})", {R"("ab")"}, {R"("a")", R"("")"}},
      {R"({"type":"string","pattern":"^[A-Z]{2}-\\d+$"})", {R"("AB-12")"}, {R"("AB-")", R"("xAB-1")", R"("AB-1 ")"}},
      {R"({"type":"string","pattern":"b"})", {R"("b")", R"("abc")", R"("\nb")"}, {R"("ac")", R"("")"}},
      {R"({"type":"string","pattern":"^a|b$"})", {R"("ax")", R"("xb")"}, {R"("xa")", R"("bx")"}},
      {R"({"type":"string","pattern":"^[\"\\\\\n]+$"})", {R"("\"\\\n")"}, {R"("a")", R"(""")"}},
      {R"({"type":"string","pattern":"^[a-z]+$","minLength":2,"maxLength":4})",
       {R"("ab")", R"("abcd")"},
       {R"("a")", R"("abcde")", R"("AB")"}},
      {R"({"type":"integer","minimum":-3,"maximum":12})",
       {"-3", "-1", "0", "9", "10", "12"},
       {"-4", "13", "100", "-0", "00", "1.0"}},
      {R"({"type":"integer","exclusiveMinimum":99,"exclusiveMaximum":1001})",
       {"100", "999", "1000"},
       {"99", "1001", "10000", "0100"}},
      {R"({"type":"integer","minimum":1.5})", {"2", "123456789012345678"}, {"1", "-2"}},
      {R"({"type":"number","minimum":0,"maximum":1})",
       {"0", "1", "0.5", "0.0", "1.0", "1.000"},
       {"-0.5", "1.01", "2", "1e0", ".5", "01"}},
      {R"({"type":"number","exclusiveMinimum":0})", {"0.001", "1", "17.5"}, {"0", "0.0", "-1"}},
      {R"({"type":"number","minimum":-2,"exclusiveMaximum":-1})",
       {"-2", "-2.0", "-1.5", "-1.001"},
       {"-1", "-2.1", "-0.5", "1"}},
      {R"({"type":"number"})", {"0", "-1.5e10", "3E-7", "12.25"}, {"+1", "1.", "1e", "00", "1e100"}},
      {R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]})", {"7", R"("a")"}, {R"("ab")", "true"}},
      {R"({"oneOf":[{"type":"object","properties":{"t":{"const":"a"},"x":{"type":"integer"}},"required":["t","x"]},
                    {"type":"object","properties":{"t":{"const":"b"}},"required":["t"]}]})",
       {R"({"t":"a","x":1})", R"({"t":"b"})"},
       {R"({"t":"a"})", R"({"t":"b","x":1})"}},
      {R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},
                    {"properties":{"b":{"type":"integer"},"a":{"minimum":5}},"required":["b"]}]})",
       {R"({"a":5,"b":1})"},
       {R"({"a":4,"b":1})", R"({"a":5})"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]})",
       {R"({"a":1})", R"({"b":1})", R"({"a":1,"b":2})"},
       {"{}"}},
      {R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},
           "next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"]}}})",
       {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"},
       {R"({"v":1})", R"({"v":1,"next":{"v":2}})"}},
      {R"({"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}},"required":["kids"]})",
       {R"({"kids":[]})", R"({"kids":[{"kids":[]},{"kids":[{"kids":[]}]}]})"},
       {R"({"kids":[1]})"}},
      {R"({"properties":{"p":{"description":"d","allOf":[{"$ref":"#/definitions/e"}]}},"required":["p"],"definitions":{"e":{"enum":["x"]}}})",
       {R"({"p":"x"})"},
       {R"({"p":"y"})"}},
      {R"({"properties":{"p":{"$ref":"#/$defs/s","maxLength":1}},"required":["p"],"$defs":{"s":{"type":"string"}}})",
       {R"({"p":"x"})"},
       {R"({"p":"xy"})"}},
      {R"({"type":"string","format":"date"})",
       {R"("2024-02-28")", R"("1999-12-31")"},
       {R"("2024-02-30")", R"("2024-13-01")"}},
      {R"({"type":"string","format":"date-time"})", {R"("2024-05-06T07:08:09Z")"}, {R"("2024-05-06 07:08:09Z")"}},
      {R"({"type":"string","format":"uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"}, {R"("123e4567")"}},
      {R"({"type":"string","format":"ipv4"})", {R"("255.1.0.19")"}, {R"("256.1.0.1")", R"("1.2.3")"}},
      {R"({"type":"string","format":"email"})", {R"("a.b@example.org")"}, {R"("a@b")", R"("@example.org")"}},
      {R"({"type":"string","format":"duration"})", {R"("P1DT2H")", R"("PT3M4S")", R"("P2W")"}, {R"("P")", R"("P1DT")"}},
      {R"({"type":"string","format":"uri"})", {R"("https://example.org/a?b=c#d")"}, {R"("example.org")"}},
      {R"({"type":"integer","multipleOf":5})",
       {"0", "5", "-10", "12345", "1000"},
       {"1", "12", "-3", "05", "-0", "5.0"}},
      {R"({"type":"integer","multipleOf":7,"minimum":-10,"maximum":30})",
       {"-7", "0", "7", "28"},
       {"-14", "35", "8", "-0", "07"}},
      {R"({"type":"integer","multipleOf":250,"minimum":300})", {"500", "1250", "123000"}, {"0", "250", "300", "1240"}},
      {R"({"type":"number","multipleOf":0.01,"minimum":0})",
       {"0", "1.5", "19.99", "100"},
       {"-1", "0.001", "1.", "1e2", "00.5"}},
      {R"({"type":"array","uniqueItems":true,"items":{"enum":["a","b",3]},"minItems":1})",
       {"[3]", R"(["a","b"])", R"(["b", 3, "a"])"},
       {"[]", R"(["a","a"])", R"(["a","b","a"])", R"(["c"])"}},
      {R"({"type":"array","uniqueItems":true,"items":{"type":"string"},"maxItems":1})", {"[]", R"(["a"])"}, {R"(["a","b"])"}},
      {R"({"type":["string","null","integer"],"not":{"type":"string"}})", {"null", "3"}, {R"("a")"}},
      {R"({"type":["string","null"],"not":{"enum":["no","none",null]},"maxLength":4})",
       {R"("yes")", R"("nono")", R"("n")", R"("")"},
       {R"("no")", R"("none")", "null", R"("longer")"}},
      {R"({"enum":["a","b",3],"not":{"anyOf":[{"const":"a"},{"const":3}]}})", {R"("b")"}, {R"("a")", "3"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"}},"not":{"required":["b"]},"additionalProperties":true})",
       {"{}", R"({"a":1})", R"({"c":1})"},
       {R"({"b":1})", R"({"a":1,"b":2})"}},
      {R"({"type":"object","properties":{"kind":{"enum":["dog","cat","fish"]}},"required":["kind"],
           "if":{"properties":{"kind":{"const":"dog"}}},
           "then":{"properties":{"barks":{"type":"boolean"}},"required":["barks"]},
           "else":{"properties":{"fins":{"type":"integer"}}}})",
       {R"({"kind":"dog","barks":true})", R"({"kind":"fish","fins":3})", R"({"kind":"cat"})"},
       {R"({"kind":"dog"})", R"({"kind":"dog","fins":3})", R"({"kind":"cat","barks":true})", "{}"}},
      {R"({"type":"object","properties":{"id":{"type":"integer"},"x-n":{}},"required":["id"],"patternProperties":{"^x-":{"type":"string"}}})",
       {R"({"id":1})", R"({"id":1,"x-a":"b"})", R"({"id":1,"x-n":"y","x-":"","x-b":"z"})"},
       {R"({"id":1,"y":"b"})", R"({"id":1,"x-a":3})", R"({"id":1,"x-n":3})", R"({"id":1,"a-x-":"b"})"}},
      {R"({"type":"object","patternProperties":{"^a$":{"type":"null"},"^b":{"type":"null"}},"minProperties":1})",
       {R"({"a":null})", R"({"bc":null,"a":null})"},
       {"{}", R"({"ab":null})", R"({"a":1})"}},
      {R"({"nullable":true,"type":"integer"})", {"null", "1"}, {"\"\""}},
      {"true", {"1", "{}", R"([null,"a",{"b":[true,1.5]}])"}, {"", "nul", "[1,]"}},
      {R"({"title":"anything","x-order":3})", {"1", "{}"}, {""}},
  };
  return all;
}

TEST(JsonSchema, AcceptsWhatItMeansAndNothingElse) {
  for (const Case& c : cases()) {
    const GrammarText start = compile(c.schema);
    for (const char* text : c.good) {
      EXPECT_TRUE(matches(start, text)) << c.schema << "\n  takes  " << text;
      for (size_t n = 0; n < std::string_view(text).size(); ++n) {
        GrammarText copy = start;
        EXPECT_TRUE(copy.accept(std::string_view(text).substr(0, n))) << c.schema << "\n  prefix of " << text;
      }
    }
    for (const char* text : c.bad) {
      EXPECT_FALSE(matches(start, text)) << c.schema << "\n  must not take  " << text;
    }
  }
}

TEST(JsonSchema, NamesTheKeywordAndPlaceOfWhatItCannot) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"type":"object","properties":{"a":{"contains":{}}}})", "#/properties/a/contains: the keyword is not supported"},
      {R"({"not":{"minLength":3}})", "#/not: is understood of a type"},
      {R"({"type":"integer","not":{"const":3}})", "#/not"},
      {R"({"type":"number","not":{"type":"integer"}})", "#/not"},
      {R"({"type":"string","not":{}})", "no text at all"},
      {R"({"if":{"minProperties":3}})", "#/if"},
      {R"({"if":{"properties":{"a":{"const":1},"b":{"const":1}}}})", "#/if"},
      {R"({"type":"array","uniqueItems":true})", "#/uniqueItems"},
      {R"({"type":"array","uniqueItems":1})", "#/uniqueItems"},
      {R"({"type":"array","uniqueItems":true,"items":{"enum":[1,2,3,4,5,6,7,8,9]}})", "#/uniqueItems"},
      {R"({"type":"integer","multipleOf":3})", "#/multipleOf"},
      {R"({"type":"integer","multipleOf":0})", "#/multipleOf"},
      {R"({"type":"integer","multipleOf":0.5})", "#/multipleOf"},
      {R"({"type":"number","multipleOf":0.25})", "#/multipleOf"},
      {R"({"patternProperties":{}})", "#/patternProperties"},
      {R"({"patternProperties":{"a":{},"b":false}})", "#/patternProperties"},
      {R"x({"patternProperties":{"a(?=b)":{}}})x", "#/patternProperties"},
      {R"({"allOf":[{"patternProperties":{"a":{}}},{"properties":{"b":{}}}]})", "#/patternProperties"},
      {R"({"tpye":"string"})", "#/tpye: the keyword is unknown"},
      {R"({"type":"text"})", "#/type"},
      {R"({"$ref":"https://example.org/x"})", "#/$ref"},
      {R"({"$ref":"#/$defs/none"})", "points at nothing"},
      {R"({"$ref":"#"})", "no text at all"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "#/oneOf: branches 0 and 1"},
      {R"({"type":"string","format":"color"})", "#/format"},
      {R"x({"type":"string","pattern":"a(?=b)"})x", "#/pattern"},
      {R"({"type":"string","minLength":-1})", "#/minLength"},
      {R"({"type":"string","minLength":3,"maxLength":2})", "no text at all"},
      {R"({"type":"number","minimum":0.5})", "#/minimum"},
      {R"({"allOf":[{"pattern":"a"},{"pattern":"b"}]})", "#/pattern"},
      {R"({"properties":{"a":{}},"additionalProperties":false,"required":["b"]})", "#/required"},
      {R"({"allOf":[{"properties":{"a":{}},"additionalProperties":false},{"properties":{"b":{}}}]})",
       "#/additionalProperties"},
      {R"({"enum":[]})", "#/enum"},
      {R"({"anyOf":[]})", "#/anyOf"},
      {R"({"items":3})", "#/items"},
      {"false", "no text at all"},
      {"3", "must be an object or a boolean"},
      {"{", "test"},
  };
  for (const auto& [schema, part] : wrong) {
    EXPECT_NE(error_of(schema).find(part), std::string::npos) << schema << " gave: " << error_of(schema);
  }
}

TEST(JsonSchema, MultiplesWithinBoundsAreExact) {
  base::Rng rng(10);
  for (int round = 0; round < 25; ++round) {
    const int64_t of = std::vector<int64_t>{1, 2, 3, 5, 8, 12, 50, 125, 1000}[rng.below(9)];
    const int64_t low = static_cast<int64_t>(rng.below(1500)) - 700;
    const int64_t high = low + static_cast<int64_t>(rng.below(1200));
    const bool open = rng.below(2) == 0 && 1000 % of == 0;
    base::Json schema = {{"type", "integer"}, {"minimum", low}, {"multipleOf", of}};
    if (!open) {
      schema["maximum"] = high;
    }
    std::vector<int64_t> fits;
    for (int64_t n = low; n <= high; ++n) {
      if (n % of == 0) {
        fits.push_back(n);
      }
    }
    if (fits.empty()) {
      continue;
    }
    const GrammarText start = compile(base::dump_json(schema));
    for (int64_t n = -800; n <= 2100; ++n) {
      ASSERT_EQ(matches(start, std::to_string(n)), n % of == 0 && n >= low && (open || n <= high))
          << n << " of " << base::dump_json(schema);
    }
  }
}

TEST(JsonSchema, BoundsOfIntegersAreExact) {
  base::Rng rng(9);
  const int64_t edges[] = {-1000, -101, -100, -99, -10, -9, -1, 0, 1, 9, 10, 11, 99, 100, 101, 109, 999, 1000};
  for (int round = 0; round < 150; ++round) {
    int64_t low = edges[rng.below(18)];
    int64_t high = edges[rng.below(18)] + static_cast<int64_t>(rng.below(30));
    if (low > high) {
      std::swap(low, high);
    }
    const GrammarText start = compile(base::dump_json({{"type", "integer"}, {"minimum", low}, {"maximum", high}}));
    for (int64_t n = -1100; n <= 1100; ++n) {
      ASSERT_EQ(matches(start, std::to_string(n)), n >= low && n <= high) << n << " in " << low << " to " << high;
    }
    EXPECT_FALSE(matches(start, "-0"));
    EXPECT_FALSE(matches(start, "00"));
  }
}

TEST(JsonSchema, LargeSchemasCompileWithinTheirLimits) {
  base::Json schema = {{"type", "object"}, {"properties", base::Json::object()}, {"additionalProperties", false}};
  for (int i = 0; i < 300; ++i) {
    schema["properties"]["field_" + std::to_string(i)] = {{"type", i % 2 == 0 ? "string" : "number"}};
  }
  const GrammarText start = compile(schema.dump());  // all optional
  EXPECT_TRUE(matches(start, R"({"field_3": 1, "field_298": "x"})"));
  EXPECT_FALSE(matches(start, R"({"field_298": "x", "field_3": 1})"));
  std::string deep = R"({"type":"integer"})";
  for (int i = 0; i < 50; ++i) {
    deep = R"({"type":"array","items":)" + deep + R"(,"maxItems":2})";
  }
  EXPECT_TRUE(matches(compile(deep), std::string(50, '[') + "1" + std::string(50, ']')));
  EXPECT_NE(
      error_of(R"({"type":"array","items":{"type":"string","pattern":"^(\\w{1,999}x){900}$"}})").find("too large"),
      std::string::npos);
  EXPECT_NE(error_of(R"({"type":"string","maxLength":100000})").find("#/maxLength"), std::string::npos);
}

}  // namespace
}  // namespace slipway::text
