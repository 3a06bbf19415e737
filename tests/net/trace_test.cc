#include "net/trace.h"

#include <condition_variable>
#include <map>

#include "net/client.h"
#include "net/otlp.h"
#include "net/responder.h"
#include "net/server.h"
#include "support/support.h"

namespace slipway::net {
namespace {

constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, ReadsTraceparent) {
  const auto context = parse_traceparent(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id[0], 0x4b);
  EXPECT_EQ(context->trace_id[15], 0x36);
  EXPECT_EQ(context->span_id[7], 0xb7);
  EXPECT_TRUE(context->sampled);
  EXPECT_FALSE(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled);
  EXPECT_TRUE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
  for (const char* wrong : {"", "00", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
                            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more"}) {
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
  }
}

TEST(Trace, NewSpansStayInTheTrace) {
  const auto parent = parse_traceparent(kParent);
  const TraceContext child = new_span(parent);
  EXPECT_EQ(child.trace_id, parent->trace_id);
  EXPECT_NE(child.span_id, parent->span_id);
  EXPECT_NE(new_span({}).trace_id, new_span({}).trace_id);
}

// Spans of both servers come here.
class Sink {
 public:
  SpanSink sink() {
    return [this](Span span) {
      const std::lock_guard lock(mutex_);
      spans_.push_back(std::move(span));
      changed_.notify_all();
    };
  }
  std::vector<Span> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return spans_.size() >= count; }));
    return spans_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Span> spans_;
};

std::map<std::string, AttributeValue> map_of(const Span& span) {
  return {span.attributes.begin(), span.attributes.end()};
}

Router noting_router() {
  Router router;
  const auto note = [](const Request& request, const Responder& responder) {
    if (const auto trace = responder.trace()) {
      trace->note("gen_ai.operation.name", std::string("chat"));
      trace->note("gen_ai.request.model", std::string("m"));
      trace->count("gen_ai.usage.output_tokens", 2);
      trace->count("gen_ai.usage.output_tokens", 3);
    }
    responder.send(request.body == "bad" ? error_response(500, "words") : text_response("ok"));
  };
  router.add("POST", "/note/{id}", note);
  router.add("POST", "/test.Test/Note", note);
  router.add("GET", "/plain", [](const Request&, const Responder& responder) { responder.send(text_response("")); });
  return router;
}

TEST(Trace, AnHttpRequestIsOneSpan) {
  Sink sink;
  base::Log log;
  HttpServer server({}, noting_router(), log, {}, {}, sink.sink());
  server.start();
  HttpClient client(server.url());
  const int64_t before = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  client.request("POST", "/note/1", "good", {{"traceparent", kParent}, {"x-request-id", "r-1"}});
  client.request("POST", "/note/1", "bad");
  client.request("GET", "/plain", "", {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}});
  client.get("/plain");
  client.get("/nothing");
  const std::vector<Span> spans = sink.wait_for(4);  // none for what its caller does not record
  ASSERT_EQ(spans.size(), 4U);
  EXPECT_EQ(spans[0].name, "chat m");
  EXPECT_EQ(spans[0].context.trace_id, parse_traceparent(kParent)->trace_id);
  EXPECT_EQ(spans[0].parent, parse_traceparent(kParent)->span_id);
  EXPECT_GE(spans[0].start_unix_ns, before);
  EXPECT_GE(spans[0].end_unix_ns, spans[0].start_unix_ns);
  EXPECT_FALSE(spans[0].failed);
  const auto first = map_of(spans[0]);
  EXPECT_EQ(first.at("gen_ai.usage.output_tokens"), AttributeValue(int64_t{5}));
  EXPECT_EQ(first.at("http.request.method"), AttributeValue("POST"));
  EXPECT_EQ(first.at("http.route"), AttributeValue("/note/{id}"));
  EXPECT_EQ(first.at("http.response.status_code"), AttributeValue(int64_t{200}));
  EXPECT_EQ(first.at("slipway.request.id"), AttributeValue("r-1"));
  EXPECT_EQ(first.count("error.type"), 0U);
  EXPECT_TRUE(spans[1].failed);
  EXPECT_FALSE(spans[1].parent);
  EXPECT_EQ(map_of(spans[1]).at("error.type"), AttributeValue("500"));
  EXPECT_EQ(spans[2].name, "GET /plain");
  EXPECT_EQ(spans[3].name, "GET");
  EXPECT_FALSE(spans[3].failed);
}

