#include "text/constraint.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "text/json_schema.h"

namespace slipway::text {
namespace {

// All bytes, and pieces that cross the borders of JSON's rules in many ways. The last id is special.
class PieceTokenizer final : public Tokenizer {
 public:
  // With `drops_space`, texts lose the space that they begin with, as SentencePiece's do.
  explicit PieceTokenizer(bool drops_space = false) : drops_space_(drops_space) {
    for (int b = 0; b < 256; ++b) {
      pieces_.emplace_back(1, static_cast<char>(b));
    }
    for (const char* piece :
         {"{\"",   "\":",    "\": ",   "\": \"",     "\",",   "\", \"", "\"}",      "\"},",  "}}",     "}}}",
          "]}",    "]]",     "],",     "[[",         "[{\"",  "null",   "true",     "false", "tr",     " \"",
          "\n  ",  "\n    ", "  ",     "name",       "ab",    "a",      "\xC3\xA9", "\xC3",  "\xA9\"", "\\n",
          "\\\"",  "\\u00",  "\"],\"", "1",          "23",    "0.",     "-1",       "1,",    "1}",     "e1",
          "x\"}]", "\":[",   "\":{\"", "\":true,\"", "null}", "((",     "))",       ")*(",   "aa",     "aaa"}) {
      pieces_.emplace_back(piece);
    }
    pieces_.emplace_back("</s>");
  }
  void encode(std::string_view, const EncodeOptions&, Encoding&) const override {}
  std::string decode(std::span<const int32_t> ids, bool) const override {
    std::string out;
    for (const int32_t id : ids) {
      out += pieces_[static_cast<size_t>(id)];
    }
    return drops_space_ && out.starts_with(' ') ? out.substr(1) : out;
  }
  int vocab_size() const override { return static_cast<int>(pieces_.size()); }
  int token_to_id(std::string_view) const override { return -1; }
  std::string token_bytes(int id) const override { return pieces_[static_cast<size_t>(id)]; }
  std::string_view id_to_token(int id) const override { return pieces_[static_cast<size_t>(id)]; }
  bool is_special(int id) const override { return id == vocab_size() - 1; }

 private:
  bool drops_space_;
  std::vector<std::string> pieces_;
};

bool has(const std::vector<uint64_t>& mask, int32_t id) {
  return ((mask[static_cast<size_t>(id) / 64] >> (id % 64)) & 1) != 0;
}

std::vector<Grammar> grammars() {
  std::vector<Grammar> out;
  out.push_back(grammar_of_json_objects());
  out.push_back(grammar_from_json_schema(
      R"({"type":"object","properties":{"name":{"type":"string","maxLength":5},"tags":{"type":"array","items":{"type":"string"}},
          "n":{"type":"integer","minimum":-20,"maximum":300},"child":{"anyOf":[{"$ref":"#"},{"type":"null"}]},
          "e":{"enum":["a","ab","aab"]}},"required":["name","child"]})",
      "test"));
  out.push_back(grammar_from_gbnf("root ::= \"(\" root \")\" tail? | \"a\"{1,3}\ntail ::= \"*\" root", "test"));
  out.push_back(
      grammar_from_gbnf("root ::= x{2,5}\nx ::= \"a\" | \"aa\" y\ny ::= \"a\"? z\nz ::= \"\" | \"a\" y", "test"));
  out.push_back(grammar_from_regex("(a|aa)*b?\\s{0,2}[^x]{0,3}", "test"));
  return out;
}

