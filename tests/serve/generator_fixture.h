// A generator that says what it is told to, and a server over it on a free port.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "engine/generator.h"
#include "net/client.h"
#include "serve/decoder_model.h"
#include "serve/fixture.h"

namespace slipway::serve {

// Each request is answered within submit(), by "Hello, w", a character in two pieces, and "!": five tokens. A stop
// string
// "!" ends it before the last.
class FakeGenerator final : public engine::Generator {
 public:
  explicit FakeGenerator(const std::filesystem::path& folder)
      : tokenizer_(text::load_tokenizer(folder / "tokenizer.json")) {
    info_.name = "fake";
    info_.architecture = "llama";
    info_.weight_type = "F32";
    info_.vocab_size = tokenizer_->vocab_size();
    info_.context_length = 40;
    info_.bos_token = "[CLS]";
    info_.chat_template =
        "{% if messages[-1].role == 'assistant' %}{{ raise_exception('the user speaks last') }}{% endif %}"
        "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}{% if loud %}!{% endif %}";
  }
  ~FakeGenerator() override {
    cancel_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  uint64_t submit(engine::GenerateRequest request) override {
    const std::lock_guard lock(mutex_);
    if (full) {
      throw base::Error(base::Code::kUnavailable, "the queue is full");
    }
    requests.push_back(request);
    requests.back().on_token = nullptr;  // they hold their requests, and those hold the model that owns this
    requests.back().on_done = nullptr;
    if (endless) {
      threads_.emplace_back([this, request = std::move(request)] { talk_until_cancelled(request); });
    } else {
      answer(request);
    }
    return requests.size();
  }
  bool cancel(uint64_t /*handle*/) override {
    cancel_all();
    return true;
  }
  void drain(std::chrono::milliseconds /*limit*/) override { cancel_all(); }
  engine::GeneratorStats stats() const override {
    return {.waiting = 2, .running = 1, .kv_pages = 10, .kv_pages_free = 5};
  }
  const engine::GeneratorInfo& info() const override { return info_; }
  const text::Tokenizer& tokenizer() const override { return *tokenizer_; }

  // Blocks until something was cancelled.
  void wait_cancelled() {
    std::unique_lock lock(cancel_mutex_);
    changed_.wait(lock, [this] { return cancelled_; });
  }

  size_t count() {
    const std::lock_guard lock(mutex_);
    return requests.size();
  }
  // Before the first request.
  void add_adapter(const std::string& name) { info_.adapters.push_back({name, "/" + name, 8, 1000, 4000}); }
  void set_context_length(int tokens) { info_.context_length = tokens; }

  std::vector<engine::GenerateRequest> requests;
  std::vector<std::pair<std::string, std::string>> says = {// each token, and the text that it completes
                                                           {"Hello", "Hello"},
                                                           {", w", ", w"},
                                                           {"\xC3", ""},
                                                           {"\xB6rld", "\xC3\xB6rld"},
                                                           {"!", "!"}};
  bool full = false;
  bool endless = false;
  bool tells_seed = false;  // the text is the seed; the best of three seeds in a row is the one that 3 divides
  std::exception_ptr error;

 private:
  void cancel_all() {
    const std::lock_guard lock(cancel_mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  bool cancelled() {
    const std::lock_guard lock(cancel_mutex_);
    return cancelled_;
  }

  void answer(const engine::GenerateRequest& request) const {
    engine::GenerateResult result;
    result.usage.prompt_tokens = static_cast<int>(request.ids.size());
    result.usage.cached_tokens = 1;
    result.seed = request.sampling.seed.value_or(99);
    result.error = error;
    result.finish_reason = error ? engine::FinishReason::kError : engine::FinishReason::kLength;
    if (request.beams.num_beams > 1) {
      answer_beams(request, std::move(result));
      return;
    }
    for (int i = 0; i < request.max_tokens && !error; ++i) {
      if (i == static_cast<int>(says.size())) {
        result.finish_reason = engine::FinishReason::kStop;
        break;
      }
      const auto& [token, text] = says[static_cast<size_t>(i)];
      if (!request.sampling.stop.empty() && request.sampling.stop[0] == token) {
        result.finish_reason = engine::FinishReason::kStop;
        result.stopped_by = token;
        break;
      }
      engine::TokenEvent event{i, 10 + i, token, false, text, -0.5F, {}};
      for (int k = 0; k < request.sampling.top_logprobs; ++k) {
        event.top_logprobs.push_back({10 + i + k, token, -0.5F - static_cast<float>(k)});
      }
      request.on_token(event);
      result.text += text;
      result.ids.push_back(event.id);
      ++result.usage.completion_tokens;
    }
    if (tells_seed) {
      result.text = "seed " + std::to_string(result.seed);
      result.logprob = -static_cast<double>(result.seed % 3);
    }
    result.first_token = std::chrono::microseconds(1500);
    result.total = std::chrono::microseconds(4000);
    request.on_done(result);
  }

  // "beam 0" with one token, "beam 1" with two, …
  static void answer_beams(const engine::GenerateRequest& request, engine::GenerateResult result) {
    std::vector<engine::GenerateResult> all;
    for (int i = 0; i < request.beams.num_return_sequences; ++i) {
      engine::GenerateResult& one = all.emplace_back(result);
      one.text = one.text_tail = "beam " + std::to_string(i);
      one.ids.assign(static_cast<size_t>(i) + 1, 10);
      one.usage.completion_tokens = i + 1;
    }
    result = all.front();
    result.others.assign(all.begin() + 1, all.end());
    request.on_done(result);
  }

  void talk_until_cancelled(const engine::GenerateRequest& request) {
    engine::GenerateResult result;
    result.finish_reason = engine::FinishReason::kCancelled;
    for (int i = 0; !cancelled(); ++i) {
      request.on_token({i, 10, "blah ", false, "blah ", 0, {}});
    }
    request.on_done(result);
  }

  std::unique_ptr<text::Tokenizer> tokenizer_;
  engine::GeneratorInfo info_;
  std::mutex mutex_;
  std::mutex cancel_mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
  std::vector<std::thread> threads_;
};

class GeneratorServerTest : public ::testing::Test {
 protected:
  GeneratorServerTest() {
    tests::write_tiny_bert(dir_.path());
    start({});
  }

  void start(const ServeOptions& options) {
    const auto make = [this](const std::string& name, const std::string& reference, const Host& host) {
      auto generator = std::make_unique<FakeGenerator>(reference);
      fake_ = generator.get();
      return std::make_unique<DecoderModel>(name, std::move(generator), host);
    };
    server_.reset();
    server_ = std::make_unique<ModelServer>(options, std::vector<ModelSource>{{options.endpoint, dir_.path().string()}},
                                            make, context_.context);
    server_->start();
  }

  net::Response send(const std::string& path, const base::Json& body) {
    net::HttpClient http(server_->url());
    return http.post_json(path, body);
  }
  base::Json post(const std::string& path, const base::Json& body, int status = 200) {
    const net::Response response = send(path, body);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    return base::parse_json(response.body, path);
  }
  net::Response get(const std::string& path, const net::Headers& headers = {}) {
    net::HttpClient http(server_->url());
    return http.request("GET", path, {}, headers);
  }
  // The data of each server-sent event; "[DONE]" is a text.
  std::vector<base::Json> events(const std::string& path, const base::Json& body) {
    const net::Response response = send(path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_TRUE(response.headers.get("Content-Type").starts_with("text/event-stream"));
    std::vector<base::Json> out;
    std::string rest = response.body;
    for (size_t end = 0; (end = rest.find("\n\n")) != std::string::npos; rest = rest.substr(end + 2)) {
      const std::string event = rest.substr(0, end);
      EXPECT_TRUE(event.starts_with("data: ")) << event;
      out.push_back(event == "data: [DONE]" ? base::Json("[DONE]") : base::parse_json(event.substr(6), "event"));
    }
    EXPECT_EQ(rest, "");
    return out;
  }
  std::vector<base::Json> lines(const std::string& path, const base::Json& body) {
    const net::Response response = send(path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    std::vector<base::Json> out;
    std::string rest = response.body;
    for (size_t end = 0; (end = rest.find('\n')) != std::string::npos; rest = rest.substr(end + 1)) {
      out.push_back(base::parse_json(rest.substr(0, end), "line"));
    }
    return out;
  }

  base::TempDir dir_;
  TestContext context_;
  FakeGenerator* fake_ = nullptr;
  std::unique_ptr<ModelServer> server_;
};

}  // namespace slipway::serve
