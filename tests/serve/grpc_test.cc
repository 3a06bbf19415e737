// The Open Inference Protocol over gRPC: the same answers, checks and words as over HTTP.
#include "support/grpc_client.h"

#include <cstring>
#include <future>

#include "base/file.h"
#include "grpc_health.pb.h"
#include "open_inference.pb.h"
#include "serve/fixture.h"
#include "serve/oip_codec.h"
#include "serve/oip_messages.h"

namespace slipway::serve {
namespace {

using tests::GrpcClient;

constexpr const char* kService = "/inference.GRPCInferenceService/";

std::string raw_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    const auto length = static_cast<uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof length);
    out += text;
  }
  return out;
}

inference::ModelInferRequest text_request(const std::vector<std::string>& texts, bool raw = true) {
  inference::ModelInferRequest request;
  request.set_model_name("tiny");
  request.set_id("r-1");
  auto& input = *request.add_inputs();
  input.set_name("text");
  input.set_datatype("BYTES");
  input.add_shape(static_cast<int64_t>(texts.size()));
  if (raw) {
    request.add_raw_input_contents(raw_texts(texts));
  } else {
    for (const std::string& text : texts) {
      input.mutable_contents()->add_bytes_contents(text);
    }
  }
  return request;
}

inference::ModelInferRequest ids_request(const std::vector<int64_t>& ids, const std::string& datatype) {
  inference::ModelInferRequest request;
  request.set_model_name("tiny");
  auto& input = *request.add_inputs();
  input.set_name("input_ids");
  input.set_datatype(datatype);
  input.add_shape(1);
  input.add_shape(static_cast<int64_t>(ids.size()));
  auto& contents = *input.mutable_contents();
  for (const int64_t id : ids) {
    if (datatype == "INT64") {
      contents.add_int64_contents(id);
    } else if (datatype == "UINT64") {
      contents.add_uint64_contents(static_cast<uint64_t>(id));
    } else if (datatype.starts_with("UINT")) {
      contents.add_uint_contents(static_cast<uint32_t>(id));
    } else {
      contents.add_int_contents(static_cast<int32_t>(id));
    }
  }
  return request;
}

