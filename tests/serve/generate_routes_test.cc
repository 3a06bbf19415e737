// Text Generation Inference, Ollama, metrics and the page of a generator server.
#include "serve/generator_fixture.h"

namespace slipway::serve {
namespace {

using base::Json;

TEST_F(GeneratorServerTest, TgiGeneratesWithDetails) {
  EXPECT_EQ(post("/generate", {{"inputs", "good"}}), (Json{{"generated_text", "Hello, wörld!"}}));
  EXPECT_EQ(fake_->requests[0].sampling.temperature, 0);  // greedy unless asked
  EXPECT_EQ(fake_->requests[0].max_tokens, 37);           // 100, but the context has 40, 3 of them the prompt's
  const Json answer = post("/generate", {{"inputs", "good"},
                                         {"parameters",
                                          {{"details", true},
                                           {"do_sample", true},
                                           {"seed", 3},
                                           {"max_new_tokens", 9},
                                           {"return_full_text", true},
                                           {"stop", {"!"}}}}});
  EXPECT_EQ(answer["generated_text"], "goodHello, wörld");
  EXPECT_EQ(answer["details"]["finish_reason"], "stop_sequence");
  EXPECT_EQ(answer["details"]["seed"], 3);
  EXPECT_EQ(answer["details"]["generated_tokens"], 4);
  EXPECT_EQ(answer["details"]["tokens"].size(), 4U);
  EXPECT_EQ(answer["details"]["tokens"][0]["text"], "Hello");
  EXPECT_EQ(fake_->requests[1].sampling.temperature, 1);
  EXPECT_EQ(fake_->requests[1].max_tokens, 9);
  EXPECT_EQ(post("/generate", {{"inputs", 1}}, 422)["error_type"], "validation");
  EXPECT_EQ(post("/generate", {{"inputs", "a"}, {"parameters", {{"grammar", "x"}}}}, 422)["error_type"], "validation");
}

TEST_F(GeneratorServerTest, BeamSearchIsAskedForByTransformersNames) {
  const Json parameters = {{"num_beams", 4},     {"num_return_sequences", 2},     {"early_stopping", "never"},
                           {"do_sample", false}, {"no_repeat_ngram_size", 3},     {"length_penalty", -1}};
  const Json answer = post("/", {{"inputs", "good"}, {"parameters", parameters}});
  EXPECT_EQ(answer, Json::parse(R"([{"generated_text": "beam 0"}, {"generated_text": "beam 1"}])"));
  const engine::BeamParams& beams = fake_->requests[0].beams;
  EXPECT_EQ(beams.num_beams, 4);
  EXPECT_EQ(beams.early_stopping, "never");
  EXPECT_EQ(beams.no_repeat_ngram_size, 3);
  EXPECT_EQ(beams.length_penalty, -1);
  EXPECT_EQ(post("/generate", {{"inputs", "good"}, {"parameters", {{"num_beams", 2}}}}),
            (Json{{"generated_text", "beam 0"}}));
  for (const Json& bad : {Json{{"num_beams", 2}, {"do_sample", true}}, Json{{"num_beams", 0}},
                          Json{{"num_beams", 2}, {"details", true}}, Json{{"early_stopping", "soon"}}}) {
    post("/generate", {{"inputs", "good"}, {"parameters", bad}}, 422);
  }
  post("/generate_stream", {{"inputs", "good"}, {"parameters", {{"num_beams", 2}}}}, 422);
}

TEST_F(GeneratorServerTest, TgiStreamsTokensAndTheWholeTextWithTheLast) {
  const auto all = events("/generate_stream", {{"inputs", "good"}});
  ASSERT_EQ(all.size(), 5U);
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]["index"], i + 1);
    EXPECT_EQ(all[i]["generated_text"].is_null(), i + 1 < all.size());
    text += all[i]["token"]["text"].get<std::string>();
  }
  EXPECT_EQ(text, "Hello, wörld!");
  EXPECT_EQ(all[4]["generated_text"], text);
  EXPECT_EQ(all[4]["details"]["finish_reason"], "eos_token");
}

