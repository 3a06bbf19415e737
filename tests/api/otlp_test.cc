// Spans from OpenTelemetry's exporters: both encodings give the same, and broken bytes are refused.
#include <gtest/gtest.h>
#include <random>

#include "api/otlp_reader.h"
#include "base/error.h"

namespace slipway::api {
namespace {

// A field of protocol buffers: with a length, a fixed number, a varint.
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) {
    out += static_cast<char>(value | 0x80);
  }
  return out + static_cast<char>(value);
}
std::string bytes(int field, const std::string& value) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}
std::string fixed(int field, uint64_t value) {
  std::string out = varint(static_cast<uint64_t>(field) << 3 | 1);
  for (int i = 0; i < 8; ++i, value >>= 8) {
    out += static_cast<char>(value);
  }
  return out;
}
std::string number(int field, uint64_t value) { return varint(static_cast<uint64_t>(field) << 3) + varint(value); }
std::string pair(const std::string& key, const std::string& value) { return bytes(1, key) + bytes(2, value); }

const std::string kTrace(16, '\x11');
const std::string kSpan(8, '\x22');

std::string span_bytes() {
  return bytes(1, kTrace) + bytes(2, kSpan) + bytes(5, "root") + fixed(7, 1'000'000'000) + fixed(8, 3'000'000'000) +
         bytes(9, pair("mlflow.spanType", bytes(1, "LLM"))) + bytes(9, pair("n", number(3, 7))) +
         bytes(9, pair("list", bytes(5, bytes(1, number(2, 1)) + bytes(1, fixed(4, 0x3FE0000000000000))))) +
         bytes(9, pair("map", bytes(6, bytes(1, pair("k", bytes(1, "v")))))) +
         bytes(11, fixed(1, 5) + bytes(2, "event") + bytes(3, pair("e", bytes(1, "x")))) +
         bytes(15, bytes(2, "bad") + number(3, 2));
}
std::string request_bytes(const std::string& span) {
  return bytes(1, bytes(1, bytes(1, pair("service.name", bytes(1, "shop")))) + bytes(2, bytes(2, span)));
}
constexpr const char* kJson = R"({"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
  "scopeSpans": [{"spans": [{"traceId": "11111111111111111111111111111111", "spanId": "2222222222222222", "name": "root",
    "startTimeUnixNano": "1000000000", "endTimeUnixNano": 3000000000,
    "attributes": [{"key": "mlflow.spanType", "value": {"stringValue": "LLM"}}, {"key": "n", "value": {"intValue": "7"}},
      {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": true}, {"doubleValue": 0.5}]}}},
      {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}}],
    "events": [{"timeUnixNano": "5", "name": "event", "attributes": [{"key": "e", "value": {"stringValue": "x"}}]}],
    "status": {"code": "STATUS_CODE_ERROR", "message": "bad"}}]}]}]})";

