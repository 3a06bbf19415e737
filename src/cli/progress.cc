#include "cli/progress.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "base/clock.h"

namespace slipway::cli {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainSeconds = 10;
constexpr int kBarCells = 24;

std::string grouped(int64_t count) {
  std::string digits = std::to_string(count);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<size_t>(i), ",");
  }
  return digits;
}

// Eighths of a cell, so that a slow step still visibly moves.
std::string bar(double share) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarCells * 8);
  std::string cells;
  int used = eighths / 8;
  for (int i = 0; i < used; ++i) {
    cells += "█";
  }
  if (eighths % 8 != 0) {
    cells += kEighths[eighths % 8];
    ++used;
  }
  for (; used < kBarCells; ++used) {
    cells += "·";
  }
  return cells;
}

bool is_bytes(const std::string& unit) { return unit == "bytes" || unit == "B"; }

std::string rate_text(double rate, const std::string& unit) {
  if (is_bytes(unit)) {
    return fmt::format("{:.1f} MB/s", rate / 1e6);
  }
  return rate >= 100 ? fmt::format("{} {}/s", grouped(static_cast<int64_t>(rate)), unit)
                     : fmt::format("{:.1f} {}/s", rate, unit);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string human_count(int64_t count, const std::string& unit) {
  if (is_bytes(unit)) {
    return count >= 1'000'000'000 ? fmt::format("{:.1f} GB", static_cast<double>(count) / 1e9)
           : count >= 1'000'000   ? fmt::format("{:.1f} MB", static_cast<double>(count) / 1e6)
                                  : fmt::format("{:.1f} kB", static_cast<double>(count) / 1e3);
  }
  return unit.empty() ? grouped(count) : grouped(count) + " " + unit;
}

void LineProgress::start(std::string_view task, int64_t total, std::string_view unit) {
  const std::lock_guard lock(mutex_);
  task_ = task;
  unit_ = unit;
  note_.clear();
  total_ = total;
  done_ = 0;
  from_ = 0;
  started_ = base::monotonic_seconds();
  drawn_ = style_.live ? 0 : started_;
  if (style_.live) {
    draw(started_);
  }
}

void LineProgress::update(int64_t done, std::string_view note) {
  const std::lock_guard lock(mutex_);
  const double now = base::monotonic_seconds();
  if (done < done_) {  // another pass over the same: its rate is its own
    from_ = done;
    started_ = now;
  }
  done_ = done;
  note_ = note;
  if (now - drawn_ >= (style_.live ? kRedrawSeconds : kPlainSeconds)) {
    draw(now);
  }
}

void LineProgress::draw(double now) {
  if (style_.quiet || task_.empty()) {
    return;
  }
  drawn_ = now;
  const double seconds = now - started_;
  const double rate = seconds > 0 ? static_cast<double>(done_ - from_) / seconds : 0;
  std::string line = fmt::format("{:<12}", task_);
  if (total_ > 0) {
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    line += style_.live ? fmt::format(" {} {:3.0f}%", bar(share), share * 100) : fmt::format(" {:3.0f}%", share * 100);
  }
  line += "  " + human_count(done_, unit_);
  if (done_ > from_ && seconds > 0.2) {
    line += " · " + rate_text(rate, unit_);
    if (total_ > done_) {
      line += " · ETA " + clock_text(static_cast<double>(total_ - done_) / rate);
    }
  }
  if (!note_.empty()) {
    line += " · " + note_;
  }
  if (style_.live) {
    // Without wrapping while it is drawn: what is wider than the terminal is cut by it, and the next line replaces all of this one.
    err_ << "\r\033[2K\033[?7l" << (style_.color ? "\033[36m" : "") << line << (style_.color ? "\033[0m" : "") << "\033[?7h";
    line_open_ = true;
  } else {
    err_ << line << '\n';
  }
  err_.flush();
}

void LineProgress::finish(std::string_view summary) {
  const std::lock_guard lock(mutex_);
  if (!style_.quiet && !task_.empty()) {
    if (line_open_) {
      err_ << "\r\033[2K";
      line_open_ = false;
    }
    if (!summary.empty()) {
      err_ << fmt::format("{:<12}  {}", task_, summary) << '\n';
    }
    err_.flush();
  }
  task_.clear();
}

void LineProgress::print_line(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (style_.quiet) {
    return;
  }
  if (line_open_) {
    err_ << "\r\033[2K";
    line_open_ = false;
  }
  err_ << line << '\n';
  err_.flush();
}

}  // namespace slipway::cli