// The definition: a token may come next exactly when its bytes may.
TEST(Constraint, MasksAreWhatEachTokenAloneGives) {
  const PieceTokenizer tokenizer;
  const auto trie = std::make_shared<TokenTrie>(tokenizer);
  base::Rng rng(3);
  int64_t allowed = 0;
  int64_t refused = 0;
  for (const Grammar& grammar : grammars()) {
    const auto constraint = std::make_shared<const Constraint>(grammar, trie);
    for (int round = 0; round < 20; ++round) {
      ConstrainedText text(constraint);
      std::vector<uint64_t> mask(constraint->words());
      for (int step = 0; step < 40; ++step) {
        text.allowed(mask);
        std::vector<int32_t> next;
        for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
          ConstrainedText copy = text;
          const bool may = !tokenizer.is_special(id) && copy.accept_bytes(tokenizer.id_to_token(id));
          ASSERT_EQ(has(mask, id), may) << "token '" << tokenizer.id_to_token(id) << "'";
          if (may) {
            next.push_back(id);
          }
          ++(may ? allowed : refused);
        }
        ASSERT_EQ(next.empty(), text.must_end());
        if (next.empty()) {
          break;
        }
        ASSERT_TRUE(text.accept(next[rng.below(next.size())]));
      }
    }
  }
  EXPECT_GT(allowed, 10'000);
  EXPECT_GT(refused, 10'000);
}

TEST(Constraint, RandomTokensGiveJsonThatFitsAndEnds) {
  const PieceTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer);
  const auto constraint = compiler.compile(
      ConstraintKind::kJsonSchema,
      R"({"type":"object","properties":{"name":{"type":"string","maxLength":8},"age":{"type":"integer","minimum":0,"maximum":150},
          "score":{"type":"number"},"ok":{"type":"boolean"},"kind":{"enum":["a","b"]},
          "list":{"type":"array","items":{"type":"string","maxLength":3},"maxItems":3}},
          "required":["name","age","score","ok","kind","list"]})",
      "test");
  base::Rng rng(17);
  for (int round = 0; round < 200; ++round) {
    ConstrainedText text(constraint);
    std::vector<uint64_t> mask(constraint->words());
    std::string out;
    int steps = 0;
    for (; !text.must_end() && steps < 1000; ++steps) {
      text.allowed(mask);
      int32_t id = 0;
      do {
        id = static_cast<int32_t>(rng.below(static_cast<uint64_t>(tokenizer.vocab_size())));
      } while (!has(mask, id));
      ASSERT_TRUE(text.accept(id));
      out += tokenizer.id_to_token(id);
    }
    ASSERT_TRUE(text.can_end()) << out;
    const base::Json json = base::parse_json(out, "out");
    EXPECT_TRUE(json.at("name").is_string());
    EXPECT_LE(json.at("age").get<int>(), 150);
    EXPECT_TRUE(json.at("score").is_number());
    EXPECT_TRUE(json.at("kind") == "a" || json.at("kind") == "b");
    EXPECT_LE(json.at("list").size(), 3U);
    EXPECT_EQ(json.size(), 6U);
  }
}

TEST(Constraint, SpecialTokensAndStrangersAreNeverAllowed) {
  const PieceTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer);
  ConstrainedText text(compiler.compile(ConstraintKind::kRegex, ".*", "test"));
  std::vector<uint64_t> mask(text.constraint().words());
  text.allowed(mask);
  EXPECT_TRUE(has(mask, 'a'));
  EXPECT_FALSE(has(mask, tokenizer.vocab_size() - 1));
  EXPECT_FALSE(text.accept(tokenizer.vocab_size() - 1));
  EXPECT_FALSE(text.accept(-1));
  EXPECT_FALSE(text.accept(100'000));
  EXPECT_TRUE(text.can_end());
}

TEST(Constraint, TheFirstTokenComesWithoutTheSpaceThatTextsLose) {
  for (const bool drops : {false, true}) {
    const PieceTokenizer tokenizer(drops);
    ConstraintCompiler compiler(tokenizer);
    for (const char* pattern : {"\"a", " ?\"{2}"}) {
      ConstrainedText text(compiler.compile(ConstraintKind::kRegex, pattern, "test"));
      std::vector<uint64_t> mask(text.constraint().words());
      for (int step = 0; step < 2 && !text.must_end(); ++step) {
        text.allowed(mask);
        for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
          ConstrainedText copy = text;
          ASSERT_EQ(has(mask, id), copy.accept(id)) << pattern << ", token '" << tokenizer.id_to_token(id) << "'";
        }
        const bool spaced = has(mask, 256 + 19);  // space and quote
        EXPECT_EQ(tokenizer.id_to_token(256 + 19), " \"");
        EXPECT_EQ(spaced, step == 0 && (drops || pattern[0] == ' '));
        ASSERT_TRUE(text.accept(step == 1 && pattern[0] != ' ' ? 'a' : spaced && drops ? 256 + 19 : '"'));
      }
    }
  }
}

TEST(Constraint, IsCompiledOnceForTheSameSource) {
  const PieceTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer);
  const auto first = compiler.compile(ConstraintKind::kRegex, "a+", "test");
  EXPECT_EQ(compiler.compile(ConstraintKind::kRegex, "a+", "elsewhere"), first);
  EXPECT_NE(compiler.compile(ConstraintKind::kRegex, "b+", "test"), first);
  EXPECT_NE(compiler.compile(ConstraintKind::kGbnf, "root ::= \"a\"+", "test"), first);
  const std::vector<std::string> choices = {"a", "b"};
  EXPECT_EQ(compiler.compile_choices(choices, "test"), compiler.compile_choices(choices, "test"));
  EXPECT_THROW(compiler.compile(ConstraintKind::kJsonSchema, "{", "test"), base::Error);
}

}  // namespace
}  // namespace slipway::text
