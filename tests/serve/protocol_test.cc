#include <cstring>

#include "serve/fixture.h"
#include "serve/oip_codec.h"

namespace slipway::serve {
namespace {

using base::Json;

std::string binary_text(const std::string& text) {
  const auto length = static_cast<uint32_t>(text.size());
  std::string out(reinterpret_cast<const char*>(&length), sizeof length);
  return out + text;
}

Json text_input(const std::vector<std::string>& texts) {
  return {{"name", "text"}, {"shape", {texts.size()}}, {"datatype", "BYTES"}, {"data", texts}};
}

TEST_F(ServeTest, OipDescribesTheModel) {
  start_champion();
  EXPECT_EQ(get("/v2")["name"], "slipway");
  EXPECT_NE(base::dump_json(get("/v2")["extensions"]).find("binary_tensor_data"), std::string::npos);
  get("/v2/health/live");
  get("/v2/health/ready");
  const Json model = get("/v2/models/tiny");
  EXPECT_EQ(model["versions"], Json::array({"1"}));
  EXPECT_EQ(model["inputs"][0]["datatype"], "BYTES");
  EXPECT_EQ(model["outputs"][2], (Json{{"name", "logits"}, {"datatype", "FP32"}, {"shape", {-1, 2}}}));
  EXPECT_EQ(get("/v2/models/tiny/versions/1/ready")["ready"], true);
  get("/v2/models/tiny/versions/9", 404);
  EXPECT_NE(get("/v2/models/other", 404)["error"].get<std::string>().find("'other'"), std::string::npos);
  EXPECT_EQ(get("/v2/models/tiny/config")["output"][0]["data_type"], "TYPE_STRING");
  EXPECT_EQ(post("/v2/repository/index", Json::object())[0]["state"], "READY");
}

TEST_F(ServeTest, OipInfersFromTextAndFromIds) {
  start_champion();
  const Json by_text = post("/v2/models/tiny/infer", {{"id", "42"}, {"inputs", {text_input({"a good movie"})}}});
  EXPECT_EQ(by_text["id"], "42");
  EXPECT_EQ(by_text["model_version"], "1");
  ASSERT_EQ(by_text["outputs"].size(), 5U);
  EXPECT_EQ(by_text["outputs"][0]["name"], "label");
  const auto engine = engine::Engine::load(folder(1), {}, context_.pool);
  const std::vector<int32_t> ids = engine->encode("a good movie");
  std::vector<int64_t> padded(ids.begin(), ids.end());
  std::vector<int64_t> mask(ids.size(), 1);
  padded.push_back(0);
  mask.push_back(0);
  const Json by_ids =
      post("/v2/models/tiny/versions/1/infer",
           {{"inputs",
             {{{"name", "input_ids"}, {"shape", {1, padded.size()}}, {"datatype", "INT64"}, {"data", padded}},
              {{"name", "attention_mask"}, {"shape", {1, mask.size()}}, {"datatype", "INT64"}, {"data", {mask}}}}},
            {"outputs", {{{"name", "logits"}}, {{"name", "scores"}, {"parameters", {{"classification", 1}}}}}}});
  ASSERT_EQ(by_ids["outputs"].size(), 2U);
  EXPECT_EQ(by_ids["outputs"][0]["data"], by_text["outputs"][2]["data"]);
  const std::string best = by_ids["outputs"][1]["data"][0].get<std::string>();
  EXPECT_NE(best.find(":" + by_text["outputs"][0]["data"][0].get<std::string>()), std::string::npos) << best;
}

TEST_F(ServeTest, OipSpeaksBinaryBothWays) {
  start_champion();
  const std::string tensor = binary_text("a good movie") + binary_text("");
  const std::string head = base::dump_json(
      Json{{"inputs",
            {{{"name", "text"},
              {"shape", {2, 1}},
              {"datatype", "BYTES"},
              {"parameters", {{"binary_data_size", tensor.size()}}}}}},
           {"outputs", {{{"name", "label"}, {"parameters", {{"binary_data", false}}}}, {{"name", "logits"}}}},
           {"parameters", {{"binary_data_output", true}}}});
  net::HttpClient http = client();
  const net::Response response = http.request("POST", "/v2/models/tiny/infer", head + tensor,
                                              {{"Inference-Header-Content-Length", std::to_string(head.size())}});
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.get("Content-Type"), "application/octet-stream");
  const size_t length = std::stoul(std::string(response.headers.get("Inference-Header-Content-Length")));
  const Json json = base::parse_json(response.body.substr(0, length), "head");
  EXPECT_TRUE(json["outputs"][0].contains("data"));
  EXPECT_EQ(json["outputs"][1]["parameters"]["binary_data_size"], 16);
  ASSERT_EQ(response.body.size(), length + 16);
  float logits[4];
  std::memcpy(logits, response.body.data() + length, sizeof logits);
  const auto engine = engine::Engine::load(folder(1), {}, context_.pool);
  const std::vector<std::string> texts = {"a good movie", ""};
  const model::Matrix expected = engine->logits(texts);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(logits[i], expected.values[i], 1e-5F);
  }
}

