#include "govern/html.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace slipway::govern::html {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kDash = "–";

// Length of the valid UTF-8 character that begins at `at`; 0 when there is none.
size_t character(std::string_view text, size_t at) noexcept {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned lead = byte(at);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xc2 && lead < 0xe0) {
    return follows(at + 1) ? 2 : 0;
  }
  if (lead >= 0xe0 && lead < 0xf0) {
    const unsigned second = byte(at + 1);
    const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0);
    return !bad && follows(at + 1) && follows(at + 2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5) {
    const unsigned second = byte(at + 1);
    const bool bad = (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90);
    return !bad && follows(at + 1) && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t i = 0; i < text.size();) {
    const size_t length = character(text, i);
    const char c = text[i];
    if (length == 0) {
      out += kReplacement;
      ++i;
    } else if (length > 1) {
      out += text.substr(i, length);
      i += length;
    } else {
      ++i;
      switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default:
          out += (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f
                     ? std::string(kReplacement)
                     : std::string(1, c);
      }
    }
  }
  return out;
}

std::string shorten(std::string_view text, size_t max_characters) {
  size_t at = 0;
  for (size_t n = 0; at < text.size(); ++n) {
    if (n == max_characters) {
      return std::string(text.substr(0, at)) + "…";
    }
    at += std::max<size_t>(1, character(text, at));
  }
  return std::string(text);
}

std::string number(double value, int significant) {
  return std::isfinite(value) ? fmt::format("{:.{}g}", value, significant) : std::string(kDash);
}

std::string fixed(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : std::string(kDash);
}

std::string signed_fixed(double value, int decimals) {
  if (!std::isfinite(value)) {
    return std::string(kDash);
  }
  return (value < 0 ? "−" : "+") + fmt::format("{:.{}f}", std::fabs(value), decimals);
}

std::string count(double value) {
  if (!std::isfinite(value) || std::fabs(value) > 1e15) {
    return number(value);
  }
  std::string digits = fmt::format("{:.0f}", std::fabs(value));
  for (size_t i = digits.size(); i > 3; i -= 3) {
    digits.insert(i - 3, ",");
  }
  return (value < 0 && digits != "0" ? "−" : "") + digits;
}

std::string percent(double share, int decimals) {
  return std::isfinite(share) ? fmt::format("{:.{}f}%", 100 * share, decimals) : std::string(kDash);
}

std::string bytes(double value) {
  if (!std::isfinite(value)) {
    return std::string(kDash);
  }
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (std::fabs(value) >= 999.5 && unit < 4) {  // what would be rounded to 1000 is 1.0 of the next
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, unit == 0 || value >= 100 ? 0 : 1, units[unit]);
}

std::string seconds(double value) {
  if (!std::isfinite(value)) {
    return std::string(kDash);
  }
  // Limits are where rounding would reach the next unit.
  if (value < 0.0009995) {
    return fmt::format("{:.0f} µs", value * 1e6);
  }
  if (value < 0.9995) {
    return fmt::format("{:.0f} ms", value * 1e3);
  }
  if (value < 59.95) {
    return fmt::format("{:.1f} s", value);
  }
  const auto whole = std::llround(std::min(value, 1e12));
  return whole < 3600 ? fmt::format("{} min {} s", whole / 60, whole % 60)
                      : fmt::format("{} h {} min", whole / 3600, (whole % 3600) / 60);
}

const Json& at(const Json& json, std::string_view path) {
  static const Json kNull;
  const Json* current = &json;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    if (!current->is_object()) {
      return kNull;
    }
    const auto it = current->find(path.substr(0, dot));
    if (it == current->end()) {
      return kNull;
    }
    current = &*it;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return *current;
}

bool has(const Json& json, std::string_view path) {
  const Json& found = at(json, path);
  return !found.is_null() && !((found.is_object() || found.is_array()) && found.empty());
}

double number_at(const Json& json, std::string_view path) {
  const Json& found = at(json, path);
  return found.is_number() ? found.get<double>() : kNan;
}

std::string text_at(const Json& json, std::string_view path, std::string_view fallback) {
  return text_of(at(json, path), fallback);
}

std::string text_of(const Json& found, std::string_view fallback) {
  if (found.is_string()) {
    return found.get<std::string>();
  }
  if (found.is_number_integer()) {
    return found.dump();
  }
  if (found.is_number()) {
    return number(found.get<double>());
  }
  if (found.is_boolean()) {
    return found.get<bool>() ? "yes" : "no";
  }
  return std::string(fallback);
}

std::string_view CodePoints::take(double until) {
  const size_t begin = at_;
  for (; at_ < text_.size() && points_ < until; ++points_) {
    at_ += std::max<size_t>(1, character(text_, at_));
  }
  return text_.substr(begin, at_ - begin);
}

bool Estimate::known() const { return std::isfinite(value); }
bool Estimate::has_interval() const { return known() && std::isfinite(low) && std::isfinite(high); }

Estimate estimate_of(const Json& json) {
  if (json.is_number()) {
    return {json.get<double>(), kNan, kNan, kNan};
  }
  return {number_at(json, "value"), number_at(json, "low"), number_at(json, "high"), number_at(json, "n")};
}

Estimate estimate_at(const Json& json, std::string_view path) { return estimate_of(at(json, path)); }

std::string interval(const Estimate& estimate, int decimals) {
  return estimate.has_interval() ? fixed(estimate.low, decimals) + " – " + fixed(estimate.high, decimals)
                                 : std::string(kDash);
}

std::string percent_interval(const Estimate& estimate, int decimals) {
  return estimate.has_interval()
             ? fmt::format("{:.{}f} – {:.{}f}%", 100 * estimate.low, decimals, 100 * estimate.high, decimals)
             : std::string(kDash);
}

std::string row(const std::vector<std::string>& cells, std::string_view tag) {
  std::string out = "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool header = i == 0 && tag == "td";
    out += header ? fmt::format("<th scope=\"row\">{}</th>", cells[i]) : fmt::format("<{0}>{1}</{0}>", tag, cells[i]);
  }
  return out + "</tr>\n";
}

std::string table(std::string_view caption, const std::vector<std::string>& head, const std::vector<std::string>& rows,
                  size_t numeric) {
  std::string out = "<div class=\"scroll\"><table>";
  out += caption.empty() ? "" : fmt::format("<caption>{}</caption>", escape(caption));
  const bool with_head = std::any_of(head.begin(), head.end(), [](const std::string& text) { return !text.empty(); });
  out += with_head ? "<thead><tr>" : "";
  for (size_t i = 0; with_head && i < head.size(); ++i) {
    out += fmt::format("<th scope=\"col\"{}>{}</th>", i >= numeric ? " class=\"r\"" : "", escape(head[i]));
  }
  out += fmt::format("{}<tbody class=\"r{}\">\n", with_head ? "</tr></thead>" : "", numeric);
  for (const std::string& one : rows) {
    out += one;
  }
  return out + "</tbody></table></div>\n";
}

std::string absent(std::string_view what) {
  return fmt::format("<p class=\"absent\">Not measured: {}</p>\n", escape(what));
}

std::string code(std::string_view text, size_t max_characters) {
  const std::string cut = shorten(text, max_characters);
  return fmt::format("<code{}>{}</code>", cut.size() == text.size() ? "" : fmt::format(" title=\"{}\"", escape(text)),
                     escape(cut));
}

}  // namespace slipway::govern::html
