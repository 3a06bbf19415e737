#include "cli/text_stream.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <istream>
#include <ostream>
#include <vector>

#include "base/error.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "data/conll.h"
#include "text/unicode.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

constexpr size_t kBlock = size_t{256} << 10;    // long enough that handing it to a thread costs nothing
constexpr size_t kMaxUnit = size_t{16} << 20;   // as other readers of lines

// After the last place at or before `limit` where a block may end; 0 when there is none.
size_t last_end(std::string_view text, size_t limit, BlockEnd end) {
  while (limit > 0) {
    const size_t newline = text.rfind('\n', limit - 1);
    if (newline == std::string_view::npos) {
      return 0;
    }
    if (end == BlockEnd::kLine) {
      return newline + 1;
    }
    const size_t before = newline == 0 ? std::string_view::npos : text.rfind('\n', newline - 1);
    const size_t begin = before == std::string_view::npos ? 0 : before + 1;
    if (data::is_conll_separator(text.substr(begin, newline - begin))) {
      return newline + 1;
    }
    limit = newline;
  }
  return 0;
}

// The first place after `from` where a block may end; the text's size when there is none.
size_t first_end(std::string_view text, size_t from, BlockEnd end) {
  while (true) {
    const size_t newline = text.find('\n', from);
    if (newline == std::string_view::npos) {
      return text.size();
    }
    const size_t before = newline == 0 ? std::string_view::npos : text.rfind('\n', newline - 1);
    const size_t begin = before == std::string_view::npos ? 0 : before + 1;
    if (end == BlockEnd::kLine || data::is_conll_separator(text.substr(begin, newline - begin))) {
      return newline + 1;
    }
    from = newline + 1;
  }
}

class Stream {
 public:
  Stream(App& app, BlockEnd end, const BlockFunction& work) : app_(app), end_(end), work_(work), target_(kBlock * static_cast<size_t>(app.pool().size())) {}

  void run(const std::function<void(std::string_view text)>& begin) {
    bool begun = !begin;
    while (!at_end_ || !buffer_.empty()) {
      if (app_.stop().stop_requested()) {
        throw Error(Code::kInterrupted, "stopped");
      }
      const size_t ready = fill();
      if (!begun) {
        begin(buffer_);
        begun = true;
      }
      process(std::string_view(buffer_).substr(0, ready));
      buffer_.erase(0, ready);
      if (!app_.out()) {
        return;  // nobody reads on: main says what that means
      }
    }
  }

 private:
  // Reads until there is enough to do, or nothing more for now; returns how much may be worked on.
  size_t fill() {
    std::streambuf* const in = app_.in().rdbuf();
    size_t ready = 0;
    while (!at_end_) {
      ready = last_end(buffer_, buffer_.size(), end_);
      if (ready >= target_ || (ready > 0 && in->in_avail() <= 0)) {
        return ready;
      }
      if (buffer_.size() - ready > kMaxUnit) {
        process(std::string_view(buffer_).substr(0, ready));
        throw Error(Code::kInvalid, fmt::format("{}:{}: the {} is longer than {} MiB", kStandardInput, line_,
                                                end_ == BlockEnd::kLine ? "line" : "sentence that begins here", kMaxUnit >> 20));
      }
      if (in->sgetc() == std::char_traits<char>::eof()) {
        at_end_ = true;
        break;
      }
      const auto there = static_cast<size_t>(std::clamp<std::streamsize>(in->in_avail(), 1, std::streamsize{kBlock}));
      const size_t old = buffer_.size();
      buffer_.resize(old + there);
      buffer_.resize(old + static_cast<size_t>(in->sgetn(buffer_.data() + old, static_cast<std::streamsize>(there))));
    }
    return buffer_.size();
  }

  void process(std::string_view text) {
    struct Part {
      std::string_view text;
      uint64_t line;
      std::string out;
      std::exception_ptr error;
    };
    std::vector<Part> parts;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.size() - begin <= kBlock ? text.size() : begin + first_end(text.substr(begin), kBlock, end_);
      const std::string_view part = text.substr(begin, end - begin);
      parts.push_back({part, line_, {}, nullptr});
      line_ += static_cast<uint64_t>(std::count(part.begin(), part.end(), '\n'));
      begin = end;
    }
    app_.pool().parallel_for(static_cast<int64_t>(parts.size()), [&](int64_t i) {
      Part& part = parts[static_cast<size_t>(i)];
      try {
        work_(part.text, part.line, part.out);
      } catch (...) {
        part.error = std::current_exception();
      }
    });
    for (const Part& part : parts) {
      app_.out().write(part.out.data(), static_cast<std::streamsize>(part.out.size()));
      if (part.error) {
        app_.out().flush();
        std::rethrow_exception(part.error);
      }
    }
    app_.out().flush();
  }

  App& app_;
  BlockEnd end_;
  const BlockFunction& work_;
  size_t target_;
  std::string buffer_;
  uint64_t line_ = 1;
  bool at_end_ = false;
};

}  // namespace

void stream_blocks(App& app, BlockEnd end, const BlockFunction& work, const std::function<void(std::string_view text)>& begin) {
  Stream(app, end, work).run(begin);
}

void for_each_line(std::string_view block, uint64_t first_line, bool replace,
                   const std::function<void(std::string_view line, uint64_t number)>& take) {
  for (uint64_t number = first_line; !block.empty(); ++number) {
    const size_t newline = block.find('\n');
    std::string_view line = block.substr(0, newline);
    block = newline == std::string_view::npos ? std::string_view() : block.substr(newline + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (text::is_valid_utf8(line)) {
      take(line, number);
    } else if (replace) {
      take(text::sanitize_utf8(line), number);
    } else {
      size_t at = 0;
      for (size_t size = base::utf8_length(line); size > 0; size = base::utf8_length(line.substr(at))) {
        at += size;
      }
      throw Error(Code::kInvalid, fmt::format("{}:{}: byte {} of the line is no UTF-8; --errors replace puts U+FFFD in its place",
                                              kStandardInput, number, at + 1));
    }
  }
}

}  // namespace slipway::cli
