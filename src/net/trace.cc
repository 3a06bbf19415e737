#include "net/trace.h"

#include <algorithm>
#include <random>
#include <span>

#include "base/random.h"

namespace slipway::net {

namespace {

// Lower-case hex, as the standard wants it; false for anything else or zeros alone.
bool read_hex(std::string_view text, std::span<uint8_t> out) noexcept {
  bool any = false;
  for (size_t i = 0; i < out.size(); ++i) {
    uint8_t byte = 0;
    for (const char c : text.substr(2 * i, 2)) {
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) {
        return false;
      }
      byte = static_cast<uint8_t>(byte * 16 + digit);
    }
    out[i] = byte;
    any = any || byte != 0;
  }
  return any;
}

template <size_t N>
void fill_random(std::array<uint8_t, N>& id) {
  thread_local base::Rng rng = [] {
    std::random_device device;
    return base::Rng((uint64_t{device()} << 32) | device());
  }();
  do {
    for (size_t i = 0; i < N; i += 8) {
      const uint64_t bits = rng.next();
      for (size_t k = 0; k < 8; ++k) {
        id[i + k] = static_cast<uint8_t>(bits >> (8 * k));
      }
    }
  } while (std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; }));  // zeros mean: none
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) noexcept {
  constexpr size_t kLength = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') {
    return std::nullopt;
  }
  std::array<uint8_t, 1> version{};
  std::array<uint8_t, 1> flags{};
  const bool not_zero = read_hex(header.substr(0, 2), version);
  const bool first = !not_zero && header.starts_with("00");
  const bool later = not_zero && version[0] != 0xFF;
  if ((!first && !later) || (first && header.size() != kLength) ||
      (later && header.size() > kLength && header[kLength] != '-')) {
    return std::nullopt;
  }
  TraceContext context;
  if (!read_hex(header.substr(3, 32), context.trace_id) || !read_hex(header.substr(36, 16), context.span_id) ||
      (!read_hex(header.substr(53, 2), flags) && header.substr(53, 2) != "00")) {
    return std::nullopt;
  }
  context.sampled = (flags[0] & 1) != 0;
  return context;
}

TraceContext new_span(const std::optional<TraceContext>& parent) {
  TraceContext context;
  if (parent) {
    context.trace_id = parent->trace_id;
    context.sampled = parent->sampled;
  } else {
    fill_random(context.trace_id);
  }
  fill_random(context.span_id);
  return context;
}

void RequestTrace::note(std::string name, AttributeValue value) {
  const std::lock_guard lock(mutex_);
  for (auto& [known, old] : attributes_) {
    if (known == name) {
      old = std::move(value);
      return;
    }
  }
  attributes_.emplace_back(std::move(name), std::move(value));
}

void RequestTrace::count(std::string_view name, int64_t more) {
  const std::lock_guard lock(mutex_);
  for (auto& [known, old] : attributes_) {
    if (int64_t* number = known == name ? std::get_if<int64_t>(&old) : nullptr) {
      *number += more;
      return;
    }
  }
  attributes_.emplace_back(std::string(name), more);
}

std::vector<Attribute> RequestTrace::take() {
  const std::lock_guard lock(mutex_);
  return std::move(attributes_);
}

}  // namespace slipway::net
