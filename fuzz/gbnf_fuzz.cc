// GBNF grammars: the input up to a line '---' is a grammar, the rest a text that it reads. Compiling and reading end.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "text/grammar_automaton.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostText = 500;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find("---\n");
  try {
    slipway::text::GrammarText text(std::make_shared<const slipway::text::GrammarAutomaton>(
        slipway::text::grammar_from_gbnf(input.substr(0, line), "fuzz")));
    const std::string_view rest = line == std::string_view::npos ? std::string_view() : input.substr(line + 4);
    for (const char c : rest.substr(0, kMostText)) {
      text.accept(std::string_view(&c, 1));
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
