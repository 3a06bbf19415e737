// Rows for people: aligned columns under a head, widths by what is in them. Wide characters count by code point.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace slipway::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  // Control characters in cells are shown as \xNN.
  void row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  void print(std::ostream& out, bool color) const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

// "3 min ago", "2026-11-24 13:00" when more than a day.
std::string when(int64_t unix_ms);

}  // namespace slipway::cli
