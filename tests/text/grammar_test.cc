#include <cmath>
#include <gtest/gtest.h>
#include <regex>

#include "base/error.h"
#include "base/random.h"
#include "text/grammar_automaton.h"
#include "text/json_schema.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

class Matcher {
 public:
  explicit Matcher(const Grammar& grammar) : start_(std::make_shared<GrammarAutomaton>(grammar)) {}
  bool begins(std::string_view text) const {
    GrammarText copy = start_;
    return copy.accept(text);
  }
  bool matches(std::string_view text) const {
    GrammarText copy = start_;
    return copy.accept(text) && copy.can_end();
  }
  GrammarText start() const { return start_; }

 private:
  GrammarText start_;
};

Matcher gbnf(std::string_view text) { return Matcher(grammar_from_gbnf(text, "test")); }
Matcher regex(std::string_view text) { return Matcher(grammar_from_regex(text, "test")); }

template <class Make>
std::string error_of(const Make& make) {
  try {
    make();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
  return "";
}

TEST(Gbnf, HasTheNotationOfLlamaCpp) {
  const Matcher m = gbnf(R"x(# arithmetic
root  ::= (expr "=" ws term "\n")+
expr  ::= term ([-+*/] term)*   # as in llama.cpp's README
term  ::= ident | num
        | "(" ws expr ")" ws
ident ::= [a-z] [a-z0-9_]* ws
num   ::= [0-9]{1,3} ws
ws    ::= [ \t\n]*
)x");
  EXPECT_TRUE(m.matches("a+1=2\n"));
  EXPECT_TRUE(m.matches("((a1*(b))) =  123\nx=y\n"));
  EXPECT_FALSE(m.matches("a+1=2"));
  EXPECT_TRUE(m.begins("a+1=2"));
  EXPECT_FALSE(m.begins("1234"));
  EXPECT_FALSE(m.begins("a++"));
}

TEST(Gbnf, CountsAndClassesAndEscapes) {
  EXPECT_TRUE(gbnf(R"(root ::= "a"{2}"b"{1,}"c"{,2})").matches("aab"));
  EXPECT_TRUE(gbnf(R"(root ::= "a"{2}"b"{1,}"c"{,2})").matches("aabbbcc"));
  EXPECT_FALSE(gbnf(R"(root ::= "a"{2}"b"{1,}"c"{,2})").begins("aabccc"));
  EXPECT_TRUE(gbnf(R"(root ::= [^"\\\n]+ "\x41\u00e9\U0001F600")").matches("x\xC3\xA9yA\xC3\xA9\xF0\x9F\x98\x80"));
  EXPECT_FALSE(gbnf(R"(root ::= [^a-z])").begins("q"));
  EXPECT_TRUE(gbnf("root ::= .").matches("\xE4\xBD\xA0"));
  EXPECT_FALSE(gbnf("root ::= .").begins("\xFF"));
  EXPECT_TRUE(gbnf("root ::= \"\" | \"a\"").matches(""));
}

TEST(Gbnf, RecursionNestsAsDeepAsTheText) {
  const Matcher m = gbnf(R"x(root ::= "(" root ")" | "[" root "]" | "")x");
  const std::string open(2000, '(');
  EXPECT_TRUE(m.matches(open + "[]" + std::string(2000, ')')));
  EXPECT_FALSE(m.begins(open + "[]" + std::string(2001, ')')));
  EXPECT_FALSE(m.begins("([)"));
}

TEST(Gbnf, SaysWhatIsWrongAndWhere) {
  const auto message = [](std::string_view text) { return error_of([&] { gbnf(text); }); };
  EXPECT_NE(message("a ::= \"x\"").find("no rule 'root'"), std::string::npos);
  EXPECT_NE(message("root ::= b").find("'b' is used and not defined"), std::string::npos);
  EXPECT_NE(message("root ::= \"a\n").find("line 2"), std::string::npos);
  EXPECT_NE(message("root ::= (\"a\"").find("expected ')'"), std::string::npos);
  EXPECT_NE(message("root ::= root \"a\" | \"b\"").find("left recursion"), std::string::npos);
  EXPECT_NE(message("root ::= x root \"a\" | \"b\"\nx ::= \"c\"?").find("left recursion"), std::string::npos);
  EXPECT_NE(message("root ::= \"a\" root").find("no text at all"), std::string::npos);
  EXPECT_NE(message("root ::= [z-a]").find("range"), std::string::npos);
  EXPECT_NE(message("root ::= \"a\"{3,2}").find("fewer"), std::string::npos);
  EXPECT_NE(message("root ::= \"a\"\nroot ::= \"b\"").find("defined twice"), std::string::npos);
  EXPECT_NE(message("root ::= <think>").find("tokens"), std::string::npos);
  EXPECT_NE(message("root ::= ((\"a\"{1000}){1000}){1000}").find("too large"), std::string::npos);
  EXPECT_NE(message("root ::= " + std::string(200, '(') + "\"a\"" + std::string(200, ')')).find("nested"),
            std::string::npos);
}

TEST(Gbnf, AmbiguousGrammarsAreHeldToTheirPlaces) {
  // Catalan many ways to read the same text; the places stay few, or it is said that they do not.
  const Matcher m = gbnf("root ::= \"a\" | \"a\" root root");
  std::string text;
  GrammarText walk = m.start();
  EXPECT_NE(error_of([&] {
              for (int i = 0; i < 100'000; ++i) {
                ASSERT_TRUE(walk.accept("a"));
              }
            }),
            "");
}

// Against the standard library's matcher, on all short texts over a few letters.
TEST(RegexGrammar, MatchesWhatStdRegexMatches) {
  const char* const patterns[] = {"a*b",          "(a|b)*c", "a{2,3}b?",      "[a-b]+c",       "[^a]b",
                                  "(ab|a)(c|bc)", "a+?b",    "(?:a|bc){0,2}", "^a[bc]$|^b+$",  "((a)|(b))+",
                                  "\\w{2}",       "a|",      "(a*)*b",        "a(b(c|a)*c)?b", "[abc]{3}"};
  for (const char* pattern : patterns) {
    const Matcher ours = regex(pattern);
    const std::regex theirs(pattern);
    for (int n = 0; n < 1 + 3 + 9 + 27 + 81 + 243; ++n) {
      std::string text;
      for (int rest = n; rest > 0; rest = (rest - 1) / 3) {
        text += static_cast<char>('a' + (rest - 1) % 3);
      }
      EXPECT_EQ(ours.matches(text), std::regex_match(text, theirs)) << pattern << " on '" << text << "'";
    }
  }
}

TEST(RegexGrammar, ClassesAreAsciiOrUnicodeAsAsked) {
  EXPECT_TRUE(regex("\\d+").matches("42"));
  EXPECT_FALSE(regex("\\d+").begins("\xD9\xA1"));  // an Arabic digit
  EXPECT_FALSE(regex("\\D").begins("\xD9\xA1"));   // nor is it no digit
  EXPECT_TRUE(regex("\\p{L}+").matches("\xC3\xA9\xE4\xBD\xA0"));
  EXPECT_TRUE(regex("(?i:stra\xC3\x9F"
                    "e)")
                  .matches("STRA\xC3\x9F"
                           "E"));
  EXPECT_TRUE(regex("[\\s.]").matches(" "));
  EXPECT_FALSE(regex(".").begins("\n"));
}

TEST(RegexGrammar, RefusesWhatIsNoRegularLanguageOrNotKnown) {
  for (const char* pattern : {"a(?=b)", "(?<!a)b", "\\bword", "a++", "(?>a)", "(a^b)", "(a", "a\\1", "(?P<x>a)"}) {
    EXPECT_NE(error_of([&] { regex(pattern); }), "") << pattern;
  }
}

TEST(Choices, AreTheWholeText) {
  const std::vector<std::string> words = {"yes", "no", "not sure"};
  const Matcher m(grammar_from_choices(words, "test"));
  EXPECT_TRUE(m.matches("no"));
  EXPECT_TRUE(m.matches("not sure"));
  EXPECT_FALSE(m.matches("not"));
  EXPECT_FALSE(m.begins("nothing"));
  GrammarText text = m.start();
  EXPECT_TRUE(text.accept("no"));
  EXPECT_TRUE(text.can_end());
  EXPECT_FALSE(text.must_end());
  EXPECT_TRUE(text.accept("t sure"));
  EXPECT_TRUE(text.must_end());
  EXPECT_NE(error_of([] { grammar_from_choices({}, "test"); }), "");
}

TEST(CharacterRanges, AreTheirUtf8) {
  base::Rng rng(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<CodeRange> ranges;
    for (uint64_t n = 1 + rng.below(3); n > 0; --n) {
      const auto scale = static_cast<char32_t>(1) << (7 + rng.below(15));
      const auto first = static_cast<char32_t>(rng.below(std::min<uint64_t>(scale, 0x110000)));
      ranges.push_back({first, std::min<char32_t>(first + static_cast<char32_t>(rng.below(scale)), 0x10FFFF)});
    }
    Grammar grammar;
    const Grammar::Rule root = grammar.add_rule("root");
    grammar.define(root, grammar.sequence({grammar.chars(ranges), grammar.literal("!")}));
    const Matcher m(grammar);
    for (int i = 0; i < 200; ++i) {
      char32_t c = static_cast<char32_t>(rng.below(0x110000));
      if (i % 2 == 0) {  // near a border
        const CodeRange& range = ranges[rng.below(ranges.size())];
        c = (rng.below(2) == 0 ? range.first : range.last) + static_cast<char32_t>(rng.below(3)) - 1;
      }
      if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        continue;
      }
      std::string text;
      append_utf8(c, text);
      EXPECT_EQ(m.matches(text + "!"), in_ranges(normal_ranges(ranges), c)) << static_cast<uint32_t>(c);
    }
  }
}

