#include "text/tokenizer_json.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr int kMaxDepth = 64;

// A forward reader of JSON text that stops at the first thing that is not JSON.
class Cursor {
 public:
  Cursor(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  [[noreturn]] void fail(std::string_view what) const {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: not valid JSON at byte {}: {}", source_, at_ + 1, what));
  }

  void skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  char peek() {
    skip_space();
    if (at_ >= text_.size()) {
      fail("it ends too early");
    }
    return text_[at_];
  }
  void expect(char c) {
    if (peek() != c) {
      fail(fmt::format("expected '{}'", c));
    }
    ++at_;
  }
  // After a member: true when another follows, false at the end of the object.
  bool next_member() {
    const char c = peek();
    if (c != ',' && c != '}') {
      fail("expected ',' or '}'");
    }
    ++at_;
    if (c == ',' && peek() != '"') {
      fail("expected a key");
    }
    return c == ',';
  }
  bool open_object() {
    expect('{');
    if (peek() == '}') {
      ++at_;
      return false;
    }
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ >= text_.size();
  }

  // A string's value; a view of the file when it has no escapes, else of `buffer`.
  std::string_view string(std::string& buffer);
  int64_t integer();
  double number();
  // In a list: true when another item follows, false at its end.
  bool next_item() {
    const char c = peek();
    if (c != ',' && c != ']') {
      fail("expected ',' or ']'");
    }
    ++at_;
    return c == ',';
  }
  bool open_list() {
    expect('[');
    if (peek() == ']') {
      ++at_;
      return false;
    }
    return true;
  }
  // The bytes of the next value, whatever it is, not looked at closely: base::parse_json does that.
  std::string_view raw_value();

 private:
  void escape(std::string& buffer);
  char32_t hex4();
  void skip_string();

  std::string_view text_;
  const std::string& source_;
  size_t at_ = 0;
};

char32_t Cursor::hex4() {
  char32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    value <<= 4;
    if (c >= '0' && c <= '9') {
      value |= static_cast<char32_t>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      value |= static_cast<char32_t>((c | 0x20) - 'a' + 10);
    } else {
      fail("expected four hexadecimal digits after \\u");
    }
  }
  return value;
}

void Cursor::escape(std::string& buffer) {
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  ++at_;
  if (const size_t which = kFrom.find(c); which != std::string_view::npos) {
    buffer += kTo[which];
    return;
  }
  if (c != 'u') {
    fail("unknown escape");
  }
  char32_t code = hex4();
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") {
      fail("half of a surrogate pair");
    }
    at_ += 2;
    const char32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) {
      fail("half of a surrogate pair");
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code <= 0xDFFF) {
    fail("half of a surrogate pair");
  }
  append_utf8(code, buffer);
}

std::string_view Cursor::string(std::string& buffer) {
  expect('"');
  const size_t begin = at_;
  bool plain = true;
  for (;;) {
    if (at_ >= text_.size()) {
      fail("a string does not end");
    }
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') {
      break;
    }
    if (c < 0x20) {
      fail("a control character in a string");
    }
    if (c != '\\') {
      if (!plain) {
        buffer += static_cast<char>(c);
      }
      ++at_;
      continue;
    }
    if (plain) {
      buffer.assign(text_.substr(begin, at_ - begin));
      plain = false;
    }
    ++at_;
    escape(buffer);
  }
  const std::string_view value = plain ? text_.substr(begin, at_ - begin) : std::string_view(buffer);
  ++at_;
  if (!is_valid_utf8(value)) {
    fail("a string that is not UTF-8");
  }
  return value;
}

int64_t Cursor::integer() {
  const bool negative = peek() == '-';
  at_ += negative ? 1 : 0;
  const size_t begin = at_;
  int64_t value = 0;
  while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - begin < 18) {
    value = value * 10 + (text_[at_++] - '0');
  }
  const char after = at_ < text_.size() ? text_[at_] : '\0';
  if (at_ == begin || (after >= '0' && after <= '9') || after == '.' || after == 'e' || after == 'E') {
    fail("expected a whole number");
  }
  return negative ? -value : value;
}

double Cursor::number() {
  peek();
  double value = 0;
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (error != std::errc() || !std::isfinite(value)) {
    fail("expected a number");
  }
  at_ += static_cast<size_t>(end - begin);
  return value;
}

void Cursor::skip_string() {
  ++at_;
  while (at_ < text_.size() && text_[at_] != '"') {
    at_ += text_[at_] == '\\' ? 2 : 1;
  }
  if (at_ >= text_.size()) {
    at_ = text_.size();
    fail("a string does not end");
  }
  ++at_;
}

