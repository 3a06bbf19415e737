// JSON Schemas: the first line is a schema, the rest a text. What the grammar accepts whole is JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "text/grammar_automaton.h"
#include "text/json_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostText = 500;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  try {
    slipway::text::GrammarText text(std::make_shared<const slipway::text::GrammarAutomaton>(
        slipway::text::grammar_from_json_schema(input.substr(0, line), "fuzz")));
    const std::string_view rest =
        line == std::string_view::npos ? std::string_view() : input.substr(line + 1).substr(0, kMostText);
    if (text.accept(rest) && text.can_end() && !slipway::base::Json::accept(rest)) {
      std::abort();
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