TEST_F(GeneratorServerTest, OllamaStreamsLinesByDefault) {
  const auto all = lines("/api/chat", {{"model", "fake"}, {"messages", {{{"role", "user"}, {"content", "good"}}}}});
  ASSERT_EQ(all.size(), 5U);
  std::string text;
  for (const Json& line : all) {
    EXPECT_EQ(line["message"]["role"], "assistant");
    EXPECT_EQ(line["done"], &line == &all.back());
    text += line["message"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, "Hello, wörld!");
  EXPECT_EQ(all.back()["done_reason"], "stop");
  EXPECT_EQ(all.back()["eval_count"], 5);
  EXPECT_EQ(all.back()["total_duration"], 4'000'000);
  EXPECT_EQ(all.back()["eval_duration"], 2'500'000);
}

TEST_F(GeneratorServerTest, AnAdapterIsChosenByItsNameInEachProtocol) {
  fake_->add_adapter("poems");
  fake_->add_adapter("law:latest");  // a name may look like a tag
  const Json message = {{{"role", "user"}, {"content", "good"}}};
  EXPECT_EQ(post("/v1/chat/completions", {{"model", "poems"}, {"messages", message}})["model"], "poems");
  EXPECT_EQ(post("/v1/completions", {{"model", "law:latest"}, {"prompt", "good"}})["model"], "law:latest");
  EXPECT_EQ(post("/v1/completions", {{"model", "fake"}, {"prompt", "good"}})["model"], "fake");
  post("/generate", {{"inputs", "good"}, {"parameters", {{"adapter_id", "poems"}}}});
  EXPECT_EQ(lines("/api/chat", {{"model", "poems:latest"}, {"messages", message}}).back()["model"], "poems");
  EXPECT_EQ(lines("/api/generate", {{"model", "fake:latest"}, {"prompt", "good"}}).back()["model"], "fake");
  std::vector<std::string> chosen;
  for (const engine::GenerateRequest& request : fake_->requests) {
    chosen.push_back(request.adapter);
  }
  EXPECT_EQ(chosen, (std::vector<std::string>{"poems", "law:latest", "", "poems", "poems", ""}));
  const std::string unknown = post("/v1/completions", {{"model", "prose"}, {"prompt", "x"}}, 404)["error"]["message"];
  EXPECT_EQ(unknown, "the model 'prose' does not exist; this server has 'fake' and the adapters 'poems', 'law:latest'");
  post("/generate", {{"inputs", "good"}, {"parameters", {{"adapter_id", "fake"}}}}, 422);
  post("/api/chat", {{"model", "prose"}, {"messages", message}}, 404);
  const Json models = base::parse_json(get("/v1/models").body, "models")["data"];
  ASSERT_EQ(models.size(), 3U);
  EXPECT_FALSE(models[0].contains("parent"));
  EXPECT_EQ(models[1]["id"], "poems");
  EXPECT_EQ(models[1]["parent"], "fake");
  EXPECT_EQ(base::parse_json(get("/v1/models/poems").body, "model")["parent"], "fake");
  EXPECT_EQ(get("/v1/models/prose").status, 404);
  EXPECT_EQ(base::parse_json(get("/api/tags").body, "tags")["models"][1]["details"]["parent_model"], "fake");
  EXPECT_EQ(post("/api/show", {{"model", "poems"}})["details"]["parent_model"], "fake");
}

TEST_F(GeneratorServerTest, OllamaAnswersAtOnceWhenAskedTo) {
  const Json answer =
      post("/api/generate", {{"model", "fake:latest"},
                             {"prompt", "good"},
                             {"stream", false},
                             {"options", {{"num_predict", 2}, {"temperature", 0}, {"repeat_penalty", 1.1}}}});
  EXPECT_EQ(answer["response"], "Hello, w");
  EXPECT_EQ(answer["done"], true);
  EXPECT_EQ(answer["done_reason"], "length");
  EXPECT_EQ(fake_->requests[0].sampling.repetition_penalty, 1.1);
  EXPECT_EQ(fake_->requests[0].sampling.top_k, 40);
  EXPECT_EQ(post("/api/generate", {{"model", "fake"}})["done_reason"], "load");
  EXPECT_TRUE(post("/api/generate", {{"model", "other"}, {"prompt", "x"}}, 404)["error"].is_string());
  EXPECT_EQ(post("/api/show", {{"model", "fake"}})["model_info"]["general.architecture"], "llama");
  EXPECT_EQ(base::parse_json(get("/api/tags").body, "tags")["models"][0]["name"], "fake:latest");
  EXPECT_TRUE(base::parse_json(get("/api/version").body, "version")["version"].is_string());
  post("/api/pull", {{"model", "x"}}, 501);
}

TEST_F(GeneratorServerTest, MetricsCountTokensUnderOurNamesAndVllms) {
  post("/v1/completions", {{"prompt", "good"}});
  const std::string metrics = get("/metrics").body;
  for (const char* line : {"slipway_tokens_total{kind=\"output\"} 5", "vllm:generation_tokens_total{@} 5",
                           "slipway_inter_token_seconds_count 4", "vllm:inter_token_latency_seconds_count{@} 4",
                           "slipway_time_to_first_token_seconds_count 1", "vllm:time_to_first_token_seconds_count{@} 1",
                           "vllm:num_requests_running{@} 1", "vllm:num_requests_waiting{@} 2", "vllm:kv_cache_usage_perc{@} 0.5",
                           "vllm:num_preemptions_total{@} 0", "vllm:request_params_n_sum{@} 1",
                           "vllm:request_generation_tokens_sum{@} 5", "vllm:request_decode_time_seconds_count{@} 1",
                           "vllm:request_success_total{@,finished_reason=\"stop\"} 1",
                           "slipway_requests_total{route=\"/v1/completions\",status=\"200\"} 1"}) {
    std::string wanted = line;
    if (const size_t at = wanted.find('@'); at != std::string::npos) {
      wanted.replace(at, 1, "model_name=\"fake\",engine=\"0\"");  // vLLM's labels
    }
    EXPECT_NE(metrics.find(wanted), std::string::npos) << wanted << "\n" << metrics;
  }
}

TEST_F(GeneratorServerTest, ThePageIsForBrowsersAndAsksNobodyElse) {
  EXPECT_EQ(get("/").body, "Slipway is running\n");
  const net::Response page = get("/", {{"Accept", "text/html,*/*"}});
  EXPECT_TRUE(page.headers.get("Content-Type").starts_with("text/html"));
  EXPECT_NE(page.body.find("/v1/chat/completions"), std::string::npos);
  EXPECT_EQ(page.body.find("http"), std::string::npos);
}

}  // namespace
}  // namespace slipway::serve
