// The words of a Jinja template, with white space around tags already cut as transformers sets it (trim_blocks and
// lstrip_blocks). Behaviour of Jinja 3.1's lexer; line statements are off, as there. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text::jinja {

enum class TokenKind : uint8_t {
  kData,  // text between tags
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,  // text: unescaped
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int64_t integer = 0;
  double number = 0;
  int line = 1;
};

// Ends with one kEnd. Throws Error(kInvalid) naming the line.
std::vector<Token> tokenize(std::string_view source);

// "chat template, line N: what".
[[noreturn]] void throw_at(int line, const std::string& what);

}  // namespace slipway::text::jinja
