#include "data/document.h"

#include <charconv>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_text.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

bool is_ascii_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A cursor over one JSON object line.
class LineParser {
 public:
  LineParser(std::string_view line, std::string_view where) : line_(line), where_(where) {}

  void parse(Document& document) {
    document.id.clear();
    document.text.clear();
    document.label.clear();
    document.source.clear();
    document.meta = Json::object();
    skip_space();
    expect('{');
    skip_space();
    if (!take('}')) {
      do {
        skip_space();
        key_.clear();
        string(key_);
        skip_space();
        expect(':');
        skip_space();
        member(document);
        skip_space();
      } while (take(','));
      expect('}');
    }
    skip_space();
    if (at_ != line_.size()) {
      fail("something follows the object");
    }
  }

 private:
  void member(Document& document) {
    std::string* field = key_ == "text"     ? &document.text
                         : key_ == "id"     ? &document.id
                         : key_ == "label"  ? &document.label
                         : key_ == "source" ? &document.source
                                            : nullptr;
    if (field != nullptr) {
      field->clear();
      string(*field);
      return;
    }
    const size_t begin = at_;
    if (at_ < line_.size() && line_[at_] == '"') {
      std::string value;
      string(value);
      document.meta[key_] = std::move(value);
      return;
    }
    skip_value();
    document.meta[key_] = base::parse_json(line_.substr(begin, at_ - begin), where_);
  }

  // Past a number, literal, array or object, to be parsed by the general parser.
  void skip_value() {
    int depth = 0;
    while (at_ < line_.size()) {
      const char c = line_[at_];
      if (c == '"') {
        scratch_.clear();
        string(scratch_);
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) {
        return;
      }
      depth += static_cast<int>(c == '[' || c == '{') - static_cast<int>(c == ']' || c == '}');
      ++at_;
    }
    fail("the object does not end");
  }

  void string(std::string& out) {
    expect('"');
    while (true) {
      const size_t begin = at_;
      while (at_ < line_.size() && line_[at_] != '"' && line_[at_] != '\\' &&
             static_cast<unsigned char>(line_[at_]) >= 0x20) {
        ++at_;
      }
      out.append(line_, begin, at_ - begin);
      if (at_ == line_.size()) {
        fail("a string does not end");
      }
      const char c = line_[at_++];
      if (c == '"') {
        return;
      }
      if (c != '\\') {
        fail("a control character in a string");
      }
      escape(out);
    }
  }

  void escape(std::string& out) {
    if (at_ == line_.size()) {
      fail("a string does not end");
    }
    const char c = line_[at_++];
    switch (c) {
      case 'n': out += '\n'; return;
      case 't': out += '\t'; return;
      case 'r': out += '\r'; return;
      case 'b': out += '\b'; return;
      case 'f': out += '\f'; return;
      case '"':
      case '\\':
      case '/': out += c; return;
      case 'u': break;
      default: fail("an unknown escape");
    }
    char32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00 && line_.substr(at_).starts_with("\\u")) {
      const size_t back = at_;
      at_ += 2;
      const char32_t low = hex4();
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = back;
      }
    }
    text::append_utf8(code, out);
  }

  char32_t hex4() {
    uint32_t value = 0;
    const char* begin = line_.data() + at_;
    if (at_ + 4 > line_.size() || std::from_chars(begin, begin + 4, value, 16).ptr != begin + 4) {
      fail("four hex digits are missing after \\u");
    }
    at_ += 4;
    return value;
  }

  void skip_space() {
    while (at_ < line_.size() &&
           (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r' || line_[at_] == '\n')) {
      ++at_;
    }
  }
  bool take(char c) {
    if (at_ < line_.size() && line_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  void expect(char c) {
    if (!take(c)) {
      fail(fmt::format("'{}' is missing", c));
    }
  }
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(Code::kInvalid, fmt::format("{}: byte {}: {}", where_, at_ + 1, what));
  }

  std::string_view line_;
  std::string_view where_;
  size_t at_ = 0;
  std::string key_;
  std::string scratch_;
};

}  // namespace

std::string document_id(std::string_view source, std::string_view text) {
  std::string collapsed;
  collapsed.reserve(text.size());
  for (const char c : text) {
    if (!is_ascii_space(c)) {
      collapsed += c;
    } else if (!collapsed.empty() && collapsed.back() != ' ') {
      collapsed += ' ';
    }
  }
  if (collapsed.ends_with(' ')) {
    collapsed.pop_back();
  }
  return fmt::format("{:016x}", base::xxh64(collapsed, base::xxh64(source)));
}

void append_json_string(std::string_view text, std::string& out) {
  std::string repaired;
  if (!text::is_valid_utf8(text)) {
    repaired = text::sanitize_utf8(text);
    text = repaired;
  }
  base::append_json_text(text, out);
}

void append_line(const Document& document, std::string& out) {
  out += "{\"id\":";
  append_json_string(document.id, out);
  out += ",\"text\":";
  append_json_string(document.text, out);
  out += ",\"label\":";
  append_json_string(document.label, out);
  out += ",\"source\":";
  append_json_string(document.source, out);
  for (const auto& [key, value] : document.meta.items()) {
    out += ',';
    append_json_string(key, out);
    out += ':';
    if (value.is_string()) {
      append_json_string(value.get_ref<const std::string&>(), out);
    } else {
      out += base::dump_json(value);
    }
  }
  out += "}\n";
}

void parse_line(std::string_view line, std::string_view where, Document& document) {
  LineParser(line, where).parse(document);
}

}  // namespace slipway::data