std::string_view Cursor::raw_value() {
  peek();
  const size_t begin = at_;
  int depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      skip_string();
    } else if (c == '[' || c == '{') {
      ++at_;
      if (++depth > kMaxDepth) {
        fail(fmt::format("nested deeper than {} levels", kMaxDepth));
      }
    } else if (c == ']' || c == '}') {
      if (depth == 0) {
        break;
      }
      ++at_;
      --depth;
    } else if (c == ',' && depth == 0) {
      break;
    } else {
      ++at_;
    }
    if (depth == 0 && at_ < text_.size() && (c == '"' || c == ']' || c == '}')) {
      break;
    }
  }
  if (depth != 0 || at_ == begin) {
    fail("it ends too early");
  }
  return text_.substr(begin, at_ - begin);
}

void read_vocabulary(Cursor& cursor, const std::string& source, Vocabulary& vocabulary) {
  std::string buffer;
  const std::string where = source + ": vocabulary";
  if (!cursor.open_object()) {
    return;
  }
  do {
    const std::string_view token = cursor.string(buffer);
    cursor.expect(':');
    vocabulary.add(token, cursor.integer(), where);
  } while (cursor.next_member());
}

// [["piece", score], ...]
void read_pieces(Cursor& cursor, const std::string& source, TokenizerFile& file) {
  std::string buffer;
  const std::string where = source + ": vocabulary";
  if (!cursor.open_list()) {
    return;
  }
  do {
    cursor.expect('[');
    const std::string_view piece = cursor.string(buffer);
    file.vocabulary.add(piece, static_cast<int64_t>(file.lists.scores.size()), where);
    cursor.expect(',');
    file.lists.scores.push_back(cursor.number());
    cursor.expect(']');
  } while (cursor.next_item());
}

// ["a b", ...] or [["a", "b"], ...]
void read_merges(Cursor& cursor, MergeList& merges) {
  std::string buffer;
  std::string second;
  if (!cursor.open_list()) {
    return;
  }
  do {
    if (cursor.peek() == '"') {
      if (!merges.add(cursor.string(buffer))) {
        cursor.fail(fmt::format("merge {} is not two tokens with a space between", merges.places.size() + 1));
      }
      continue;
    }
    cursor.expect('[');
    const std::string_view left = cursor.string(buffer);
    cursor.expect(',');
    merges.add(left, cursor.string(second));
    cursor.expect(']');
  } while (cursor.next_item());
}

void read_model(Cursor& cursor, const std::string& source, TokenizerFile& file) {
  file.model = base::Json::object();
  if (!cursor.open_object()) {
    return;
  }
  std::string buffer;
  bool seen = false;
  do {
    const std::string key(cursor.string(buffer));
    cursor.expect(':');
    if (key == "vocab" && cursor.peek() == '{') {
      if (seen) {
        cursor.fail("a second vocab");
      }
      seen = true;
      read_vocabulary(cursor, source, file.vocabulary);
    } else if (key == "vocab" && cursor.peek() == '[') {
      if (seen) {
        cursor.fail("a second vocab");
      }
      seen = true;
      read_pieces(cursor, source, file);
    } else if (key == "merges" && cursor.peek() == '[') {
      file.lists.merges = {};
      read_merges(cursor, file.lists.merges);
      file.model[key] = nullptr;  // older files are known for BPE by it
    } else {
      file.model[key] = base::parse_json(cursor.raw_value(), source + ": model." + key);
    }
  } while (cursor.next_member());
}

}  // namespace

void read_vocabulary_json(std::string_view json, const std::string& source, Vocabulary& vocabulary) {
  Cursor cursor(json, source);
  read_vocabulary(cursor, source, vocabulary);
  if (!cursor.at_end()) {
    cursor.fail("something follows the end");
  }
}

TokenizerFile split_tokenizer_json(std::string_view json, const std::string& source) {
  if (json.size() > kMaxTokenizerBytes) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: {} bytes; a tokenizer has at most {}", source, json.size(), kMaxTokenizerBytes));
  }
  TokenizerFile file;
  file.sections = base::Json::object();
  file.vocabulary.reserve(json.size() / 2, json.size() / 16);
  Cursor cursor(json, source);
  bool has_model = false;
  if (cursor.open_object()) {
    std::string buffer;
    do {
      const std::string key(cursor.string(buffer));
      cursor.expect(':');
      if (key == "model" && cursor.peek() == '{') {
        if (has_model) {
          cursor.fail("a second model");
        }
        has_model = true;
        read_model(cursor, source, file);
      } else {
        file.sections[key] = base::parse_json(cursor.raw_value(), source + ": " + key);
      }
    } while (cursor.next_member());
  }
  if (!cursor.at_end()) {
    cursor.fail("something follows the end");
  }
  if (!has_model) {
    throw base::Error(base::Code::kInvalid, source + ": has no 'model' section; is it a tokenizer.json?");
  }
  return file;
}

}  // namespace slipway::text
