// The live line of a task: bar, share, rate, ETA and a short note on a terminal; elsewhere one plain line every ten seconds
// and one at the end. Any thread may report; the line is redrawn at most ten times a second.
#pragma once

#include <iosfwd>
#include <mutex>
#include <string>

#include "base/progress.h"

namespace slipway::cli {

class LineProgress final : public base::Progress {
 public:
  struct Style {
    bool live = false;   // a terminal: redraw in place
    bool color = false;
    bool quiet = false;  // say nothing at all
  };
  LineProgress(std::ostream& err, Style style) : err_(err), style_(style) {}

  void start(std::string_view task, int64_t total, std::string_view unit) override;
  void update(int64_t done, std::string_view note) override;
  void finish(std::string_view summary) override;
  // A line of its own above the live one ("✓ clean  cached").
  void print_line(const std::string& line);

 private:
  void draw(double now);
  std::ostream& err_;
  const Style style_;
  std::mutex mutex_;
  std::string task_;
  std::string unit_;
  std::string note_;
  int64_t total_ = 0;
  int64_t done_ = 0;
  int64_t from_ = 0;  // what was done at `started_`
  double started_ = 0;
  double drawn_ = 0;
  bool line_open_ = false;
};

// "12,345"; "1.2 MB" for the unit "bytes".
std::string human_count(int64_t count, const std::string& unit);

}  // namespace slipway::cli
