#include "serve/generator_fixture.h"

namespace slipway::serve {
namespace {

using base::Json;

const Json kMessages = Json::parse(R"([{"role": "user", "content": "good movie"}])");

Json chat(const Json& more = Json::object()) {
  Json body = {{"model", "fake"}, {"messages", kMessages}};
  body.update(more);
  return body;
}

TEST_F(GeneratorServerTest, ChatAnswersInOpenAisForm) {
  const Json answer = post("/v1/chat/completions", chat());
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("chatcmpl-"));
  EXPECT_GT(answer["created"].get<int64_t>(), 1'600'000'000);
  EXPECT_EQ(answer["model"], "fake");
  ASSERT_EQ(answer["choices"].size(), 1U);
  const Json choice = answer["choices"][0];
  EXPECT_EQ(choice["index"], 0);
  EXPECT_EQ(choice["message"], (Json{{"role", "assistant"}, {"content", "Hello, wörld!"}, {"refusal", nullptr}}));
  EXPECT_EQ(choice["finish_reason"], "stop");
  EXPECT_TRUE(choice["logprobs"].is_null());
  const auto prompt = static_cast<int>(fake_->requests[0].ids.size());
  EXPECT_EQ(answer["usage"]["prompt_tokens"], prompt);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 5);
  EXPECT_EQ(answer["usage"]["total_tokens"], prompt + 5);
  EXPECT_EQ(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 1);
}

TEST_F(GeneratorServerTest, ChatGoesThroughTheModelsTemplate) {
  post("/v1/chat/completions", chat());
  text::Encoding expected;
  fake_->tokenizer().encode("user good movie ", {false, false, 0}, expected);
  EXPECT_EQ(fake_->requests[0].ids, expected.ids);
  post("/v1/chat/completions", chat({{"chat_template_kwargs", {{"loud", true}}}}));
  fake_->tokenizer().encode("user good movie !", {false, false, 0}, expected);
  EXPECT_EQ(fake_->requests[1].ids, expected.ids);
  const Json refused = post("/v1/chat/completions", {{"messages", {{{"role", "assistant"}, {"content", "x"}}}}}, 400);
  EXPECT_EQ(refused["error"]["message"], "the user speaks last");
}

TEST_F(GeneratorServerTest, ChatStreamsDeltasAndUsage) {
  const auto all =
      events("/v1/chat/completions", chat({{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
  ASSERT_EQ(all.size(), 8U);  // role, four texts (one token is half a character), finish, usage, done
  EXPECT_EQ(all[0]["choices"][0]["delta"], (Json{{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}));
  std::string text;
  for (size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(all[i]["object"], "chat.completion.chunk");
    EXPECT_EQ(all[i]["id"], all[0]["id"]);
    EXPECT_TRUE(all[i]["usage"].is_null() && all[i].contains("usage"));
    EXPECT_TRUE(all[i]["choices"][0]["finish_reason"].is_null());
    text += all[i]["choices"][0]["delta"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, "Hello, wörld!");
  EXPECT_EQ(all[5]["choices"][0]["delta"], Json::object());
  EXPECT_EQ(all[5]["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(all[6]["choices"], Json::array());
  EXPECT_EQ(all[6]["usage"]["completion_tokens"], 5);
  EXPECT_EQ(all[7], "[DONE]");
}

TEST_F(GeneratorServerTest, LogprobsComeWithEveryTokenWholeOrStreamed) {
  const Json body = chat({{"logprobs", true}, {"top_logprobs", 2}});
  const Json whole = post("/v1/chat/completions", body)["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(whole.size(), 5U);
  EXPECT_EQ(whole[2]["bytes"], Json::array({0xC3}));
  EXPECT_EQ(whole[2]["token"], "\xEF\xBF\xBD");
  EXPECT_EQ(whole[0]["top_logprobs"].size(), 2U);
  EXPECT_FLOAT_EQ(whole[0]["top_logprobs"][1]["logprob"].get<float>(), -1.5F);
  Json streamed = Json::array();
  Json with_stream = body;
  with_stream["stream"] = true;
  for (const Json& event : events("/v1/chat/completions", with_stream)) {
    if (event.is_object() && event["choices"][0]["logprobs"].is_object()) {
      for (const Json& token : event["choices"][0]["logprobs"]["content"]) {
        streamed.push_back(token);
      }
    }
  }
  EXPECT_EQ(streamed, whole);
}

TEST_F(GeneratorServerTest, ParametersReachTheSampler) {
  post("/v1/chat/completions", chat({{"temperature", 0.5},
                                     {"top_p", 0.9},
                                     {"top_k", 7},
                                     {"seed", 11},
                                     {"n", 2},
                                     {"max_completion_tokens", 3},
                                     {"stop", {"a", "b"}},
                                     {"presence_penalty", 1},
                                     {"frequency_penalty", -1},
                                     {"logit_bias", {{"5", -100}}},
                                     {"user", "u"}}));
  ASSERT_EQ(fake_->requests.size(), 2U);
  const engine::GenerateRequest& request = fake_->requests[1];
  EXPECT_EQ(request.sampling.temperature, 0.5);
  EXPECT_EQ(request.sampling.top_p, 0.9);
  EXPECT_EQ(request.sampling.top_k, 7);
  EXPECT_EQ(request.sampling.seed, 12U);  // the second choice's
  EXPECT_EQ(request.sampling.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request.sampling.presence_penalty, 1);
  EXPECT_EQ(request.sampling.frequency_penalty, -1);
  EXPECT_EQ(request.sampling.logit_bias, (std::vector<std::pair<int32_t, double>>{{5, -100}}));
  EXPECT_EQ(request.max_tokens, 3);
  EXPECT_EQ(request.client, "u");
}

TEST_F(GeneratorServerTest, WhatIsWrongIsSaidInOpenAisForm) {
  struct Case {
    Json body;
    int status;
    Json param;
    Json code;
  };
  std::string long_text;
  for (int i = 0; i < 50; ++i) {
    long_text += "good ";
  }
  const std::vector<Case> cases = {
      {{{"model", "other"}, {"messages", kMessages}}, 404, "model", "model_not_found"},
      {{{"model", "fake"}}, 400, "messages", nullptr},
      {{{"messages", Json::array()}}, 400, "messages", nullptr},
      {{{"messages", {{{"content", "x"}}}}}, 400, "messages", nullptr},
      {{{"messages", {{{"role", "user"}, {"content", {{{"type", "image_url"}}}}}}}}, 400, "messages", nullptr},
      {chat({{"temperature", -1}}), 400, "temperature", nullptr},
      {chat({{"temperature", "hot"}}), 400, "temperature", nullptr},
      {chat({{"n", 0}}), 400, "n", nullptr},
      {chat({{"max_tokens", 1.5}}), 400, "max_tokens", nullptr},
      {chat({{"stream", 1}}), 400, "stream", nullptr},
      {chat({{"top_logprobs", 2}}), 400, "top_logprobs", nullptr},
      {chat({{"logit_bias", {{"x", 1}}}}), 400, "logit_bias", nullptr},
      {chat({{"logit_bias", {{"999999", 1}}}}), 400, "logit_bias", nullptr},
      {chat({{"stream_options", {{"include_usage", true}}}}), 400, "stream_options", nullptr},
      {chat({{"tools", {{{"type", "function"}}}}}), 400, "tools", nullptr},
      {chat({{"tools", 3}}), 400, "tools", nullptr},
      {chat({{"tool_choice", "required"}}), 400, "tool_choice", nullptr},
      {chat({{"functions", {{{"name", "f"}}}}}), 400, "functions", nullptr},
      {chat({{"response_format", {{"type", "xml"}}}}), 400, "response_format", nullptr},
      {chat({{"response_format", {{"type", "json_schema"}}}}), 400, "response_format", nullptr},
      {chat({{"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "a b"}}}}}}), 400,
       "response_format", nullptr},
      {chat({{"response_format",
              {{"type", "json_schema"}, {"json_schema", {{"name", "n"}, {"schema", {{"contains", {{"type", "null"}}}}}}}}}}),
       400, "response_format", nullptr},
      {chat({{"guided_regex", "(a"}}), 400, "guided_regex", nullptr},
      {chat({{"guided_choice", Json::array()}}), 400, "guided_choice", nullptr},
      {chat({{"guided_grammar", "root ::= x"}}), 400, "guided_grammar", nullptr},
      {chat({{"guided_json", 3}}), 400, "guided_json", nullptr},
      {chat({{"structured_outputs", {{"regex", "(?=a)"}}}}), 400, "structured_outputs", nullptr},
      {chat({{"guided_regex", "a"}, {"guided_choice", {"b"}}}), 400, "response_format", nullptr},
      {{{"messages", {{{"role", "user"}, {"content", long_text}}}}}, 400, "messages", "context_length_exceeded"},
  };
  for (const Case& one : cases) {
    const Json answer = post("/v1/chat/completions", one.body, one.status);
    EXPECT_EQ(answer["error"]["param"], one.param) << one.body;
    EXPECT_EQ(answer["error"]["code"], one.code) << one.body;
    EXPECT_EQ(answer["error"]["type"], "invalid_request_error");
    EXPECT_TRUE(answer["error"]["message"].is_string());
  }
  EXPECT_EQ(send("/v1/chat/completions", "no object").status, 400);
  EXPECT_TRUE(base::parse_json(send("/v1/responses", Json::object()).body, "404")["error"].is_object());
}

// What a request's constraint accepts whole.
bool accepts(const engine::GenerateRequest& request, std::string_view text) {
  text::ConstrainedText constrained(request.constraint);
  return constrained.accept_bytes(text) && constrained.can_end();
}

TEST_F(GeneratorServerTest, TheFormOfAnAnswerReachesTheEngineInEveryProtocolsWords) {
  const Json schema = {{"type", "object"}, {"properties", {{"a", {{"type", "integer"}}}}}, {"required", {"a"}}};
  const Json named = {{"name", "n"}, {"strict", true}, {"schema", schema}};
  const std::vector<std::pair<Json, std::string>> chats = {
      {{{"response_format", {{"type", "json_schema"}, {"json_schema", named}}}}, R"({"a": 1})"},
      {{{"response_format", {{"type", "json_object"}}}}, R"({"b": [1]})"},
      {{{"guided_json", schema}}, R"({"a":1})"},
      {{{"guided_json", schema.dump()}}, R"({"a":1})"},
      {{{"guided_regex", "[a-c]+\\d"}}, "abc1"},
      {{{"guided_choice", {"yes", "no"}}}, "no"},
      {{{"guided_grammar", "root ::= \"x\" root | \"y\""}}, "xxy"},
      {{{"structured_outputs", {{"json", schema}}}}, R"({"a":1})"},
      {{{"structured_outputs", {{"choice", {"up", "down"}}}}}, "up"},
  };
  for (const auto& [more, text] : chats) {
    post("/v1/chat/completions", chat(more));
    ASSERT_NE(fake_->requests.back().constraint, nullptr) << more;
    EXPECT_TRUE(accepts(fake_->requests.back(), text)) << more;
    EXPECT_FALSE(accepts(fake_->requests.back(), "Hello")) << more;
  }
  post("/v1/chat/completions", chat({{"response_format", {{"type", "text"}}}}));
  EXPECT_EQ(fake_->requests.back().constraint, nullptr);
  post("/v1/completions", {{"prompt", "good"}, {"guided_choice", {"yes"}}});
  EXPECT_TRUE(accepts(fake_->requests.back(), "yes"));
  for (const Json& format : {Json("json"), schema}) {
    post("/api/chat", {{"messages", kMessages}, {"stream", false}, {"format", format}});
    EXPECT_TRUE(accepts(fake_->requests.back(), R"({"a": 5})"));
    EXPECT_FALSE(accepts(fake_->requests.back(), "5"));
  }
  EXPECT_EQ(send("/api/chat", {{"messages", kMessages}, {"format", 3}}).status, 400);
  post("/generate", {{"inputs", "good"}, {"parameters", {{"grammar", {{"type", "regex"}, {"value", "a|b"}}}}}});
  EXPECT_TRUE(accepts(fake_->requests.back(), "b"));
  post("/generate", {{"inputs", "good"}, {"parameters", {{"grammar", {{"type", "json"}, {"value", schema}}}}}});
  EXPECT_TRUE(accepts(fake_->requests.back(), R"({"a":0})"));
  const Json wrong =
      post("/generate", {{"inputs", "good"}, {"parameters", {{"grammar", {{"type", "xml"}, {"value", "x"}}}}}}, 422);
  EXPECT_EQ(wrong["error_type"], "validation");
}

TEST_F(GeneratorServerTest, AFullQueueIs429WithRetryAfterAlsoForStreams) {
  fake_->full = true;
  for (const bool stream : {false, true}) {
    const net::Response response = send("/v1/chat/completions", chat({{"stream", stream}}));
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.headers.get("Retry-After"), "1");
    EXPECT_EQ(base::parse_json(response.body, "429")["error"]["type"], "rate_limit_error");
  }
}

TEST_F(GeneratorServerTest, AFailureOfTheEngineIs500OrAnErrorEvent) {
  fake_->error = std::make_exception_ptr(std::runtime_error("secret detail"));
  const Json answer = post("/v1/chat/completions", chat(), 500);
  EXPECT_EQ(answer["error"]["type"], "server_error");
  EXPECT_EQ(base::dump_json(answer).find("secret"), std::string::npos);
  const auto all = events("/v1/chat/completions", chat({{"stream", true}}));
  EXPECT_EQ(all[1]["error"]["type"], "server_error");
}

TEST_F(GeneratorServerTest, AClientThatLeavesCancelsItsAnswer) {
  fake_->endless = true;
  net::HttpClient http(
      server_->url(),
      {.connect_timeout = std::chrono::seconds(2), .timeout = std::chrono::seconds(30), .max_body_bytes = 20'000});
  EXPECT_THROW(http.post_json("/v1/chat/completions", chat({{"stream", true}})), base::Error);
  http.close();
  fake_->wait_cancelled();
}

TEST_F(GeneratorServerTest, CompletionsTakeTextsIdsAndLists) {
  const Json one = post("/v1/completions", {{"model", "fake"}, {"prompt", "good"}, {"max_tokens", 2}});
  EXPECT_EQ(one["object"], "text_completion");
  EXPECT_EQ(one["choices"][0]["text"], "Hello, w");
  EXPECT_EQ(one["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(post("/v1/completions", {{"prompt", Json::array({5, 6})}})["choices"].size(), 1U);
  EXPECT_EQ(fake_->requests.back().ids, (std::vector<int32_t>{5, 6}));
  EXPECT_EQ(fake_->requests.back().max_tokens, 16);
  const Json many = post("/v1/completions", {{"prompt", {"good", "bad"}}, {"n", 2}, {"echo", true}, {"stop", "!"}});
  ASSERT_EQ(many["choices"].size(), 4U);
  EXPECT_EQ(many["choices"][3]["text"], "badHello, wörld");
  EXPECT_EQ(many["choices"][3]["index"], 3);
  const Json scored = post("/v1/completions", {{"prompt", "a"}, {"logprobs", 1}})["choices"][0]["logprobs"];
  EXPECT_EQ(scored["tokens"].size(), 5U);
  EXPECT_EQ(scored["text_offset"], Json::array({0, 5, 8, 8, 13}));
  const auto streamed = events("/v1/completions", {{"prompt", "a"}, {"stream", true}});
  EXPECT_EQ(streamed[0]["choices"][0]["text"], "Hello");
  EXPECT_EQ(streamed.back(), "[DONE]");
  for (const Json& bad :
       {Json{{"prompt", Json::array()}}, Json{{"prompt", 1}}, Json{{"prompt", {1, "x"}}}, Json{{"prompt", {-1}}},
        Json{{"prompt", "a"}, {"suffix", "b"}}, Json{{"prompt", "a"}, {"n", 3}, {"best_of", 2}},
        Json{{"prompt", "a"}, {"best_of", 3}, {"stream", true}}, Json{{"prompt", "a"}, {"use_beam_search", true}}}) {
    post("/v1/completions", bad, 400);
  }
}

TEST_F(GeneratorServerTest, BestOfTellsTheLikeliestCandidates) {
  fake_->tells_seed = true;
  const Json best = post("/v1/completions",
                         {{"prompt", {"a", "b"}}, {"n", 2}, {"best_of", 3}, {"seed", 5}, {"max_tokens", 2}, {"echo", true}});
  ASSERT_EQ(best["choices"].size(), 4U);
  for (const size_t prompt : {0, 1}) {
    const std::string echo = prompt == 0 ? "a" : "b";
    EXPECT_EQ(best["choices"][2 * prompt]["text"], echo + "seed 6");  // of 5, 6, 7
    EXPECT_EQ(best["choices"][2 * prompt + 1]["text"], echo + "seed 7");
  }
  EXPECT_EQ(best["choices"][3]["index"], 3);
  EXPECT_EQ(best["usage"]["completion_tokens"], 12);  // candidates too
  EXPECT_EQ(best["choices"][0]["logprobs"], nullptr);
}

TEST_F(GeneratorServerTest, BeamSearchIsAskedForAsOfVllm) {
  const Json body = {{"prompt", {"good", "bad"}}, {"n", 2},           {"best_of", 4}, {"use_beam_search", true},
                     {"length_penalty", 0.5},     {"early_stopping", true}, {"num_beams", 9}};
  const Json found = post("/v1/completions", body);
  ASSERT_EQ(found["choices"].size(), 4U);
  EXPECT_EQ(found["choices"][0]["text"], "beam 0");
  EXPECT_EQ(found["choices"][3]["text"], "beam 1");
  EXPECT_EQ(found["usage"]["completion_tokens"], 6);
  ASSERT_EQ(fake_->requests.size(), 2U);
  const engine::BeamParams& beams = fake_->requests[0].beams;
  EXPECT_EQ(beams.num_beams, 4);
  EXPECT_EQ(beams.num_return_sequences, 2);
  EXPECT_EQ(beams.length_penalty, 0.5);
  EXPECT_EQ(beams.early_stopping, "true");
  const auto streamed = events(
      "/v1/chat/completions",
      {{"messages", {{{"role", "user"}, {"content", "x"}}}}, {"n", 2}, {"use_beam_search", true}, {"stream", true}});
  std::string texts[2];
  for (const Json& event : streamed) {
    for (size_t i = 0; event.is_object() && i < event["choices"].size(); ++i) {
      const Json& choice = event["choices"][i];
      texts[choice["index"].get<size_t>()] += choice["delta"].value("content", "");
    }
  }
  EXPECT_EQ(texts[0], "beam 0");
  EXPECT_EQ(texts[1], "beam 1");
}

TEST_F(GeneratorServerTest, ModelsAreListed) {
  const Json list = base::parse_json(get("/v1/models").body, "models");
  EXPECT_EQ(list["object"], "list");
  EXPECT_EQ(list["data"][0]["id"], "fake");
  EXPECT_EQ(list["data"][0]["object"], "model");
  EXPECT_TRUE(list["data"][0]["created"].is_number_integer());
  EXPECT_EQ(base::parse_json(get("/v1/models/fake").body, "model"), list["data"][0]);
  EXPECT_EQ(get("/v1/models/other").status, 404);
}

TEST_F(ServeTest, EmbeddingsAsOpenAiAndOllamaAskForThem) {
  start_champion();
  const Json floats = post("/v1/embeddings", {{"model", "tiny"}, {"input", {"a good movie", "bad"}}});
  EXPECT_EQ(floats["object"], "list");
  ASSERT_EQ(floats["data"].size(), 2U);
  EXPECT_EQ(floats["data"][1]["index"], 1);
  EXPECT_EQ(floats["usage"]["prompt_tokens"], floats["usage"]["total_tokens"]);
  const auto expected = floats["data"][0]["embedding"].get<std::vector<float>>();
  EXPECT_EQ(expected.size(), 32U);
  const Json coded = post("/v1/embeddings", {{"input", "a good movie"}, {"encoding_format", "base64"}});
  // 32 floats are 128 bytes: 172 digits, the last one a filler.
  const auto text = coded["data"][0]["embedding"].get<std::string>();
  EXPECT_EQ(text.size(), 172U);
  EXPECT_EQ(text.back(), '=');
  const auto engine = engine::Engine::load(folder(1), {}, context_.pool);
  EXPECT_EQ(post("/v1/embeddings", {{"input", engine->encode("a good movie")}})["data"][0]["embedding"],
            floats["data"][0]["embedding"]);
  EXPECT_EQ(post("/v1/embeddings", {{"input", "bad"}, {"dimensions", 4}})["data"][0]["embedding"].size(), 4U);
  EXPECT_EQ(post("/v1/embeddings", {{"model", "x"}, {"input", "bad"}}, 404)["error"]["code"], "model_not_found");
  EXPECT_EQ(post("/v1/embeddings", {{"input", ""}, {"encoding_format", "x"}}, 400)["error"]["param"],
            "encoding_format");
  post("/v1/embeddings", {{"input", Json::array()}}, 400);
  const Json ollama = post("/api/embed", {{"model", "tiny:latest"}, {"input", "a good movie"}});
  EXPECT_EQ(ollama["embeddings"][0], floats["data"][0]["embedding"]);
  EXPECT_GT(ollama["total_duration"].get<int64_t>(), 0);
  EXPECT_EQ(get("/v1/models")["data"][0]["id"], "tiny");
}

}  // namespace
}  // namespace slipway::serve
