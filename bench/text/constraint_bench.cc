// Constrained decoding: compiling a schema of ten fields, and the mask of allowed tokens at each token of an answer, in
// states seen for the first time (cold) and again (warm). usage: as tokenizer_bench.cc, with
// --benchmark_filter=constraint bench/rivals/constraint.py measures llguidance on the same schema, answer and
// vocabulary.
#include <benchmark/benchmark.h>
#include <cstdlib>

#include "base/error.h"
#include "text/constraint.h"
#include "text/json_schema.h"

namespace slipway::text {
namespace {

constexpr const char* kSchema = R"({"type":"object","additionalProperties":false,
  "properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string"},
    "active":{"type":"boolean"},"score":{"type":"number"},"role":{"enum":["admin","editor","viewer"]},
    "tags":{"type":"array","items":{"type":"string"}},"note":{"type":["string","null"]},
    "address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}},
      "required":["street","city"],"additionalProperties":false},
    "parent":{"type":"integer"}},
  "required":["name","age","email","active","score","role","tags","note","address","parent"]})";
constexpr const char* kAnswer =
    R"({"name": "Ada Lovelace", "age": 36, "email": "ada@example.org", "active": true, "score": 9.75, )"
    R"("role": "editor", "tags": ["mathematics", "engines", "poetry of numbers"], "note": "wrote \"the\" first program", )"
    R"("address": {"street": "12 St James's Square", "city": "London"}, "parent": 1815})";

const Tokenizer& tokenizer() {
  static const auto loaded = load_tokenizer(std::getenv("SLIPWAY_TOKENIZER"));
  return *loaded;
}

const std::shared_ptr<const TokenTrie>& trie() {
  static const auto made = std::make_shared<const TokenTrie>(tokenizer());
  return made;
}

// Walks the answer; the mask at each of its tokens.
size_t walk(const std::shared_ptr<const Constraint>& constraint, const std::vector<int32_t>& ids) {
  ConstrainedText text(constraint);
  std::vector<uint64_t> mask(constraint->words());
  for (const int32_t id : ids) {
    text.allowed(mask);
    benchmark::DoNotOptimize(mask.data());
    SLIPWAY_CHECK(((mask[static_cast<size_t>(id) / 64] >> (id % 64)) & 1) != 0 && text.accept(id));
  }
  SLIPWAY_CHECK(text.must_end());
  return ids.size();
}

std::vector<int32_t> answer() {
  Encoding encoding;
  tokenizer().encode(kAnswer, {.add_special_tokens = false}, encoding);
  return encoding.ids;
}

void bm_constraint_trie(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(TokenTrie(tokenizer()).count());
  }
}
BENCHMARK(bm_constraint_trie)->Unit(benchmark::kMillisecond);

void bm_constraint_compile(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(GrammarAutomaton(grammar_from_json_schema(kSchema, "bench")).states());
  }
}
BENCHMARK(bm_constraint_compile)->Unit(benchmark::kMicrosecond);

// range(0): 1 with a constraint that has seen the answer before. An item is a mask, with its token.
void bm_constraint_mask(benchmark::State& state) {
  const std::vector<int32_t> ids = answer();
  const Grammar grammar = grammar_from_json_schema(kSchema, "bench");
  auto constraint = std::make_shared<const Constraint>(grammar, trie());
  size_t masks = walk(constraint, ids);
  masks = 0;
  for (auto _ : state) {
    if (state.range(0) == 0) {
      state.PauseTiming();
      constraint = std::make_shared<const Constraint>(grammar, trie());
      state.ResumeTiming();
    }
    masks += walk(constraint, ids);
  }
  state.SetItemsProcessed(static_cast<int64_t>(masks));
}
BENCHMARK(bm_constraint_mask)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace slipway::text