// A collector that keeps what it is sent, or answers a status of its own.
class Collector {
 public:
  Collector() : server_({}, router(), log_) { server_.start(); }
  std::string url() const { return server_.url(); }
  void answer_with(int status, std::string body = "{}") {
    const std::lock_guard lock(mutex_);
    status_ = status;
    body_ = std::move(body);
  }
  std::vector<Request> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return requests_.size() >= count; }));
    return requests_;
  }
  void stop() { server_.stop(); }

 private:
  Router router() {
    Router router;
    router.add("POST", "/v1/traces", [this](Request request, const Responder& responder) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
      responder.send(Response{status_, {{"Content-Type", "application/json"}}, body_});
      changed_.notify_all();
    });
    return router;
  }
  base::Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  int status_ = 200;
  std::string body_ = "{}";
  HttpServer server_;
};

Span span_named(const std::string& name) {
  Span span;
  span.context = new_span({});
  span.name = name;
  span.start_unix_ns = 1'700'000'000'000'000'001;
  span.end_unix_ns = 1'700'000'000'000'000'002;
  return span;
}

class OtlpTest : public ::testing::Test {
 protected:
  OtlpOptions options(const std::string& url) {
    OtlpOptions options;
    options.endpoint = url;
    options.add_environment([](const char*) -> const char* { return nullptr; });
    options.delay = std::chrono::milliseconds(1);
    options.max_backoff = std::chrono::milliseconds(5);
    return options;
  }
  double dropped(const char* reason) {
    return metrics_.counter("slipway_spans_dropped_total", "Spans that were not sent.", {"reason"}, {reason}).value();
  }
  double exported() {
    return metrics_.counter("slipway_spans_exported_total", "Spans that the collector took.").value();
  }
  base::Log log_;
  MetricRegistry metrics_;
};

TEST_F(OtlpTest, WritesTheStandardsJson) {
  OtlpOptions options;
  options.service = "movies";
  options.resource = {{"deployment.environment.name", "test"}};
  Span span = span_named("chat m");
  span.context = *parse_traceparent(kParent);
  span.parent = span.context.span_id;
  span.failed = true;
  span.attributes = {{"text", "t"}, {"whole", int64_t{-7}}, {"number", 0.5}, {"flag", true},
                     {"list", std::vector<std::string>{"stop", "length"}}};
  const Json body = base::parse_json(otlp_json(options, "1.2.3", {&span, 1}), "the body");
  const Json& resource = body["resourceSpans"][0];
  EXPECT_EQ(resource["resource"]["attributes"][0], Json::parse(R"({"key":"service.name","value":{"stringValue":"movies"}})"));
  EXPECT_EQ(resource["resource"]["attributes"].back()["key"], "deployment.environment.name");
  EXPECT_EQ(resource["scopeSpans"][0]["scope"], Json::parse(R"({"name":"slipway","version":"1.2.3"})"));
  EXPECT_EQ(resource["scopeSpans"][0]["spans"][0], Json::parse(R"({
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "chat m", "kind": 2,
    "startTimeUnixNano": "1700000000000000001", "endTimeUnixNano": "1700000000000000002", "attributes": [
      {"key": "text", "value": {"stringValue": "t"}}, {"key": "whole", "value": {"intValue": "-7"}},
      {"key": "number", "value": {"doubleValue": 0.5}}, {"key": "flag", "value": {"boolValue": true}},
      {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "stop"}, {"stringValue": "length"}]}}}],
    "flags": 769, "status": {"code": 2}, "parentSpanId": "00f067aa0ba902b7"})"));
}

