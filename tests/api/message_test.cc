// Requests by their tables: proto JSON's forms, what is required, and the literal texts of what is wrong.
#include "api/message.h"

#include <cmath>
#include <gtest/gtest.h>

#include "api/batch_reader.h"
#include "api/messages.h"

namespace slipway::api {
namespace {

net::Request body(const std::string& text, const std::string& type = "application/json") {
  net::Request request;
  request.method = "POST";
  request.body = text;
  if (!type.empty()) {
    request.headers.add("Content-Type", type);
  }
  return request;
}

net::Request query(std::vector<std::pair<std::string, std::string>> parameters) {
  net::Request request;
  request.method = "GET";
  request.query = std::move(parameters);
  return request;
}

template <class T>
std::string refusal(const net::Request& request) {
  try {
    parse_request<T>(request);
  } catch (const ApiError& error) {
    return error.what();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Message, TakesTheFormsOfProtoJson) {
  const auto metric = parse_request<LogMetric>(body(
      R"({"run_uuid": "r", "key": "k", "value": "NaN", "timestamp": "1700000000000", "step": 3.0, "unknown": [1]})"));
  EXPECT_EQ(metric.run_id, "r");
  EXPECT_TRUE(std::isnan(metric.value));
  EXPECT_EQ(metric.timestamp, 1700000000000);
  EXPECT_EQ(metric.step, 3);
  EXPECT_EQ(
      parse_request<LogMetric>(body(R"({"run_id": "r", "key": "k", "value": "-Infinity", "timestamp": 0})")).value,
      -std::numeric_limits<double>::infinity());
  EXPECT_EQ(
      parse_request<LogMetric>(body(R"({"run_id": "a", "run_uuid": "b", "key": "k", "value": 1, "timestamp": 0})"))
          .run_id,
      "a");
  EXPECT_EQ(parse_request<UpdateRun>(body(R"({"run_id": "r", "status": 3})")).status, record::RunStatus::kFinished);
  EXPECT_EQ(parse_request<UpdateRun>(body(R"({"run_id": "r", "status": "KILLED"})")).status,
            record::RunStatus::kKilled);
  EXPECT_EQ(parse_request<UpdateRun>(body(R"({"run_id": "r", "status": null})")).status, std::nullopt);
  // A JSON text that holds JSON, as old clients send.
  EXPECT_EQ(parse_request<RunId>(body(R"("{\"run_id\": \"r\"}")")).run_id, "r");
}

TEST(Message, ReadsQueries) {
  const auto bulk = parse_request<IntervalHistory>(
      query({{"run_ids", "a"}, {"run_ids", "b"}, {"metric_key", "m"}, {"start_step", "5"}, {"end_step", "9"}}));
  EXPECT_EQ(bulk.run_ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(bulk.start_step, 5);
  EXPECT_EQ(parse_request<RunId>(query({{"run_uuid", "r"}})).run_id, "r");
  EXPECT_EQ(refusal<RunId>(query({{"run_id", "\xFF"}})), "the query is not UTF-8");
}

constexpr const char* kDocs = " See the API docs for more information about request parameters.";

TEST(Message, SaysWhatIsMissingOrOfAnotherType) {
  EXPECT_EQ(refusal<LogMetric>(body(R"({"run_id": "r", "value": 1, "timestamp": 1})")),
            std::string("Missing value for required parameter 'key'.") + kDocs);
  EXPECT_EQ(refusal<LogMetric>(body("")), std::string("Missing value for required parameter 'run_id'.") + kDocs);
  EXPECT_EQ(refusal<LogMetric>(body(R"({"run_id": "", "key": "k", "value": 1, "timestamp": 1})")),
            std::string("Missing value for required parameter 'run_id'.") + kDocs);
  EXPECT_EQ(
      refusal<LogMetric>(body(R"({"run_id": "r", "key": "k", "value": "abc", "timestamp": 1})")),
      std::string("Invalid value \"abc\" for parameter 'value' supplied:  Hint: Value was of type 'str'.") + kDocs);
  EXPECT_EQ(
      refusal<LogMetric>(body(R"({"run_id": "r", "key": "k", "value": 1, "timestamp": 1.5})")),
      std::string("Invalid value 1.5 for parameter 'timestamp' supplied:  Hint: Value was of type 'float'.") + kDocs);
  EXPECT_EQ(
      refusal<CreateExperiment>(body(R"({"name": ["a"]})")),
      std::string("Invalid value [\"a\"] for parameter 'name' supplied:  Hint: Value was of type 'list'.") + kDocs);
  EXPECT_EQ(refusal<CreateExperiment>(body(R"({"name": true})")),
            std::string("Invalid value true for parameter 'name' supplied:  Hint: Value was of type 'bool'.") + kDocs);
  EXPECT_EQ(refusal<LogBatch>(
                body(R"({"run_id": "r", "metrics": [{"key": "k", "value": 1, "timestamp": 1}, {"value": 1}]})")),
            std::string("Missing value for required parameter 'metrics[1].key'.") + kDocs);
  EXPECT_EQ(
      refusal<LogBatch>(body(R"({"run_id": "r", "params": {"k": "v"}})")),
      std::string("Invalid value {\"k\":\"v\"} for parameter 'params' supplied:  Hint: Value was of type 'dict'.") +
          kDocs);
  EXPECT_EQ(
      refusal<SearchRuns>(body(R"({"max_results": 50001})")),
      std::string("Invalid value 50001 for parameter 'max_results' supplied:  Hint: Value was of type 'int'.") + kDocs);
  EXPECT_EQ(refusal<SearchRuns>(body(R"({"max_results": 99999999999999999999})")),
            std::string("Invalid value 1e+20 for parameter 'max_results' supplied:  Hint: Value was of type 'float'.") +
                kDocs);
}

TEST(Message, PlainBatchesAreReadWithoutATreeAndAsWithOne) {
  const std::string text =
      R"( {"run_id" : "r1", "metrics":[{"key":"loss","value":0.1,"timestamp":1700000000000,"step":3},
      {"value":-0,"key":"a b","timestamp":-1},{"key":"m","value":9007199254740993,"timestamp":0,"step":-5},
      {"key":"m","value":1.5E-3,"timestamp":1}],"params":[{"key":"lr","value":"0.1"}],"tags":[{"key":"t"}]} )";
  const auto plain = read_plain_batch(text);
  ASSERT_TRUE(plain);
  const auto tree = parse_request<LogBatch>(body(text));
  EXPECT_EQ(plain->run_id, tree.run_id);
  EXPECT_EQ(plain->params, tree.params);
  EXPECT_EQ(plain->tags, tree.tags);
  ASSERT_EQ(plain->metrics.size(), tree.metrics.size());
  for (size_t i = 0; i < tree.metrics.size(); ++i) {
    EXPECT_EQ(plain->metrics[i].key, tree.metrics[i].key);
    EXPECT_EQ(plain->metrics[i].value, tree.metrics[i].value);
    EXPECT_EQ(std::signbit(plain->metrics[i].value), std::signbit(tree.metrics[i].value));
    EXPECT_EQ(plain->metrics[i].time_ms, tree.metrics[i].time_ms);
    EXPECT_EQ(plain->metrics[i].step, tree.metrics[i].step);
  }
}

TEST(Message, WhatIsNoPlainBatchIsLeftToTheTree) {
  const auto metric = [](const std::string& fields) { return R"({"run_id":"r","metrics":[{)" + fields + "}]}"; };
  EXPECT_TRUE(read_plain_batch(metric(R"("key":"k","value":1,"timestamp":2)")));
  for (const char* fields :
       {R"("key":"k","value":1)", R"("key":"k","timestamp":1)", R"("key":"","value":1,"timestamp":1)",
        R"("key":"k","value":"NaN","timestamp":1)", R"("key":"k","value":01,"timestamp":1)", R"("key":"k","value":1.,"timestamp":1)",
        R"("key":"k","value":.5,"timestamp":1)", R"("key":"k","value":+1,"timestamp":1)", R"("key":"k","value":1e,"timestamp":1)",
        R"("key":"k","value":1e999,"timestamp":1)", R"("key":"k","value":99999999999999999999,"timestamp":1)",
        R"("key":"k","value":1,"timestamp":1.0)", R"("key":"k","value":1,"timestamp":"1")", R"("key":"k","value":null,"timestamp":1)",
        R"("key":"k","key":"j","value":1,"timestamp":1)", R"("key":"k","value":1,"timestamp":1,"model_id":"m")",
        R"("key":"k\u0041","value":1,"timestamp":1)", "\"key\":\"\xC3\xA4\",\"value\":1,\"timestamp\":1",
        "\"key\":\"\x01\",\"value\":1,\"timestamp\":1", R"("key":"k","value":1,"timestamp":1,)"}) {
    EXPECT_FALSE(read_plain_batch(metric(fields))) << fields;
  }
  for (const char* text : {"", "{}", "[]", "null", R"({"run_id":""})", R"({"run_id":"r"} x)", R"({"run_id":"r",})", R"({"run_uuid":"r"})",
                           R"({"run_id":"r","metrics":{}})", R"({"run_id":"r","metrics":[{}]})", R"({"run_id":"r","metrics":[1]})",
                           R"({"run_id":"r","run_id":"s"})", R"({"run_id":"r","metrics":[)", R"({"run_id":"r)", R"({"run_id")"}) {
    EXPECT_FALSE(read_plain_batch(text)) << text;
  }
}

TEST(Message, RefusesBodiesThatAPageCouldSend) {
  EXPECT_EQ(refusal<RunId>(body("{}", "text/plain")), "Bad Request. Content-Type must be one of ['application/json'].");
  EXPECT_EQ(refusal<RunId>(body("{}", "")), "Bad Request. Content-Type header is missing.");
  EXPECT_EQ(refusal<RunId>(body(R"({"run_id": "r"})", "application/json; charset=utf-8")), "accepted");
  EXPECT_NE(refusal<RunId>(body("{\"run_id\": ")), "accepted");
  EXPECT_EQ(refusal<RunId>(body("[1]")), "the body must be a JSON object");
  EXPECT_NE(refusal<RunId>(body(std::string(100'000, '['))), "accepted");
}

}  // namespace
}  // namespace slipway::api
