#include "api/json_writer.h"

#include <array>
#include <cmath>
#include <fmt/format.h>

namespace slipway::api {

void JsonWriter::line() {
  if (!first_) {
    out_ += ',';
  }
  out_ += '\n';
  out_.append(static_cast<size_t>(2 * depth_), ' ');
  first_ = false;
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
  out_ += '"';
  out_ += name;
  out_ += "\": ";
}

// Texts came as JSON or from the store and are valid UTF-8; only what JSON forbids is escaped.
void JsonWriter::text(std::string_view value) {
  out_ += '"';
  size_t kept = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    out_.append(value, kept, i - kept);
    kept = i + 1;
    switch (c) {
      case '"': out_ += "\\\""; break;
      case '\\': out_ += "\\\\"; break;
      case '\n': out_ += "\\n"; break;
      case '\r': out_ += "\\r"; break;
      case '\t': out_ += "\\t"; break;
      default: fmt::format_to(std::back_inserter(out_), "\\u{:04x}", c);
    }
  }
  out_.append(value, kept, value.size() - kept);
  out_ += '"';
}

void JsonWriter::field(std::string_view name, std::string_view value) {
  key(name);
  text(value);
}

void JsonWriter::field(std::string_view name, int64_t value) {
  key(name);
  out_ += fmt::format_int(value).c_str();
}

void JsonWriter::field(std::string_view name, double value) {
  key(name);
  if (std::isnan(value)) {
    out_ += "\"NaN\"";
  } else if (std::isinf(value)) {
    out_ += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    std::array<char, 32> digits{};  // the shortest text of a double has at most 24
    const auto end = fmt::format_to(digits.data(), "{}", value);
    const std::string_view shown(digits.data(), static_cast<size_t>(end - digits.data()));
    out_ += shown;
    if (shown.find_first_of(".e") == std::string_view::npos) {
      out_ += ".0";
    }
  }
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