TEST_F(OtlpTest, SendsBatchesAndFlushesAtTheEnd) {
  Collector collector;
  OtlpOptions made = options(collector.url());
  made.max_batch = 10;
  made.headers.add("x-collector-key", "k");
  OtlpExporter exporter(made, "1", metrics_, log_);
  for (int i = 0; i < 95; ++i) {
    EXPECT_TRUE(exporter.push(span_named(std::to_string(i))));
  }
  exporter.stop(std::chrono::seconds(20));
  EXPECT_FALSE(exporter.push(span_named("late")));
  EXPECT_EQ(exported(), 95);
  int next = 0;
  for (const Request& request : collector.wait_for(10)) {
    EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
    EXPECT_EQ(request.headers.get("x-collector-key"), "k");
    const Json body = base::parse_json(request.body, "the body");
    const Json& spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"];
    EXPECT_LE(spans.size(), 10U);
    for (const Json& span : spans) {
      EXPECT_EQ(span["name"], std::to_string(next++));
    }
  }
  EXPECT_EQ(next, 95);
  EXPECT_EQ(dropped("queue_full"), 1);  // the late one
}

TEST_F(OtlpTest, TriesAgainWhatTheStandardSaysAndNothingElse) {
  Collector collector;
  collector.answer_with(503);
  OtlpExporter exporter(options(collector.url()), "1", metrics_, log_);
  exporter.push(span_named("again"));
  collector.wait_for(3);
  collector.answer_with(400);
  const size_t seen = collector.wait_for(3).size();
  EXPECT_EQ(collector.wait_for(seen + 1).back().body.find("again") != std::string::npos, true);
  collector.answer_with(200, R"({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}})");
  exporter.push(span_named("one"));
  exporter.stop(std::chrono::seconds(20));
  EXPECT_EQ(dropped("failed") + exported() + dropped("rejected"), 2);
  EXPECT_EQ(dropped("rejected"), 1);
}

TEST_F(OtlpTest, ACollectorThatIsAwayCostsSpansAndNothingElse) {
  Collector collector;
  collector.stop();  // its port is free now
  OtlpOptions made = options(collector.url());
  made.max_queue = 5;
  OtlpExporter exporter(made, "1", metrics_, log_);
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += exporter.push(span_named("x")) ? 1 : 0;
  }
  EXPECT_LT(taken, 100);
  exporter.stop(std::chrono::milliseconds(0));
  EXPECT_EQ(dropped("queue_full"), 100 - taken);
  EXPECT_EQ(dropped("failed"), taken);
  EXPECT_EQ(exported(), 0);
}

TEST_F(OtlpTest, TheStandardsVariablesAreRead) {
  std::map<std::string, std::string> variables = {
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret, x-team = a"},
      {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,region=eu,broken"},
      {"OTEL_SERVICE_NAME", "movies"}};
  const auto get = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  OtlpOptions from_base;
  from_base.add_environment(get);
  EXPECT_EQ(from_base.endpoint, "http://collector:4318/v1/traces");
  EXPECT_EQ(from_base.headers.get("authorization"), "Bearer secret");
  EXPECT_EQ(from_base.headers.get("x-team"), "a");
  EXPECT_EQ(from_base.service, "movies");
  EXPECT_EQ(from_base.resource, (std::vector<std::pair<std::string, std::string>>{{"region", "eu"}}));
  variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://other:1/here";
  OtlpOptions whole;
  whole.add_environment(get);
  EXPECT_EQ(whole.endpoint, "http://other:1/here");
  OtlpOptions flag;
  flag.endpoint = "http://flag:2";
  flag.add_environment(get);
  EXPECT_EQ(flag.endpoint, "http://flag:2/v1/traces");
  variables["OTEL_SDK_DISABLED"] = "true";
  flag.add_environment(get);
  EXPECT_EQ(flag.endpoint, "");
  OtlpOptions wrong;
  wrong.endpoint = "collector:4318";
  EXPECT_THROW(OtlpExporter(wrong, "1", metrics_, log_), base::Error);
}

}  // namespace
}  // namespace slipway::net