// --- JSON ---

base::Json random_json(base::Rng& rng, int depth) {
  const auto text = [&] {
    std::string out;
    for (uint64_t n = rng.below(6); n > 0; --n) {
      static const char* const pieces[] = {"a", "\"", "\\", "\n", "\t", "\x01", "\xC3\xA9", "\xF0\x9F\x98\x80",
                                           " ", "}"};
      out += pieces[rng.below(10)];
    }
    return out;
  };
  switch (rng.below(depth > 0 ? 8 : 6)) {
    case 0: return nullptr;
    case 1: return rng.below(2) == 0;
    case 2: return static_cast<int64_t>(rng.next() >> rng.below(64)) / 100'000;
    case 3: return std::floor((rng.uniform() - 0.5) * 1e6) / 64;
    case 4:
    case 5: return text();
    case 6: {
      base::Json list = base::Json::array();
      for (uint64_t n = rng.below(4); n > 0; --n) {
        list.push_back(random_json(rng, depth - 1));
      }
      return list;
    }
    default: {
      base::Json object = base::Json::object();
      for (uint64_t n = rng.below(4); n > 0; --n) {
        object[text()] = random_json(rng, depth - 1);
      }
      return object;
    }
  }
}

TEST(JsonObjects, AreAcceptedWithEveryPrefixAndNothingThatIsNone) {
  const Matcher m(grammar_of_json_objects());
  base::Rng rng(11);
  int rejected = 0;
  int changed_and_accepted = 0;
  for (int round = 0; round < 500; ++round) {
    base::Json object = base::Json::object();
    object["k"] = random_json(rng, 4);
    object["other"] = random_json(rng, 4);
    for (const std::string& text : {object.dump(), object.dump(2), object.dump(1, '\t'), object.dump(-1, ' ', true)}) {
      ASSERT_TRUE(m.matches(text)) << text;
      GrammarText walk = m.start();
      for (const char c : text) {
        ASSERT_FALSE(walk.can_end());
        ASSERT_TRUE(walk.accept(std::string_view(&c, 1))) << text;
      }
      EXPECT_TRUE(walk.must_end());
      // What a mutation leaves acceptable is JSON to another parser too.
      std::string changed = text;
      const size_t at = rng.below(changed.size());
      switch (rng.below(3)) {
        case 0: changed[at] = static_cast<char>(rng.below(256)); break;
        case 1: changed.erase(at, 1); break;
        default: changed.insert(at, 1, "{}[],:\"\\0e-. \nu"[rng.below(16)]); break;
      }
      if (m.matches(changed)) {
        ++changed_and_accepted;
        const base::Json parsed = base::Json::parse(changed, nullptr, false);
        EXPECT_TRUE(parsed.is_object()) << changed;
      } else {
        ++rejected;
      }
    }
  }
  EXPECT_GT(rejected, 400);
  EXPECT_GT(changed_and_accepted, 100);
}

TEST(JsonObjects, WhiteSpaceHasAnEnd) {
  const Matcher m(grammar_of_json_objects());
  EXPECT_TRUE(m.matches("{\n  \"a\": 1\n}"));
  EXPECT_FALSE(m.begins("{  "));
  EXPECT_FALSE(m.begins("{\n\n"));
  EXPECT_FALSE(m.begins("{" + std::string("\n") + std::string(21, ' ')));
  EXPECT_FALSE(m.begins(" {"));
  EXPECT_FALSE(m.begins("{} "));
}

}  // namespace
}  // namespace slipway::text
