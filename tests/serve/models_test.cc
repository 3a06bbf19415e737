// Several models of several kinds behind one server: who gets a request, what lists say, and loading and unloading
// while requests come.
#include <atomic>
#include <future>

#include "net/raw_socket.h"
#include "serve/choice.h"
#include "serve/generator_fixture.h"
#include "support/tiny_seq2seq.h"

namespace slipway::serve {
namespace {

using base::Json;
using tests::RawSocket;

TEST(ModelField, IsTheTextAtModelInTheOutermostObject) {
  EXPECT_EQ(model_field(R"({"messages": [{"model": "inner"}], "n": 1.5, "model": "outer", "x": )"), "outer");
  EXPECT_EQ(model_field(R"({"a": {"model": "inner"}, "model": null, "b": true})"), std::nullopt);
  EXPECT_EQ(model_field(R"({"model": ["x"], "y": "z"})"), std::nullopt);
  EXPECT_EQ(model_field(R"({"model": {"model": "x"}})"), std::nullopt);
  EXPECT_EQ(model_field(R"([{"model": "x"}])"), std::nullopt);
  for (const char* broken :
       {"", "{", "\"model\"", "{\"model\"", "{\"model\": \"x", "nul", "{\"model\" \"x\"}", "\xFF"}) {
    EXPECT_EQ(model_field(broken), std::nullopt) << broken;
  }
  EXPECT_EQ(model_field(std::string(100'000, '[')), std::nullopt);
  EXPECT_EQ(model_field("{\"a\": " + std::string(100'000, '[')), std::nullopt);
}

// "one" and "two" are encoders, "writer" and "other" decoders, "bart" an encoder-decoder.
class SeveralModelsTest : public ServeTest {
 protected:
  SeveralModelsTest() {
    tests::write_tiny_decoder(decoder_folder(), tests::tiny_decoder_gold("llama"));
    const Json bart = tests::tiny_seq2seq_gold("bart");
    tests::write_tiny_decoder(dir_.path() / "bart", bart);
    tests::write_tiny_tokenizer(dir_.path() / "bart", 100, {{1, "<pad>"}, {2, "<s>"}, {81, "</s>"}});
  }
  ~SeveralModelsTest() override { several_.reset(); }

  std::filesystem::path decoder_folder() const { return dir_.path() / "decoder"; }

  // Decoders are fakes; the newest is fake_.
  void start_all(std::vector<ModelSource> sources, ServeOptions options = {}) {
    options.store = store_folder().string();
    options.drain_ms = 60'000;
    const std::filesystem::path tokenizer = folder(1);
    const auto hooks = [this, tokenizer] {
      ServeHooks made;
      made.generator_loader = [this, tokenizer](const std::filesystem::path&, const engine::GeneratorOptions& how,
                                                base::Pool&) {
        adapters_.push_back(how.lora);
        auto generator = std::make_unique<FakeGenerator>(tokenizer);
        generator->endless = endless_;
        fake_ = generator.get();
        return generator;
      };
      return made;
    };
    several_ = std::make_unique<ModelServer>(options, std::move(sources), model_maker(options, store_.get(), hooks),
                                             context_.context);
    several_->start();
  }
  void start_usual() {
    start_all({{"one", folder(1).string()},
               {"two", folder(2).string()},
               {"writer", decoder_folder().string()},
               {"other", decoder_folder().string()},
               {"bart", (dir_.path() / "bart").string()}});
  }

  net::Response send(const std::string& path, const Json& body, const net::Headers& headers = {}) const {
    return net::HttpClient(several_->url()).post_json(path, body, headers);
  }
  Json post(const std::string& path, const Json& body, int status = 200, const net::Headers& headers = {}) const {
    const net::Response response = send(path, body, headers);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    return base::parse_json(response.body, path);
  }
  Json get(const std::string& path, int status = 200) const {
    const net::Response response = net::HttpClient(several_->url()).get(path);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    return base::parse_json(response.body, path);
  }
  Json chat(const Json& model, int status = 200) const {
    return post("/v1/chat/completions", {{"model", model}, {"messages", {{{"role", "user"}, {"content", "good"}}}}},
                status);
  }
  // The state that the repository's index gives a model, "" when it has none of that name.
  std::string state_of(const std::string& name) const {
    const Json index = post("/v2/repository/index", Json::object());
    for (const Json& one : index) {
      if (one["name"] == name) {
        return one["state"];
      }
    }
    return "";
  }

  std::vector<std::vector<std::string>> adapters_;  // that each decoder was loaded with
  bool endless_ = false;  // of generators that are loaded from now on
  std::atomic<FakeGenerator*> fake_ = nullptr;
  std::unique_ptr<ModelServer> several_;
};

TEST_F(SeveralModelsTest, AnAdapterSaysWhoseItIs) {
  ServeOptions options;
  options.several = true;
  options.generator.lora = {"writer:poems=/x", "other:law=/y:z", "writer:prose=/w"};
  start_all({{"writer", decoder_folder().string()}, {"other", decoder_folder().string()}}, options);
  EXPECT_EQ(adapters_, (std::vector<std::vector<std::string>>{{"poems=/x", "prose=/w"}, {"law=/y:z"}}));
  adapters_.clear();
  options.several = false;
  options.generator.lora = {"decoder:poems=/x", "a:b=/y", "/z:c"};
  start_all({{"", decoder_folder().string()}}, options);
  EXPECT_EQ(adapters_, (std::vector<std::vector<std::string>>{{"poems=/x", "a:b=/y", "/z:c"}}));
}

TEST_F(SeveralModelsTest, TheModelOfTheRequestChooses) {
  start_usual();
  const Json one = post("/v1/embeddings", {{"model", "one"}, {"input", "good"}});
  const Json two = post("/v1/embeddings", {{"model", "two"}, {"input", "good"}});
  EXPECT_EQ(one["model"], "one");
  EXPECT_EQ(two["model"], "two");
  EXPECT_NE(one["data"][0]["embedding"], two["data"][0]["embedding"]);
  EXPECT_EQ(post("/api/embed", {{"model", "two:latest"}, {"input", "good"}})["embeddings"][0],
            two["data"][0]["embedding"]);
  EXPECT_EQ(chat("writer")["model"], "writer");
  EXPECT_EQ(chat("other")["model"], "other");
  const Json infer = {{"inputs", {{{"name", "text"}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {"good"}}}}}};
  EXPECT_EQ(post("/v2/models/two/infer", infer)["model_name"], "two");
  EXPECT_EQ(get("/v2/models/writer")["name"], "writer");
  EXPECT_TRUE(
      post("/models/bart", {{"inputs", "w5"}, {"parameters", {{"max_length", 4}}}})[0].contains("summary_text"));
  EXPECT_TRUE(post("/models/two", {{"inputs", "good"}})[0][0].contains("label"));
}

TEST_F(SeveralModelsTest, WithoutANameTheFirstOfAFittingKindAnswers) {
  start_usual();
  const Json unnamed = post("/embed", {{"inputs", "good"}});
  EXPECT_EQ(unnamed[0], post("/v1/embeddings", {{"model", "one"}, {"input", "good"}})["data"][0]["embedding"]);
  EXPECT_NE(post("/embed", {{"inputs", "good"}}, 200, {{"X-Model", "two"}}), unnamed);
  EXPECT_NE(post("/embed", {{"inputs", "good"}, {"model", "two"}}), unnamed);
  EXPECT_EQ(post("/generate", {{"inputs", "good"}})["generated_text"], "Hello, w\xC3\xB6rld!");
  EXPECT_EQ(post("/v1/completions", {{"prompt", "good"}})["model"], "writer");
  EXPECT_EQ(get("/health")["models"], (Json{"one", "two", "writer", "other", "bart"}));
  const std::string large(20'000, ' ');  // searched by a worker
  EXPECT_EQ(post("/v1/embeddings", {{"input", "good" + large}, {"model", "two"}})["model"], "two");
}

TEST_F(SeveralModelsTest, AWrongNameIsRefusedInTheWordsOfTheProtocol) {
  start_usual();
  for (const char* path : {"/v1/chat/completions", "/v1/embeddings"}) {
    const Json error = post(path, {{"model", "nobody"}, {"input", "x"}, {"messages", Json::array()}}, 404)["error"];
    EXPECT_EQ(error["code"], "model_not_found") << path;
    EXPECT_EQ(error["param"], "model");
    EXPECT_EQ(error["message"], "the model 'nobody' does not exist");
  }
  EXPECT_TRUE(post("/api/chat", {{"model", "nobody"}}, 404)["error"].is_string());
  EXPECT_TRUE(post("/v2/models/nobody/infer", Json::object(), 404)["error"].is_string());
  EXPECT_TRUE(post("/models/nobody", {{"inputs", "x"}}, 404)["error"].is_string());
  EXPECT_EQ(post("/embed", {{"inputs", "x"}}, 404, {{"X-Model", "nobody"}})["error_type"], "Validation");
  EXPECT_EQ(post("/generate", {{"inputs", "x"}}, 404, {{"X-Model", "nobody"}})["error_type"], "validation");
  // A model of another kind.
  EXPECT_EQ(chat("one", 404)["error"]["message"], "the model 'one' does not answer /v1/chat/completions");
  EXPECT_EQ(post("/v1/embeddings", {{"model", "writer"}, {"input", "x"}}, 404)["error"]["code"], "model_not_found");
}

TEST_F(SeveralModelsTest, ListsTellAllOfThem) {
  start_usual();
  const Json openai = get("/v1/models");
  ASSERT_EQ(openai["data"].size(), 5U);
  EXPECT_EQ(openai["data"][1]["id"], "two");
  EXPECT_EQ(get("/v1/models/bart")["id"], "bart");
  EXPECT_EQ(get("/v1/models/nobody", 404)["error"]["code"], "model_not_found");
  EXPECT_EQ(get("/api/tags")["models"].size(), 5U);
  EXPECT_EQ(get("/api/ps")["models"][4]["name"], "bart:latest");
  for (const char* name : {"one", "two", "writer", "other", "bart"}) {
    EXPECT_EQ(get("/v2/models/" + std::string(name) + "/ready")["name"], name);
    EXPECT_EQ(state_of(name), "READY");
  }
  get("/v2/models/nobody/ready", 404);
  post("/v1/embeddings", {{"model", "two"}, {"input", "good"}});
  const std::string metrics = net::HttpClient(several_->url()).get("/metrics").body;
  EXPECT_NE(metrics.find("slipway_texts_total{model=\"two\"} 1\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("slipway_texts_total{model=\"one\"} 0\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("slipway_tokens_total{model=\"writer\",kind=\"output\"} 0\n"), std::string::npos) << metrics;
  EXPECT_EQ(metrics.find("# TYPE slipway_texts_total counter"), metrics.rfind("# TYPE slipway_texts_total counter"));
}

TEST_F(SeveralModelsTest, NamesMustDiffer) {
  EXPECT_THROW(start_all({{"", folder(1).string()}, {"", folder(1).string()}}), base::Error);
  EXPECT_THROW(start_all({{"a", folder(1).string()}, {"a", folder(2).string()}}), base::Error);
  EXPECT_THROW(start_all({}), base::Error);
  EXPECT_THROW(start_all({{"a", folder(1).string()}, {"b", "/nowhere"}}), base::Error);
}

TEST_F(SeveralModelsTest, AModelIsUnloadedAndLoadedAgain) {
  start_usual();
  const Json before = post("/v1/embeddings", {{"model", "two"}, {"input", "good"}});
  std::shared_ptr<ServedModel> held = several_->find("two");
  const std::weak_ptr<ServedModel> watched = held;
  std::future<Json> unloading = std::async(std::launch::async, [this] {
    return post("/v2/repository/models/two/unload", {{"parameters", {{"unload_dependents", false}}}});
  });
  while (state_of("two") != "UNAVAILABLE") {
    std::this_thread::yield();
  }
  EXPECT_EQ(unloading.wait_for(std::chrono::seconds(0)), std::future_status::timeout);  // held still
  held.reset();
  unloading.get();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(post("/v1/embeddings", {{"model", "two"}, {"input", "x"}}, 404)["error"]["message"],
            "the model 'two' is not loaded");
  get("/v2/models/two/ready", 404);
  EXPECT_EQ(get("/v1/models")["data"].size(), 4U);
  EXPECT_EQ(post("/v2/repository/index", {{"ready", true}}).size(), 4U);
  post("/v2/repository/models/two/unload", Json::object(), 404);
  post("/v2/repository/models/nobody/load", Json::object(), 404);
  post("/v2/repository/models/two/load", Json::object());
  EXPECT_EQ(state_of("two"), "READY");
  EXPECT_EQ(post("/v1/embeddings", {{"model", "two"}, {"input", "good"}})["data"], before["data"]);
}

TEST_F(SeveralModelsTest, AnotherModelIsLoadedByItsReference) {
  start_all({{"one", folder(1).string()}});
  EXPECT_EQ(send("/v1/chat/completions", Json::object()).status, 404);
  const Json reference = {{"parameters", {{"reference", decoder_folder().string()}}}};
  post("/v2/repository/models/writer/load", reference);
  EXPECT_EQ(chat("writer")["model"], "writer");
  EXPECT_EQ(chat("one", 404)["error"]["message"], "the model 'one' does not answer /v1/chat/completions");
  EXPECT_EQ(post("/generate", {{"inputs", "x"}, {"model", "nobody"}}, 404)["error"],
            "the model 'nobody' does not exist");
  EXPECT_EQ(post("/embed", {{"inputs", "good"}}).size(), 1U);
  post("/v2/repository/models/writer/unload", Json::object());
  EXPECT_EQ(chat("writer", 404)["error"]["code"], "model_not_found");
  for (const Json& bad :
       {Json{{"parameters", {{"config", "{}"}}}}, Json{{"parameters", 5}}, Json{{"parameters", {{"reference", 5}}}}}) {
    post("/v2/repository/models/writer/load", bad, 400);
  }
  post("/v2/repository/models/third/load", {{"parameters", {{"reference", "/nowhere"}}}}, 404);
  EXPECT_EQ(state_of("third"), "");
  post("/v2/repository/models/writer/load", {{"parameters", {{"reference", "/nowhere"}}}}, 404);
  EXPECT_EQ(state_of("writer"), "UNAVAILABLE");
}

TEST_F(SeveralModelsTest, OnlyThisMachineLoadsAndUnloads) {
  start_usual();
  for (const char* work : {"load", "unload"}) {
    post("/v2/repository/models/two/" + std::string(work), Json::object(), 403, {{"X-Forwarded-For", "10.0.0.1"}});
    post("/v2/repository/models/two/" + std::string(work), Json::object(), 403, {{"Origin", "http://evil.example"}});
  }
  EXPECT_EQ(state_of("two"), "READY");
}

TEST_F(SeveralModelsTest, AnAdministratorsKeyLoadsFromElsewhere) {
  ServeOptions options;
  options.access.api_keys = (dir_.path() / "keys.yaml").string();
  base::write_file_atomic(options.access.api_keys,
                          "- {name: ops, key: ops-key, admin: true}\n- {name: team, key: team-key}\n");
  start_all({{"one", folder(1).string()}, {"two", folder(2).string()}}, options);
  const std::string path = "/v2/repository/models/two/unload";
  const auto from_elsewhere = [](const std::string& key) {
    return net::Headers{{"X-Forwarded-For", "10.0.0.1"}, {"Authorization", "Bearer " + key}};
  };
  post(path, Json::object(), 403, from_elsewhere("team-key"));
  post(path, Json::object(), 401, from_elsewhere("other"));
  post(path, Json::object(), 200, from_elsewhere("ops-key"));
  post("/v2/repository/models/two/load", Json::object());  // this machine, without a key
}

TEST_F(SeveralModelsTest, AStreamUnderWayFinishesOnTheModelThatIsUnloaded) {
  endless_ = true;
  start_all({{"one", folder(1).string()}, {"writer", decoder_folder().string()}});
  const std::string body = R"({"model": "writer", "stream": true, "messages": [{"role": "user", "content": "good"}]})";
  auto reader = std::make_unique<RawSocket>(several_->port());
  reader->send("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body);
  reader->read_until("blah ");
  std::future<Json> unloading =
      std::async(std::launch::async, [this] { return post("/v2/repository/models/writer/unload", Json::object()); });
  while (state_of("writer") != "UNAVAILABLE") {
    std::this_thread::yield();
  }
  chat("writer", 404);
  reader->read_until("blah ");  // goes on
  EXPECT_EQ(unloading.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  reader.reset();  // its client leaves
  unloading.get();
  EXPECT_EQ(several_->find("writer"), nullptr);
}

TEST_F(SeveralModelsTest, AServerEndsWhileAnUnloadingWaits) {
  endless_ = true;
  start_all({{"one", folder(1).string()}, {"writer", decoder_folder().string()}});
  std::thread asking([this, url = several_->url()] {
    try {
      net::HttpClient(url).post_json("/v1/chat/completions", {{"messages", {{{"role", "user"}, {"content", "good"}}}}});
    } catch (const base::Error&) {  // cut off
    }
  });
  while (fake_.load()->count() == 0) {
    std::this_thread::yield();
  }
  std::thread unloading([url = several_->url()] {
    try {
      net::HttpClient(url).post_json("/v2/repository/models/writer/unload", Json::object());
    } catch (const base::Error&) {
    }
  });
  while (state_of("writer") != "UNAVAILABLE") {
    std::this_thread::yield();
  }
  several_.reset();
  asking.join();
  unloading.join();
}

// Clients of two models while a third and one of theirs come and go: all answers are right, or say that the model is
// not loaded.
TEST_F(SeveralModelsTest, LoadsAndUnloadsUnderTraffic) {
  start_all({{"one", folder(1).string()}, {"two", folder(2).string()}, {"writer", decoder_folder().string()}});
  const Json expected = post("/v1/embeddings", {{"model", "two"}, {"input", "good"}})["data"];
  std::atomic<bool> stopping{false};
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::atomic<int> wrong{0};
  const auto ask = [&](const std::string& path, const Json& body, bool steady, const auto& good) {
    net::HttpClient http(several_->url());
    while (!stopping) {
      const net::Response response = http.post_json(path, body);
      if (response.status == 200) {
        wrong += good(base::parse_json(response.body, path)) ? 0 : 1;
        ++answered;
      } else {
        const bool said = response.body.find("is not loaded") != std::string::npos ||
                          response.body.find("is being loaded") != std::string::npos;
        wrong += steady || !said ? 1 : 0;
        ++refused;
      }
    }
  };
  std::vector<std::thread> clients;
  clients.emplace_back(ask, "/v1/classify", Json{{"model", "one"}, {"inputs", "good"}}, true,
                       [](const Json& answer) { return answer["predictions"].size() == 1; });
  clients.emplace_back(ask, "/v1/embeddings", Json{{"model", "two"}, {"input", "good"}}, false,
                       [&](const Json& answer) { return answer["data"] == expected; });
  clients.emplace_back(ask, "/v1/completions", Json{{"model", "writer"}, {"prompt", "good"}}, false,
                       [](const Json& answer) { return answer["choices"][0]["text"] == "Hello, w\xC3\xB6rld!"; });
  for (int round = 0; round < 6; ++round) {
    for (const char* name : {"two", "writer"}) {
      const std::string path = "/v2/repository/models/" + std::string(name);
      if (round % 3 != 2) {  // else: loaded again beside itself
        post(path + "/unload", Json::object());
        const int goal = refused + 1;
        while (refused < goal) {
          std::this_thread::yield();
        }
      }
      post(path + "/load", Json::object());
      const int goal = answered + 5;
      while (answered < goal) {
        std::this_thread::yield();
      }
    }
  }
  stopping = true;
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(several_->drain(), 0);
}

TEST_F(SeveralModelsTest, ADecoderFollowsItsAliasAndAStreamFinishesOnTheOldOne) {
  const auto add = [this](const char* note) {
    base::write_file_atomic(decoder_folder() / "note.txt", note);  // another version has another digest
    record::ModelVersion version;
    version.model = "writer";
    version.artifacts["model"] =
        store_->artifacts().put_folder(decoder_folder(), "model", "model", Json::object()).digest;
    return store_->registry().create_version(version).version;
  };
  const int first = add("1");
  const int second = add("2");
  store_->registry().set_alias("writer", "champion", first, -1);
  ServeOptions options;
  options.follow_alias_ms = 5;
  endless_ = true;
  start_all({{"", "models:/writer@champion"}}, options);
  EXPECT_EQ(get("/health")["model"], "writer/1");
  FakeGenerator* const old = fake_;
  const std::string body = R"({"model": "writer", "stream": true, "messages": [{"role": "user", "content": "good"}]})";
  RawSocket reader(several_->port());
  reader.send("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  reader.read_until("blah ");
  endless_ = false;
  store_->registry().set_alias("writer", "champion", second, first);
  while (get("/health")["model"] != "writer/2") {
    std::this_thread::yield();
  }
  EXPECT_NE(fake_, old);
  EXPECT_EQ(chat("writer")["choices"][0]["message"]["content"], "Hello, w\xC3\xB6rld!");
  reader.read_until("blah ");  // of the old one
  EXPECT_EQ(get("/v2/models/writer")["versions"], Json::array({"2"}));
}

TEST_F(SeveralModelsTest, AVersionThatCannotBeLoadedLeavesTheOldOne) {
  record::ModelVersion version;
  version.model = "bart";
  version.artifacts["model"] =
      store_->artifacts().put_folder(dir_.path() / "bart", "model", "model", Json::object()).digest;
  const int first = store_->registry().create_version(version).version;
  std::filesystem::remove(dir_.path() / "bart" / "model.safetensors");
  version.artifacts["model"] =
      store_->artifacts().put_folder(dir_.path() / "bart", "model", "model", Json::object()).digest;
  const int second = store_->registry().create_version(version).version;
  store_->registry().set_alias("bart", "champion", first, -1);
  ServeOptions options;
  options.follow_alias_ms = 5;
  start_all({{"", "models:/bart@champion"}}, options);
  store_->registry().set_alias("bart", "champion", second, first);
  post("/v2/repository/models/bart/load", Json::object(), 404);  // what following tries, too
  EXPECT_EQ(get("/health")["model"], "bart/1");
  EXPECT_TRUE(post("/", {{"inputs", "w5"}, {"parameters", {{"max_length", 4}}}})[0].contains("summary_text"));
}

}  // namespace
}  // namespace slipway::serve