std::vector<float> floats_of(const std::string& raw) {
  std::vector<float> values(raw.size() / sizeof(float));
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

class GrpcServeTest : public ServeTest {
 protected:
  EncoderServer& start_grpc(ServeOptions options = {}) {
    options.grpc_port = 0;
    return start_champion(std::move(options));
  }
  GrpcClient::Reply ask(const std::string& method, const google::protobuf::Message& message,
                        const GrpcClient::Metadata& metadata = {}) {
    return GrpcClient(server_->grpc_url()).call(kService + method, {message.SerializeAsString()}, metadata);
  }
  template <class M>
  M answer(const std::string& method, const google::protobuf::Message& message) {
    const GrpcClient::Reply reply = ask(method, message);
    EXPECT_EQ(reply.code, 0) << method << ": " << reply.message;
    M parsed;
    EXPECT_TRUE(!reply.bodies.empty() && parsed.ParseFromString(reply.body()));
    return parsed;
  }
  void expect_refused(const google::protobuf::Message& message, int code, const std::string& words) {
    const GrpcClient::Reply reply = ask("ModelInfer", message);
    EXPECT_EQ(reply.code, code) << reply.message;
    EXPECT_NE(reply.message.find(words), std::string::npos) << reply.message;
  }
};

TEST_F(GrpcServeTest, DescribesServerAndModel) {
  start_grpc();
  const inference::ModelRequest nothing;
  EXPECT_TRUE(answer<inference::ServerLiveResponse>("ServerLive", nothing).live());
  EXPECT_TRUE(answer<inference::ServerReadyResponse>("ServerReady", nothing).ready());
  const auto server = answer<inference::ServerMetadataResponse>("ServerMetadata", nothing);
  EXPECT_EQ(server.name(), "slipway");
  EXPECT_EQ(server.extensions(0), "binary_tensor_data");
  inference::ModelRequest tiny;
  tiny.set_name("tiny");
  EXPECT_TRUE(answer<inference::ModelReadyResponse>("ModelReady", tiny).ready());
  const auto model = answer<inference::ModelMetadataResponse>("ModelMetadata", tiny);
  EXPECT_EQ(model.versions(0), "1");
  EXPECT_EQ(model.outputs(2).name(), "logits");
  EXPECT_EQ(model.outputs(2).shape(0), -1);
  const auto config = answer<inference::ModelConfigResponse>("ModelConfig", tiny).config();
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_STRING);
  EXPECT_EQ(config.backend(), "slipway");
  const auto index = answer<inference::RepositoryIndexResponse>("RepositoryIndex", inference::RepositoryIndexRequest());
  EXPECT_EQ(index.models(0).state(), "READY");
  tiny.set_version("9");
  EXPECT_FALSE(answer<inference::ModelReadyResponse>("ModelReady", tiny).ready());
  EXPECT_EQ(ask("ModelMetadata", tiny).code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ask("ModelMetadata", nothing).code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ask("ModelStatistics", tiny).code, grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServeTest, ModelsAreUnloadedAndLoaded) {
  start_grpc();
  inference::RepositoryModelRequest request;
  EXPECT_EQ(ask("RepositoryModelUnload", request).code, grpc::StatusCode::INVALID_ARGUMENT);
  request.set_model_name("tiny");
  const GrpcClient::Reply unloaded = ask("RepositoryModelUnload", request);
  EXPECT_EQ(unloaded.code, 0) << unloaded.message;
  inference::ModelRequest tiny;
  tiny.set_name("tiny");
  EXPECT_FALSE(answer<inference::ModelReadyResponse>("ModelReady", tiny).ready());
  EXPECT_NE(ask("ModelInfer", text_request({"good"})).code, 0);
  EXPECT_EQ(answer<inference::RepositoryIndexResponse>("RepositoryIndex", inference::RepositoryIndexRequest())
                .models(0)
                .state(),
            "UNAVAILABLE");
  const GrpcClient::Reply loaded = ask("RepositoryModelLoad", request);
  EXPECT_EQ(loaded.code, 0) << loaded.message;
  EXPECT_TRUE(answer<inference::ModelReadyResponse>("ModelReady", tiny).ready());
  EXPECT_EQ(ask("ModelInfer", text_request({"good"})).code, 0);
  request.set_model_name("other");
  EXPECT_EQ(ask("RepositoryModelUnload", request).code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ask("RepositoryModelLoad", request).code, grpc::StatusCode::NOT_FOUND);
  (*request.mutable_parameters())["reference"].set_string_param(folder(2).string());
  const GrpcClient::Reply other = ask("RepositoryModelLoad", request);
  EXPECT_EQ(other.code, 0) << other.message;
  tiny.set_name("other");
  EXPECT_TRUE(answer<inference::ModelReadyResponse>("ModelReady", tiny).ready());
  (*request.mutable_parameters())["reference"].set_bool_param(true);
  EXPECT_EQ(ask("RepositoryModelLoad", request).code, grpc::StatusCode::INVALID_ARGUMENT);
  request.set_model_name(std::string(100'000, 'm'));
  EXPECT_EQ(ask("RepositoryModelLoad", request).code, grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServeTest, TheStandardHealthCheckKnowsItsServices) {
  start_grpc();
  const auto check = [&](const std::string& service) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    return GrpcClient(server_->grpc_url()).call("/grpc.health.v1.Health/Check", {request.SerializeAsString()});
  };
  for (const std::string service : {"", "inference.GRPCInferenceService"}) {
    grpc::health::v1::HealthCheckResponse response;
    ASSERT_TRUE(response.ParseFromString(check(service).body()));
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }
  EXPECT_EQ(check("other").code, grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServeTest, AnswersAsOverHttp) {
  start_grpc();
  const std::vector<std::string> texts = {"a good movie", "", "电影 très bad"};
  const Json http = post("/v2/models/tiny/infer",
                         {{"inputs", {{{"name", "text"}, {"shape", {3}}, {"datatype", "BYTES"}, {"data", texts}}}}});
  const auto logits = http["outputs"][2]["data"].get<std::vector<float>>();
  for (const bool raw : {true, false}) {
    const auto response = answer<inference::ModelInferResponse>("ModelInfer", text_request(texts, raw));
    EXPECT_EQ(response.id(), "r-1");
    EXPECT_EQ(response.model_version(), "1");
    ASSERT_EQ(response.outputs_size(), 5);
    ASSERT_EQ(response.raw_output_contents_size(), 5);
    EXPECT_EQ(response.raw_output_contents(0), raw_texts(http["outputs"][0]["data"].get<std::vector<std::string>>()));
    EXPECT_EQ(floats_of(response.raw_output_contents(2)), logits);
    EXPECT_EQ(response.outputs(2).shape(1), 2);
  }
  const auto engine = engine::Engine::load(folder(1), {}, context_.pool);
  const std::vector<int32_t> tokens = engine->encode(texts[0]);
  const std::vector<int64_t> ids(tokens.begin(), tokens.end());
  for (const char* datatype : {"INT64", "INT32", "UINT64", "UINT16"}) {
    inference::ModelInferRequest request = ids_request(ids, datatype);
    request.set_model_version("1");
    request.add_outputs()->set_name("logits");
    auto& top = *request.add_outputs();
    top.set_name("scores");
    (*top.mutable_parameters())["classification"].set_int64_param(1);
    const auto response = answer<inference::ModelInferResponse>("ModelInfer", request);
    ASSERT_EQ(response.outputs_size(), 2);
    EXPECT_EQ(floats_of(response.raw_output_contents(0)), std::vector<float>(logits.begin(), logits.begin() + 2));
    EXPECT_EQ(response.outputs(1).datatype(), "BYTES");
  }
  const std::string metrics = client().get("/metrics").body;
  EXPECT_NE(metrics.find("slipway_requests_total{route=\"/inference.GRPCInferenceService/ModelInfer\",status=\"200\"} 6"),
            std::string::npos)
      << metrics;
}

TEST_F(GrpcServeTest, WhatIsWrongIsSaidInTheSameWords) {
  ServeOptions options;
  options.max_inputs = 4;
  options.max_text_bytes = 100;
  start_grpc(options);
  constexpr int kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  auto request = text_request({"good"});
  request.set_model_name("other");
  expect_refused(request, grpc::StatusCode::NOT_FOUND, "'other'");
  request.set_model_name("");
  expect_refused(request, kInvalid, "names no model");
  request = text_request({"good"});
  request.set_model_version("9");
  expect_refused(request, grpc::StatusCode::NOT_FOUND, "version '9' is not served");
  request = text_request({"good", "bad"});
  request.mutable_inputs(0)->set_shape(0, 3);
  expect_refused(request, kInvalid, "input 'text' has 2 elements, its shape says 3");
  request.mutable_inputs(0)->set_shape(0, -2);
  expect_refused(request, kInvalid, "a size of its shape is not a whole number");
  request = text_request({"good"});
  request.mutable_inputs(0)->set_datatype("FP32");
  expect_refused(request, kInvalid, "datatype FP32 is not taken");
  request = text_request({"good"}, false);
  request.mutable_inputs(0)->mutable_contents()->add_int_contents(1);
  expect_refused(request, kInvalid, "its contents are not those of datatype BYTES");
  request = text_request({"good"});
  request.mutable_inputs(0)->mutable_contents()->add_bytes_contents("good");
  expect_refused(request, kInvalid, "exclude each other");
  request = text_request({"good"});
  request.add_raw_input_contents("x");
  expect_refused(request, kInvalid, "raw_input_contents has 2 entries for 1 inputs");
  request = text_request({"good"});
  request.mutable_raw_input_contents(0)->resize(6);
  expect_refused(request, kInvalid, "an element says 4 bytes where 2 are left");
  request = text_request({"good"});
  (*request.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("r");
  expect_refused(request, kInvalid, "shared memory is not taken");
  request = text_request({"good"});
  request.add_outputs()->set_name("nothing");
  expect_refused(request, kInvalid, "output 'nothing' is not known");
  expect_refused(text_request({"a", "a", "a", "a", "a"}), kInvalid, "at most 4 are taken");
  expect_refused(text_request({std::string(101, 'x')}), kInvalid, "an input has 101 bytes");
  expect_refused(ids_request({2, 99'999, 3}, "INT64"), kInvalid, "outside the vocabulary");
  request = text_request({"good"});
  request.clear_inputs();
  request.clear_raw_input_contents();
  expect_refused(request, kInvalid, "no inputs");
  const GrpcClient::Reply rubbish =
      GrpcClient(server_->grpc_url()).call(std::string(kService) + "ModelInfer", {"\xff\xff\xff rubbish"});
  EXPECT_EQ(rubbish.code, kInvalid);
}

TEST(OipMessages, CountsBeforeItParses) {
  inference::ModelInferRequest request = text_request({"good"});
  for (int i = 0; i < 100'000; ++i) {
    request.add_inputs();
  }
  EXPECT_THROW(oip::decode_message(request.SerializeAsString()), base::Error);
  request = text_request({"good"});
  for (int i = 0; i < 1000; ++i) {
    (*request.mutable_inputs(0)->mutable_parameters())[std::to_string(i)].set_bool_param(true);
  }
  EXPECT_THROW(oip::decode_message(request.SerializeAsString()), base::Error);
  const oip::InferRequest decoded = oip::decode_message(text_request({"good", "bad"}).SerializeAsString());
  EXPECT_EQ(decoded.inputs.at(0).texts, (std::vector<std::string>{"good", "bad"}));
  const std::string whole = text_request({"good"}).SerializeAsString();
  for (size_t length = 0; length < whole.size(); ++length) {  // no prefix of a message is another whole request
    EXPECT_THROW(oip::decode_message(whole.substr(0, length)), base::Error) << length;
  }
}

TEST_F(GrpcServeTest, AStreamTellsWhatIsWrongAndGoesOn) {
  start_grpc();
  auto wrong = text_request({"good"});
  wrong.set_model_name("other");
  const GrpcClient::Reply reply =
      GrpcClient(server_->grpc_url())
          .call(std::string(kService) + "ModelStreamInfer",
                {text_request({"good"}).SerializeAsString(), wrong.SerializeAsString(), "\xff\xff",
                 text_request({"a", "b"}).SerializeAsString()});
  EXPECT_EQ(reply.code, 0) << reply.message;
  ASSERT_EQ(reply.bodies.size(), 4U);
  std::vector<inference::ModelStreamInferResponse> answers(4);
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(answers[i].ParseFromString(reply.bodies[i]));
  }
  EXPECT_EQ(answers[0].infer_response().id(), "r-1");
  EXPECT_NE(answers[1].error_message().find("'other'"), std::string::npos);
  EXPECT_EQ(answers[2].error_message(), "the message is not a ModelInferRequest");
  EXPECT_EQ(answers[3].infer_response().outputs(0).shape(0), 2);
}

TEST_F(GrpcServeTest, KeysAreWantedAndTheirLimitsHold) {
  ServeOptions options;
  options.access.api_keys = (dir_.path() / "keys.yaml").string();
  base::write_file_atomic(options.access.api_keys, "- {name: team, key: sesame, requests_per_minute: 2}\n");
  start_grpc(options);
  const auto request = text_request({"good"});
  EXPECT_EQ(ask("ModelInfer", request).code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ask("ModelInfer", request, {{"authorization", "Bearer wrong"}}).code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ask("ServerMetadata", request).code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ask("ServerReady", inference::ModelRequest()).code, 0);
  const GrpcClient::Metadata key = {{"authorization", "Bearer sesame"}};
  const GrpcClient::Reply first = ask("ModelInfer", request, key);
  EXPECT_EQ(first.code, 0) << first.message;
  EXPECT_EQ(first.initial.find("x-ratelimit-limit-requests")->second, "2");
  EXPECT_EQ(ask("ModelInfer", request, key).code, 0);
  const GrpcClient::Reply over = ask("ModelInfer", request, key);
  EXPECT_EQ(over.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_GE(std::stoi(over.trailing.find("grpc-retry-pushback-ms")->second), 1000);
}

TEST_F(GrpcServeTest, AFullQueueIsExhaustedAndADrainAnswersWhatItHas) {
  ServeOptions options;
  options.grpc_port = 0;
  options.endpoint = "tiny";
  FakeBackend& fake = start_fake(1, options);
  auto waiting = std::async(std::launch::async, [&] { return ask("ModelInfer", text_request({"good"})); });
  fake.wait_for(1);
  const GrpcClient::Reply full = ask("ModelInfer", text_request({"good"}));
  EXPECT_EQ(full.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  auto drained = std::async(std::launch::async, [&] { return server_->drain(std::chrono::seconds(20)); });
  fake.release();
  EXPECT_EQ(waiting.get().code, 0);
  EXPECT_EQ(drained.get(), 0);
}

}  // namespace
}  // namespace slipway::serve
