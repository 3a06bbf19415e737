#include "api/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/compile.h>
#include <fmt/format.h>

#include "base/json_text.h"

namespace slipway::api {
namespace {

// What goes before an element or a field, down to a depth of 31; documents here have six.
constexpr std::string_view kLine = ",\n                                                              ";
// Whole numbers below are exact, and shown without an exponent.
constexpr double kWhole = 1e15;

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

}  // namespace

char* write_double(char* at, double value) {
  if (std::abs(value) < kWhole && value == std::trunc(value) && (value != 0 || !std::signbit(value))) {
    return put(std::to_chars(at, at + kDoubleBytes, static_cast<int64_t>(value)).ptr, ".0");
  }
  if (std::isnan(value)) {
    return put(at, "\"NaN\"");
  }
  if (std::isinf(value)) {
    return put(at, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  }
  char* const end = fmt::format_to(at, FMT_COMPILE("{}"), value);
  const std::string_view shown(at, static_cast<size_t>(end - at));
  return shown.find_first_of(".e") == std::string_view::npos ? put(end, ".0") : end;
}

std::string json_text(std::string_view text) {
  std::string out;
  base::append_json_text(text, out);
  return out;
}

void JsonWriter::line() {
  const size_t spaces = static_cast<size_t>(2 * depth_);
  const size_t skip = first_ ? 1 : 0;
  first_ = false;
  if (spaces + 2 <= kLine.size()) {
    out_.append(kLine.data() + skip, spaces + 2 - skip);
    return;
  }
  out_.append(kLine.data() + skip, 2 - skip);
  out_.append(spaces, ' ');
}

void JsonWriter::open(char bracket) {
  if (depth_ > 0) {
    line();
  }
  begin(bracket);
}

void JsonWriter::begin(char bracket) {
  out_ += bracket;
  ++depth_;
  first_ = true;
}

void JsonWriter::end(char bracket) {
  --depth_;
  if (!first_) {
    out_ += '\n';
    out_.append(static_cast<size_t>(2 * depth_), ' ');
  }
  out_ += bracket;
  first_ = false;
}

void JsonWriter::key(std::string_view name) {
  line();
  std::array<char, 64> shown;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  if (name.size() + 4 > shown.size()) {
    out_.append("\"").append(name).append("\": ");
    return;
  }
  shown[0] = '"';
  out_.append(shown.data(), static_cast<size_t>(put(put(shown.data() + 1, name), "\": ") - shown.data()));
}

void JsonWriter::text(std::string_view value) { base::append_json_text(value, out_); }

void JsonWriter::field(std::string_view name, std::string_view value) {
  key(name);
  text(value);
}

void JsonWriter::field(std::string_view name, int64_t value) {
  key(name);
  std::array<char, 24> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  out_.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

void JsonWriter::field(std::string_view name, double value) {
  key(name);
  std::array<char, kDoubleBytes> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  out_.append(digits.data(), write_double(digits.data(), value));
}

void JsonWriter::field(std::string_view name, bool value) {
  key(name);
  out_ += value ? "true" : "false";
}

void JsonWriter::texts(std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) {
    return;
  }
  begin_array(name);
  for (const std::string& value : values) {
    line();
    text(value);
  }
  end_array();
}

}  // namespace slipway::api
