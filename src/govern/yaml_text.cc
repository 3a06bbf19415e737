// JSON values as YAML 1.2 text (declared in model_card.h).
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "govern/html.h"
#include "govern/model_card.h"

namespace slipway::govern {
namespace {

using base::Json;

// Words that YAML 1.1 or 1.2 readers take for something else than text.
constexpr std::array<std::string_view, 12> kReserved = {"null", "true", "false", "yes", "no",   "on",
                                                        "off",  "y",    "n",     "~",   ".inf", ".nan"};

bool is_plain(std::string_view text) {
  if (text.empty() || text.size() > 200) {
    return false;
  }
  // Letters to begin with, so that numbers, dates and markers are quoted; inside only what has no meaning anywhere.
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front())) {
    return false;
  }
  const bool safe = std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  });
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return safe && std::find(kReserved.begin(), kReserved.end(), lower) == kReserved.end();
}

std::string scalar(const Json& value) {
  if (value.is_string()) {
    return yaml_scalar(value.get_ref<const std::string&>());
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    std::string text = std::isfinite(number) ? fmt::format("{:.6g}", number) : "null";
    // YAML 1.1 readers take 1e-05 for text: they want a point.
    if (const size_t e = text.find('e'); e != std::string::npos && text.find('.') == std::string::npos) {
      text.insert(e, ".0");
    }
    return text;
  }
  return value.is_object() ? "{}" : value.is_array() ? "[]" : value.dump();
}

bool is_block(const Json& value) { return (value.is_object() || value.is_array()) && !value.empty(); }

void write(const Json& value, int indent, bool continues, std::string& out) {
  const std::string spaces(static_cast<size_t>(indent), ' ');
  bool first = continues;  // the first line continues one that "- " began
  if (value.is_object()) {
    for (const auto& item : value.items()) {
      out += (first ? "" : spaces) + yaml_scalar(item.key()) + ":";
      first = false;
      if (is_block(item.value())) {
        out += "\n";
        write(item.value(), indent + 2, false, out);
      } else {
        out += " " + scalar(item.value()) + "\n";
      }
    }
    return;
  }
  for (const Json& item : value) {
    out += (first ? "" : spaces) + "- ";
    first = false;
    if (is_block(item)) {
      write(item, indent + 2, true, out);
    } else {
      out += scalar(item) + "\n";
    }
  }
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) {
    return std::string(text);
  }
  // A JSON string is a YAML double-quoted scalar, but for characters that YAML counts as line breaks or does not print.
  const std::string quoted = base::dump_json(Json(std::string(text)));
  std::string out;
  for (size_t i = 0; i < quoted.size(); ++i) {
    const auto byte = static_cast<unsigned char>(quoted[i]);
    const auto next = [&](size_t k) { return i + k < quoted.size() ? static_cast<unsigned char>(quoted[i + k]) : 0U; };
    if (byte == 0x7f) {
      out += "\\x7F";
    } else if (byte == 0xc2 && next(1) < 0xa0) {  // U+0080 to U+009F
      out += fmt::format("\\x{:02X}", next(1));
      i += 1;
    } else if (byte == 0xe2 && next(1) == 0x80 && (next(2) == 0xa8 || next(2) == 0xa9)) {  // line, paragraph separator
      out += next(2) == 0xa8 ? "\\L" : "\\P";
      i += 2;
    } else if (byte == 0xef && ((next(1) == 0xbb && next(2) == 0xbf) || (next(1) == 0xbf && next(2) >= 0xbe))) {
      out += next(1) == 0xbb ? "\\uFEFF" : next(2) == 0xbe ? "\\uFFFE" : "\\uFFFF";
      i += 2;
    } else {
      out += quoted[i];
    }
  }
  return out;
}

std::string to_yaml(const Json& value, int indent) {
  if (!is_block(value)) {
    return std::string(static_cast<size_t>(indent), ' ') + scalar(value) + "\n";
  }
  std::string out;
  write(value, indent, false, out);
  return out;
}

}  // namespace slipway::govern
