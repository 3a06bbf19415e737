#include "api/batch_reader.h"

#include <charconv>
#include <cmath>

namespace slipway::api {
namespace {

// Each function reads one thing and says whether it is of the plain form; after a "no" nothing more is asked.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool read(LogBatch& batch) {
    unsigned seen = 0;
    const bool good = object([&](std::string_view name) {
      if (name == "run_id") {
        return once(seen, 1) && text(batch.run_id) && !batch.run_id.empty();
      }
      if (name == "metrics") {
        return once(seen, 2) && list(batch.metrics, [this](BatchMetric& item) { return metric(item); });
      }
      const bool params = name == "params";
      return (params || name == "tags") && once(seen, params ? 4 : 8) &&
             list(params ? batch.params : batch.tags, [this](record::KeyValue& item) { return pair(item); });
    });
    blanks();
    return good && at_ == end_ && (seen & 1) != 0;
  }

 private:
  // False when it was seen before: of two values it would matter which one counts.
  static bool once(unsigned& seen, unsigned bit) {
    const bool first = (seen & bit) == 0;
    seen |= bit;
    return first;
  }

  void blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
    }
  }

  bool take(char c) {
    blanks();
    if (at_ == end_ || *at_ != c) {
      return false;
    }
    ++at_;
    return true;
  }

  // Printable ASCII without escapes.
  bool text(std::string_view& out) {
    if (!take('"')) {
      return false;
    }
    const char* const begin = at_;
    while (at_ != end_ && *at_ != '"') {
      if (const auto c = static_cast<unsigned char>(*at_); c < 0x20 || c >= 0x7F || c == '\\') {
        return false;
      }
      ++at_;
    }
    out = {begin, static_cast<size_t>(at_ - begin)};
    return take('"');
  }

  bool text(std::string& out) {
    std::string_view view;
    if (!text(view)) {
      return false;
    }
    out = view;
    return true;
  }

  template <class Member>
  bool object(Member member) {
    if (!take('{')) {
      return false;
    }
    if (take('}')) {
      return true;
    }
    do {
      std::string_view name;
      if (!text(name) || !take(':') || !member(name)) {
        return false;
      }
    } while (take(','));
    return take('}');
  }

  template <class T, class Item>
  bool list(std::vector<T>& out, Item item) {
    if (!take('[')) {
      return false;
    }
    if (take(']')) {
      return true;
    }
    do {
      if (!item(out.emplace_back())) {
        return false;
      }
    } while (take(','));
    return take(']');
  }

  bool digits() {
    const char* const begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') {
      ++at_;
    }
    return at_ != begin;
  }

  // A number of JSON's grammar, as it is written; `whole`: without a point or an exponent.
  bool number(std::string_view& out, bool& whole) {
    blanks();
    const char* const begin = at_;
    if (at_ != end_ && *at_ == '-') {
      ++at_;
    }
    const char* const first = at_;
    if (!digits() || (*first == '0' && at_ - first > 1)) {
      return false;
    }
    whole = true;
    if (at_ != end_ && *at_ == '.') {
      whole = false;
      ++at_;
      if (!digits()) {
        return false;
      }
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      whole = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) {
        ++at_;
      }
      if (!digits()) {
        return false;
      }
    }
    out = {begin, static_cast<size_t>(at_ - begin)};
    return true;
  }

  template <class T>
  static bool convert(std::string_view shown, T& out) {
    const auto [end, error] = std::from_chars(shown.data(), shown.data() + shown.size(), out);
    return error == std::errc() && end == shown.data() + shown.size();
  }

  bool integer(int64_t& out) {
    std::string_view shown;
    bool whole = false;
    return number(shown, whole) && whole && convert(shown, out);
  }

  // What a tree of JSON would hold: a whole number is one of 64 bits, -0 has no sign.
  bool real(double& out) {
    std::string_view shown;
    bool whole = false;
    if (!number(shown, whole)) {
      return false;
    }
    if (whole) {
      int64_t exact = 0;
      const bool fits = convert(shown, exact);
      out = static_cast<double>(exact);
      return fits;
    }
    return convert(shown, out) && std::isfinite(out);
  }

  bool metric(BatchMetric& out) {
    constexpr unsigned kNeeded = 1 | 2 | 4;
    unsigned seen = 0;
    const bool good = object([&](std::string_view name) {
      if (name == "key") {
        return once(seen, 1) && text(out.key) && !out.key.empty();
      }
      if (name == "value") {
        return once(seen, 2) && real(out.value);
      }
      if (name == "timestamp") {
        return once(seen, 4) && integer(out.time_ms);
      }
      return name == "step" && once(seen, 8) && integer(out.step);
    });
    return good && (seen & kNeeded) == kNeeded;
  }

  bool pair(record::KeyValue& out) {
    unsigned seen = 0;
    const bool good = object([&](std::string_view name) {
      if (name == "key") {
        return once(seen, 1) && text(out.key) && !out.key.empty();
      }
      return name == "value" && once(seen, 2) && text(out.value);
    });
    return good && (seen & 1) != 0;
  }

  const char* at_;
  const char* const end_;
};

}  // namespace

std::optional<LogBatch> read_plain_batch(std::string_view body) {
  LogBatch batch;
  return PlainReader(body).read(batch) ? std::optional(std::move(batch)) : std::nullopt;
}

}  // namespace slipway::api
