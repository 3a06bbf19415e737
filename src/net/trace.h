// Traces of requests: W3C Trace Context in, one span a request out. What a request's handlers note of it is kept in a
// RequestTrace; when the exchange has ended the server makes a Span of it and hands it to a sink (otlp.h sends them to a
// collector). Nothing here holds a prompt or an answer unless a handler notes one, which ours do not.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace slipway::net {

// https://www.w3.org/TR/trace-context/: who called, and whether it is recorded.
struct TraceContext {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};
  bool sampled = true;
};
// Of a traceparent header ("00-TRACEID-SPANID-FLAGS"); empty when it is not one, or all its digits are zero. A version
// above 00 may have more fields, which are ignored.
std::optional<TraceContext> parse_traceparent(std::string_view header) noexcept;
// A new trace, or a new span in the trace of `parent`: fresh random ids.
TraceContext new_span(const std::optional<TraceContext>& parent);

using AttributeValue = std::variant<std::string, int64_t, double, bool, std::vector<std::string>>;
using Attribute = std::pair<std::string, AttributeValue>;

struct Span {
  TraceContext context;                               // span_id: its own
  std::optional<std::array<uint8_t, 8>> parent = {};  // none: the root of a trace
  std::string name = {};
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;
  bool failed = false;
  std::vector<Attribute> attributes = {};
};
// Must be quick, and safe from any thread.
using SpanSink = std::function<void(Span)>;

// What is noted of one request while it is under way. Any thread.
class RequestTrace {
 public:
  // A later value of the same name replaces the earlier one.
  void note(std::string name, AttributeValue value);
  // Adds to a whole number.
  void count(std::string_view name, int64_t more);
  std::vector<Attribute> take();

 private:
  std::mutex mutex_;  // guards attributes_
  std::vector<Attribute> attributes_;
};

}  // namespace slipway::net
