#include "data/jsonl_line.h"

#include <array>
#include <cstdint>

#include "base/json_text.h"
#include "data/document.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

constexpr int kMaxDepth = 64;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// 16: no hexadecimal digit.
constexpr std::array<uint8_t, 256> kHexDigits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(16);
  for (uint8_t i = 0; i < 10; ++i) {
    digits['0' + i] = i;
  }
  for (uint8_t i = 0; i < 6; ++i) {
    digits['a' + i] = digits['A' + i] = static_cast<uint8_t>(10 + i);
  }
  return digits;
}();

}  // namespace

JsonlLine::JsonlLine(std::string text_field, std::string id_field)
    : text_field_(std::move(text_field)), id_field_(std::move(id_field)) {}

std::string_view JsonlLine::read(std::string_view line) {
  constexpr std::string_view kBroken = "invalid_json";
  line_ = line;
  at_ = 0;
  text_end_ = 0;
  texts_ = 0;
  id_.clear();
  if (!text::is_valid_utf8(line)) {
    return "invalid_utf8";
  }
  skip_space();
  if (!at('{')) {
    return at_ == line_.size() ? std::string_view("empty_line") : kBroken;
  }
  ++at_;
  skip_space();
  empty_ = at('}');
  bool text_is_string = false;
  for (bool more = !empty_; more;) {
    skip_space();
    key_.clear();
    if (!at('"') || !read_string(key_)) {
      return kBroken;
    }
    skip_space();
    if (!at(':')) {
      return kBroken;
    }
    ++at_;
    skip_space();
    const size_t begin = at_;
    if (key_ == text_field_) {
      text_is_string = at('"');
      if (text_is_string) {
        text_.clear();
        if (!read_string(text_)) {
          return kBroken;
        }
      } else if (!skip_value(0)) {
        return kBroken;
      }
      ++texts_;
      text_begin_ = begin;
      text_end_ = at_;
    } else if (!skip_value(0)) {
      return kBroken;
    } else if (key_ == id_field_) {
      id_.assign(line_.substr(begin, at_ - begin));
    }
    skip_space();
    more = at(',');
    at_ += static_cast<size_t>(more);
  }
  if (!at('}')) {
    return kBroken;
  }
  close_ = at_++;
  skip_space();
  if (at_ != line_.size()) {
    return kBroken;
  }
  if (text_end_ == 0) {
    return "no_text";
  }
  return text_is_string ? std::string_view() : std::string_view("text_not_a_string");
}

void JsonlLine::write(bool text_changed, std::string_view members, std::string& out) const {
  size_t from = 0;
  if (text_changed) {
    out.append(line_, 0, text_begin_);
    append_json_string(text_, out);
    from = text_end_;
  }
  out.append(line_, from, close_ - from);
  out += members.substr(empty_ && !members.empty() ? 1 : 0);
  out += "}\n";
}

void JsonlLine::skip_space() noexcept {
  while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r' || line_[at_] == '\n')) {
    ++at_;
  }
}

bool JsonlLine::skip_value(int depth) {
  if (at_ == line_.size() || depth > kMaxDepth) {
    return false;
  }
  switch (line_[at_]) {
    case '"': return skip_string();
    case '{': return skip_container('}', depth);
    case '[': return skip_container(']', depth);
    default: break;
  }
  for (const std::string_view word : {std::string_view("true"), std::string_view("false"), std::string_view("null")}) {
    if (line_.substr(at_).starts_with(word)) {
      at_ += word.size();
      return true;
    }
  }
  return skip_number();
}

// RFC 8259: -? (0 | [1-9]\d*) (\.\d+)? ([eE][+-]?\d+)?
bool JsonlLine::skip_number() {
  at_ += static_cast<size_t>(at('-'));
  const auto digits = [this] {
    const size_t begin = at_;
    while (at_ < line_.size() && is_digit(line_[at_])) {
      ++at_;
    }
    return at_ - begin;
  };
  const bool zero = at('0');
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) {
    return false;
  }
  if (at('.')) {
    ++at_;
    if (digits() == 0) {
      return false;
    }
  }
  if (at('e') || at('E')) {
    ++at_;
    at_ += static_cast<size_t>(at('+') || at('-'));
    return digits() > 0;
  }
  return true;
}

bool JsonlLine::skip_container(char close, int depth) {
  ++at_;
  skip_space();
  if (at(close)) {
    ++at_;
    return true;
  }
  while (true) {
    skip_space();
    if (close == '}') {
      if (!at('"') || !skip_string()) {
        return false;
      }
      skip_space();
      if (!at(':')) {
        return false;
      }
      ++at_;
      skip_space();
    }
    if (!skip_value(depth + 1)) {
      return false;
    }
    skip_space();
    if (at(close)) {
      ++at_;
      return true;
    }
    if (!at(',')) {
      return false;
    }
    ++at_;
  }
}

bool JsonlLine::skip_string() {
  for (++at_; (at_ += base::json_plain_run(line_, at_)) < line_.size(); ++at_) {
    const char c = line_[at_];
    if (c == '"') {
      ++at_;
      return true;
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      return false;
    }
    if (c == '\\') {
      ++at_;
      if (at('u')) {
        char32_t code = 0;
        ++at_;
        if (!read_hex(code)) {
          return false;
        }
        --at_;
      } else if (at_ == line_.size() || std::string_view("\"\\/bfnrt").find(line_[at_]) == std::string_view::npos) {
        return false;
      }
    }
  }
  return false;
}

bool JsonlLine::read_string(std::string& out) {
  ++at_;
  while (true) {
    const size_t begin = at_;
    at_ += base::json_plain_run(line_, at_);
    out.append(line_, begin, at_ - begin);
    if (at_ == line_.size()) {
      return false;
    }
    const char c = line_[at_++];
    if (c == '"') {
      return true;
    }
    if (c != '\\' || !read_escape(out)) {
      return false;
    }
  }
}

bool JsonlLine::read_hex(char32_t& code) {
  if (at_ + 4 > line_.size()) {
    return false;
  }
  uint32_t value = 0;
  uint32_t any = 0;
  for (size_t i = 0; i < 4; ++i) {
    const uint32_t digit = kHexDigits[static_cast<unsigned char>(line_[at_ + i])];
    value = value << 4U | digit;
    any |= digit;
  }
  if (any > 15) {
    return false;
  }
  at_ += 4;
  code = value;
  return true;
}

bool JsonlLine::read_escape(std::string& out) {
  if (at_ == line_.size()) {
    return false;
  }
  const char c = line_[at_++];
  switch (c) {
    case 'n': out += '\n'; return true;
    case 't': out += '\t'; return true;
    case 'r': out += '\r'; return true;
    case 'b': out += '\b'; return true;
    case 'f': out += '\f'; return true;
    case '"':
    case '\\':
    case '/': out += c; return true;
    case 'u': break;
    default: return false;
  }
  char32_t code = 0;
  if (!read_hex(code)) {
    return false;
  }
  if (code >= 0xD800 && code < 0xDC00 && line_.substr(at_).starts_with("\\u")) {
    const size_t back = at_;
    at_ += 2;
    char32_t low = 0;
    if (!read_hex(low)) {
      return false;
    }
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    } else {
      at_ = back;
    }
  }
  text::append_utf8(code, out);  // a lone half of a pair becomes U+FFFD
  return true;
}

}  // namespace slipway::data