TEST(Otlp, BothEncodingsGiveTheSame) {
  const auto from_bytes = batches_of(read_otlp_protobuf(request_bytes(span_bytes())));
  const auto from_json = batches_of(read_otlp_json(kJson));
  ASSERT_EQ(from_bytes.size(), 1U);
  ASSERT_EQ(from_json.size(), 1U);
  const record::SpanBatch& batch = from_bytes.front();
  EXPECT_EQ(batch.trace_id, "tr-11111111111111111111111111111111");
  EXPECT_EQ(batch.state, "ERROR");
  ASSERT_EQ(batch.tags.size(), 1U);
  EXPECT_EQ(batch.tags.front(), (record::KeyValue{"service.name", "shop"}));
  ASSERT_EQ(batch.spans.size(), 1U);
  const record::TraceSpan& span = batch.spans.front();
  EXPECT_EQ(span.id, "2222222222222222");
  EXPECT_EQ(span.parent, "");
  EXPECT_EQ(span.type, "LLM");
  EXPECT_EQ(span.status, "ERROR");
  EXPECT_EQ(span.end_ns, 3'000'000'000);
  EXPECT_EQ(span.content, from_json.front().spans.front().content);
  const Json answer = span_answer(span);
  EXPECT_EQ(answer["trace_id"], "EREREREREREREREREREREQ==");
  EXPECT_EQ(answer["status"], (Json{{"message", "bad"}, {"code", "STATUS_CODE_ERROR"}}));
  EXPECT_EQ(answer["attributes"][1], (Json{{"key", "n"}, {"value", {{"int_value", 7}}}}));
  EXPECT_EQ(answer["attributes"][3]["value"]["kvlist_value"]["values"][0]["key"], "k");
  EXPECT_EQ(answer["events"][0]["name"], "event");
}

TEST(Otlp, ATraceTakesWhatItsSpansTell) {
  IncomingSpans group;
  IncomingSpan root;
  root.trace_id = kTrace;
  root.id = kSpan;
  root.attributes = {
      {"mlflow.spanInputs",
       {{"messages", {{{"role", "system"}, {"content", "be good"}}, {{"role", "user"}, {"content", "hello"}}}}}},
      {"mlflow.spanOutputs", std::string(2000, 'x')},
      {"mlflow.traceTag.mlflow.traceName", "named"},
      {"session.id", "s1"},
      {"mlflow.chat.tokenUsage", {{"input_tokens", 5}}}};
  IncomingSpan below = root;
  below.id = std::string(8, '\x33');
  below.parent_id = kSpan;
  below.attributes = {{"mlflow.chat.tokenUsage", {{"input_tokens", 3}}}};  // part of its parent's
  IncomingSpan other = below;
  other.id = std::string(8, '\x44');
  other.parent_id = std::string(8, '\x55');  // of a span that is not there
  other.attributes = {{"mlflow.chat.tokenUsage", {{"input_tokens", 2}}}};
  group.spans = {below, root, other};
  const auto batches = batches_of({group});
  ASSERT_EQ(batches.size(), 1U);
  const record::SpanBatch& batch = batches.front();
  EXPECT_EQ(batch.state, "OK");
  EXPECT_EQ(batch.request_preview, "hello");
  EXPECT_EQ(batch.response_preview->size(), 1000U);
  EXPECT_TRUE(batch.response_preview->ends_with("..."));
  EXPECT_EQ(batch.tags, (std::vector<record::KeyValue>{{"mlflow.traceName", "named"}}));
  EXPECT_EQ(batch.metadata, (std::vector<record::KeyValue>{{"mlflow.trace.session", "s1"},
                                                           {"mlflow.trace.tokenUsage", R"({"input_tokens": 7})"}}));
}

TEST(Otlp, BrokenBytesAreRefused) {
  const std::string whole = request_bytes(span_bytes());
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_THROW(read_otlp_protobuf(whole.substr(0, size)), base::Error) << size;
  }
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string changed = whole;
    changed[random() % changed.size()] = static_cast<char>(random());
    try {
      batches_of(read_otlp_protobuf(changed));
    } catch (const base::Error&) {
      // refused
    }
  }
  EXPECT_THROW(read_otlp_protobuf(request_bytes(bytes(1, "short") + bytes(2, kSpan))), base::Error);
  EXPECT_THROW(read_otlp_protobuf(request_bytes(bytes(1, kTrace) + bytes(2, kSpan) + bytes(5, "\xFF"))), base::Error);
  std::string deep = bytes(1, "x");
  for (int i = 0; i < 100; ++i) {
    deep = bytes(5, bytes(1, deep));
  }
  EXPECT_THROW(read_otlp_protobuf(request_bytes(bytes(1, kTrace) + bytes(2, kSpan) + bytes(9, pair("k", deep)))),
               base::Error);
  EXPECT_THROW(read_otlp_protobuf(request_bytes(span_bytes()), {0, 32}), base::Error);
}

TEST(Otlp, BrokenJsonIsRefused) {
  for (const char* text :
       {"", "[]", "{\"resourceSpans\": 1}", "{\"resourceSpans\": [1]}",
        R"({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]})",
        R"({"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]})",
        R"({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "11111111111111111111111111111111",
                              "spanId": "2222222222222222", "startTimeUnixNano": "-5x"}]}]}]})"}) {
    EXPECT_THROW(read_otlp_json(text), base::Error) << text;
  }
  EXPECT_TRUE(read_otlp_json("{}").empty());
}

}  // namespace
}  // namespace slipway::api
