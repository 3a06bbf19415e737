// A store with versions of a tiny model, and a model server over it on a free port.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/context.h"
#include "net/client.h"
#include "serve/encoder_model.h"
#include "serve/load.h"
#include "serve/model_server.h"
#include "store/store.h"
#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::serve {

struct TestContext {
  base::Pool pool{2};
  base::Log log;
  base::SystemClock clock;
  base::SilentProgress progress;
  base::Context context{pool, log, clock, progress, {}};
};

// Holds back what it is given until release(), or fails; the tokenizer is the tiny model's.
class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(const std::filesystem::path& folder, int max_queue)
      : tokenizer_(text::load_tokenizer(folder / "tokenizer.json")) {
    info_ = {"float32", 64, tokenizer_->vocab_size(), 4, 2048, max_queue, 1};
  }
  ~FakeBackend() override { release(); }
  const BackendInfo& info() const override { return info_; }
  const std::vector<std::string>& labels() const override { return labels_; }
  const text::Tokenizer& tokenizer() const override { return *tokenizer_; }
  std::vector<int32_t> encode(const std::string& text) const override {
    text::Encoding encoding;
    tokenizer_->encode(text, {.add_special_tokens = true, .with_offsets = false, .max_length = 64}, encoding);
    return encoding.ids;
  }
  void submit(engine::Input input, engine::Batcher::Done done) override {
    const std::lock_guard lock(mutex_);
    if (static_cast<int>(waiting_.size()) >= info_.max_queue) {
      throw base::Error(base::Code::kUnavailable, "full");
    }
    waiting_.emplace_back(static_cast<int>(input.ids.size()), std::move(done));
    changed_.notify_all();
  }
  int queued() const override {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(waiting_.size());
  }
  void wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() >= count; });
  }
  void release(std::exception_ptr error = nullptr) {
    std::vector<std::pair<int, engine::Batcher::Done>> ready;
    {
      const std::lock_guard lock(mutex_);
      ready.swap(waiting_);
    }
    for (auto& [tokens, done] : ready) {
      engine::BatchResult result;
      result.tokens = tokens;
      result.error = error;
      if (!error) {
        result.logits = {0, 1};
        result.embedding = {0.5F, 0.5F, 0.5F, 0.5F};
      }
      done(std::move(result));
    }
  }

 private:
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::vector<std::string> labels_ = {"negative", "positive"};
  BackendInfo info_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<int, engine::Batcher::Done>> waiting_;
};

// A server of one encoder, and what tests ask of that.
class EncoderServer {
 public:
  EncoderServer(const ServeOptions& options, record::Store* store, base::Context& context, ServeHooks hooks = {})
      : server_(options, {{options.endpoint, options.model}},
                model_maker(options, store, [hooks = std::move(hooks)] { return hooks; }), context) {}

  void start() { server_.start(); }
  std::string url() const { return server_.url(); }
  int port() const { return server_.port(); }
  std::string grpc_url() const { return server_.grpc_url(); }
  int wait_until_signal() { return server_.wait_until_signal(); }
  int drain(std::chrono::milliseconds deadline = {}) { return server_.drain(deadline); }

  std::string serving() const { return encoder()->serving(); }
  std::string deployment_id() const { return encoder()->deployment_id(); }
  base::Json deployment() const { return encoder()->deployment(); }
  void set_canary(const std::string& reference, double percent) { encoder()->set_canary(reference, percent); }
  void rollback() { encoder()->rollback(); }

 private:
  std::shared_ptr<EncoderModel> encoder() const { return std::dynamic_pointer_cast<EncoderModel>(server_.find()); }
  ModelServer server_;
};

class ServeTest : public ::testing::Test {
 protected:
  ServeTest() {
    base::make_dirs(store_folder());
    store_ = store::open_store(store_folder());
  }
  ~ServeTest() override { server_.reset(); }

  std::filesystem::path store_folder() const { return dir_.path() / "store"; }

  // The folder of a tiny model with that seed.
  std::filesystem::path folder(uint64_t seed) {
    const auto path = dir_.path() / ("model-" + std::to_string(seed));
    if (!std::filesystem::exists(path)) {
      tests::TinyBert tiny;
      tiny.seed = seed;
      tests::write_tiny_bert(path, tiny);
    }
    return path;
  }
  // Registers one more version of "tiny"; returns its number.
  int add_version(uint64_t seed) {
    record::ModelVersion version;
    version.model = "tiny";
    version.artifacts["model"] =
        store_->artifacts().put_folder(folder(seed), "model", "model", base::Json::object()).digest;
    return store_->registry().create_version(version).version;
  }
  void point_alias(int version) { store_->registry().set_alias("tiny", "champion", version, -1); }

  EncoderServer& start(const std::string& model, ServeOptions options = {}, ServeHooks hooks = {}) {
    options.model = model;
    options.store = store_folder().string();
    server_ = std::make_unique<EncoderServer>(options, store_.get(), context_.context, std::move(hooks));
    server_->start();
    return *server_;
  }
  EncoderServer& start_champion(ServeOptions options = {}, ServeHooks hooks = {}) {
    point_alias(add_version(1));
    return start("models:/tiny@champion", std::move(options), std::move(hooks));
  }
  // A server over a FakeBackend, which it gives back.
  FakeBackend& start_fake(int max_queue, ServeOptions options = {}) {
    FakeBackend* fake = nullptr;
    ServeHooks hooks;
    hooks.loader = [&fake, max_queue](const std::filesystem::path& path, const BackendOptions&, base::Pool&) {
      auto made = std::make_unique<FakeBackend>(path, max_queue);
      fake = made.get();
      return made;
    };
    start(folder(1).string(), std::move(options), std::move(hooks));
    return *fake;
  }
  net::HttpClient client() { return net::HttpClient(server_->url()); }
  base::Json post(const std::string& path, const base::Json& body, int status = 200) {
    net::HttpClient http(server_->url());
    const net::Response response = http.post_json(path, body);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    return base::parse_json(response.body, path);
  }
  base::Json get(const std::string& path, int status = 200) {
    net::HttpClient http(server_->url());
    const net::Response response = http.get(path);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    return base::parse_json(response.body, path);
  }

  base::TempDir dir_;
  TestContext context_;
  std::unique_ptr<record::Store> store_;
  std::unique_ptr<EncoderServer> server_;
};

}  // namespace slipway::serve
