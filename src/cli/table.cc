#include "cli/table.h"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

#include "base/clock.h"

namespace slipway::cli {
namespace {

size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Names from files and servers are shown, not obeyed: control characters as \xNN, so that none reaches the terminal.
std::string shown(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  std::transform(cells.begin(), cells.end(), cells.begin(), shown);
  rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out, bool color) const {
  std::vector<size_t> widths;
  for (const std::string& title : head_) {
    widths.push_back(width(title));
  }
  for (const auto& cells : rows_) {
    for (size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], width(cells[i]));
    }
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      text += cells[i];
      if (i + 1 < cells.size()) {
        text.append(widths[i] - width(cells[i]) + 2, ' ');
      }
    }
    return text;
  };
  out << (color ? "\033[1m" : "") << line(head_) << (color ? "\033[0m" : "") << '\n';
  for (const auto& cells : rows_) {
    out << line(cells) << '\n';
  }
}

std::string when(int64_t unix_ms) {
  if (unix_ms == 0) {
    return "-";
  }
  const double seconds = static_cast<double>(base::SystemClock().unix_ms() - unix_ms) / 1000;
  if (seconds < 90) {
    return fmt::format("{:.0f} s ago", std::max(seconds, 0.0));
  }
  if (seconds < 5400) {
    return fmt::format("{:.0f} min ago", seconds / 60);
  }
  if (seconds < 86400) {
    return fmt::format("{:.0f} h ago", seconds / 3600);
  }
  std::string text = base::iso8601(unix_ms).substr(0, 16);
  text[10] = ' ';
  return text;
}

}  // namespace slipway::cli