TEST_F(ServeTest, OipRefusesBrokenTensors) {
  start_champion();
  const Json ids = {{"name", "input_ids"}, {"shape", {1, 2}}, {"datatype", "INT32"}, {"data", {2, 3}}};
  const auto with = [](Json json, const char* key, const Json& value) {
    json[key] = value;
    return json;
  };
  const Json cases[] = {
      Json::object(),
      {{"inputs", Json::array()}},
      {{"inputs", {text_input({"a"}), text_input({"b"})}}},
      {{"inputs", {with(text_input({"a"}), "shape", {2})}}},
      {{"inputs", {with(text_input({"a"}), "shape", {-1})}}},
      {{"inputs", {with(text_input({"a"}), "shape", {1 << 20, 1 << 20})}}},
      {{"inputs", {with(text_input({"a"}), "datatype", "FP32")}}},
      {{"inputs", {with(text_input({"a"}), "data", {7})}}},
      {{"inputs", {with(text_input({"a"}), "parameters", {{"binary_data_size", 5}})}}},
      {{"inputs", {with(text_input({"a"}), "data", nullptr)}}},
      {{"inputs", {with(ids, "data", {2, 100'000})}}},
      {{"inputs", {with(ids, "data", {2, -1})}}},
      {{"inputs", {with(ids, "shape", {2})}}},
      {{"inputs", {with(ids, "name", "surprise")}}},
      {{"inputs", {ids, {{"name", "attention_mask"}, {"shape", {1, 2}}, {"datatype", "INT32"}, {"data", {0, 1}}}}}},
      {{
           "inputs",
           {text_input({"a"})},
       },
       {"outputs", {{{"name", "nothing"}}}}},
  };
  for (const Json& body : cases) {
    const Json answer = post("/v2/models/tiny/infer", body, 400);
    EXPECT_TRUE(answer["error"].is_string());
  }
}

TEST(OipCodec, ChecksBinarySizes) {
  const auto refuses = [](const std::string& head, const std::string& tail, const std::string& length) {
    EXPECT_THROW(oip::decode_request(head + tail, length), base::Error) << head;
  };
  const std::string head =
      R"({"inputs":[{"name":"t","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":9}}]})";
  const std::string length = std::to_string(head.size());
  EXPECT_EQ(oip::decode_request(head + binary_text("hello"), length).inputs[0].texts[0], "hello");
  refuses(head, binary_text("hell"), length);
  refuses(head, binary_text("hello") + "x", length);
  refuses(head, std::string("\xFF\xFF\xFF\x7Fhello", 9), length);
  refuses(head, binary_text("hello"), "99999");
  refuses(head, binary_text("hello"), "x");
  refuses(head, binary_text("ab") + "abc", length);
  const std::string ints =
      R"({"inputs":[{"name":"i","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}}]})";
  const auto decoded = oip::decode_request(ints + std::string("\xFF\xFF\x05\x00", 4), std::to_string(ints.size()));
  EXPECT_EQ(decoded.inputs[0].ints, (std::vector<int64_t>{-1, 5}));
}

TEST_F(ServeTest, TeiPredicts) {
  start_champion();
  const Json single = post("/predict", {{"inputs", "a good movie"}});
  ASSERT_EQ(single.size(), 2U);
  EXPECT_GE(single[0]["score"].get<double>(), single[1]["score"].get<double>());
  EXPECT_NEAR(single[0]["score"].get<double>() + single[1]["score"].get<double>(), 1, 1e-6);
  const Json batch = post("/predict", {{"inputs", {{"a good movie"}, {"bad"}}}, {"raw_scores", true}});
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0][0]["label"], single[0]["label"]);
  const Json pair = post("/predict", {{"inputs", {"a good movie", "bad"}}});
  ASSERT_EQ(pair.size(), 2U);
  EXPECT_NE(pair[0]["score"], single[0]["score"]);
  const Json pairs = post("/predict", {{"inputs", {{"a good movie", "bad"}, {"bad"}}}});
  EXPECT_EQ(pairs[0], pair);
  EXPECT_EQ(store_->predictions().count(""), 6);
  EXPECT_EQ(post("/predict", {{"inputs", {"a", "b", "c"}}}, 422)["error_type"], "Validation");
  EXPECT_EQ(post("/predict", {{"inputs", ""}}, 400)["error_type"], "Empty");
  EXPECT_EQ(post("/predict", {{"inputs", std::string(500, '!')}}, 422)["error_type"], "Validation");
  post("/predict", {{"inputs", std::string(500, '!')}, {"truncate", true}});
  post("/predict", {{"text", "x"}}, 422);
}

TEST_F(ServeTest, TeiEmbedsTokenizesAndDecodes) {
  start_champion();
  const Json one = post("/embed", {{"inputs", "a good movie"}});
  ASSERT_EQ(one.size(), 1U);
  ASSERT_EQ(one[0].size(), 32U);
  double squares = 0;
  for (const Json& value : one[0]) {
    squares += value.get<double>() * value.get<double>();
  }
  EXPECT_NEAR(squares, 1, 1e-5);
  EXPECT_EQ(post("/embed", {{"inputs", {"a", "b"}}, {"dimensions", 8}})[1].size(), 8U);
  const Json tokens = post("/tokenize", {{"inputs", "A good movie"}})[0];
  EXPECT_EQ(tokens[0]["special"], true);
  EXPECT_EQ(tokens[0]["start"], nullptr);
  EXPECT_EQ(tokens[1]["text"], "A");
  EXPECT_EQ(tokens[2]["start"], 2);
  EXPECT_EQ(tokens[2]["stop"], 6);
  Json ids = Json::array();
  for (const Json& token : tokens) {
    ids.push_back(token["id"]);
  }
  EXPECT_EQ(post("/decode", {{"ids", ids}})[0], "a good movie");
  EXPECT_EQ(post("/embed", {{"inputs", ids}})[0], one[0]);
  post("/embed", {{"inputs", Json::array({Json::array({999'999})})}}, 422);
  post("/decode", {{"ids", {-1}}}, 422);
  EXPECT_EQ(get("/info")["model_type"]["classifier"]["id2label"]["1"], "positive");
  // An embedding is not a prediction.
  EXPECT_EQ(store_->predictions().count(""), 0);
}

}  // namespace
}  // namespace slipway::serve
