// What the routes of a served generator share: the model, its chat template, metrics, and the one path that a prompt
// takes: encoded, submitted (one request a choice), its tokens handed on, cancelled when nobody listens any more. Any
// thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "engine/generator.h"
#include "net/access.h"
#include "net/metrics.h"
#include "net/responder.h"
#include "net/router.h"
#include "net/workers.h"
#include "serve/body.h"
#include "serve/generator_meters.h"
#include "serve/handling.h"
#include "serve/served_model.h"
#include "serve/tracing.h"
#include "text/chat_template.h"
#include "text/constraint.h"

namespace slipway::serve {

// A stream that may be written to before it is open: the head of a response goes out only once the request was
// accepted, and its first tokens may come before that.
class LateStream {
 public:
  // False when the client has gone or is too slow. What comes before open() waits for it.
  bool write(std::string_view bytes);
  bool event(const Json& data) { return write("data: " + base::dump_json(data) + "\n\n"); }  // server-sent
  bool line(const Json& data) { return write(base::dump_json(data) + "\n"); }                // ndjson
  void finish();
  void open(net::StreamWriter writer);

 private:
  std::mutex mutex_;
  std::optional<net::StreamWriter> writer_;
  std::string waiting_;
  bool finished_ = false;
};

net::Response event_stream_head();  // text/event-stream
net::Response ndjson_head();        // application/x-ndjson

class GeneratorCore {
 public:
  // `name`: what clients call it; empty: the generator's own.
  GeneratorCore(std::unique_ptr<engine::Generator> generator, std::string name, const Host& host);
  ~GeneratorCore();
  GeneratorCore(const GeneratorCore&) = delete;
  GeneratorCore& operator=(const GeneratorCore&) = delete;

  // Whether clients call it, or one of its adapters, that.
  bool is_called(std::string_view name) const;
  // Which adapter the request's "model", else its X-Model, names: empty for this model (or none named). "name:latest"
  // is Ollama's way. Throws StatusError(404) for a name that is not there.
  std::string adapter_of(const net::Request& request, const Body& body) const;
  // The same for a name; nullptr when there is no such adapter.
  const engine::AdapterInfo* find_adapter(std::string_view name) const;
  // What an answer calls the model: the adapter's name where there is one.
  std::string name_of(const std::string& adapter) const { return adapter.empty() ? name : adapter; }
  // Ids of a prompt, with the special tokens that the tokenizer adds.
  std::vector<int32_t> encode(std::string_view text) const;
  // Ids of a chat by the model's template. Throws StatusError(400): no template, or what the template says.
  std::vector<int32_t> encode_chat(const text::ChatRequest& chat) const;
  // Tokens that a prompt of this length leaves, at most what `asked` says, or a default.
  int max_tokens(size_t prompt_tokens, std::optional<int64_t> asked) const;
  ModelCard card() const;
  int64_t now_s() const { return context.clock.unix_ms() / 1000; }

  // How many answers they have: one each, beam search's num_return_sequences. Numbered in their order.
  static size_t answers(const std::vector<engine::GenerateRequest>& choices);

  struct Job {
    std::vector<engine::GenerateRequest> choices;
    // Both on the scheduler's thread. False: nobody listens, all choices are cancelled. May be empty.
    std::function<bool(size_t answer, const engine::TokenEvent&)> on_token;
    std::function<void(size_t answer, const engine::GenerateResult&)> on_done;
    // Once, after the last on_done: all answers, none with `others`.
    std::function<void(const std::vector<engine::GenerateResult>&)> on_end;
  };
  // Cancels what still runs.
  using Cancel = std::function<void()>;
  // Throws StatusError: 429 when the queue is full, 400 when the engine refuses the request; nothing of the job is
  // called then.
  Cancel run(Job job, const Trace& trace = nullptr);
  // The same, and then opens `stream` to the client.
  void run_stream(Job job, const std::shared_ptr<LateStream>& stream, const net::Responder& responder,
                  net::Response head);

  // 500 or 503 and a message, when a result is a failure; nullopt for a good one.
  static std::optional<std::pair<int, std::string>> failure_of(const engine::GenerateResult& result);

  std::unique_ptr<engine::Generator> generator;  // constant until the end
  const std::string name;
  const int64_t created_s;
  base::Context& context;
  net::MetricRegistry metrics;
  net::Workers workers;
  std::optional<text::ChatTemplate> chat_template;
  text::ConstraintCompiler constraints;  // of the generator's tokenizer
  net::AccessControl* const access;      // null: no API keys; else their names are the requests' clients

 private:
  std::string adapter_list() const;  // for messages
  void charge_prompts(const std::vector<engine::GenerateRequest>& choices, const Trace& trace) const;

  struct Running;
  std::unique_ptr<GeneratorMeters> meters_;
};

// Each adds its routes; the core outlives the router.
void add_openai_routes(net::Router& router, GeneratorCore& core);
void add_tgi_routes(net::Router& router, GeneratorCore& core);
void add_ollama_routes(net::Router& router, GeneratorCore& core);

// {"error": {"message", "type", "param", "code"}}, with Retry-After for 429 and 503.
net::Response openai_error(int status, const std::string& message, const std::string& param = {},
                           const std::string& code = {});
Json openai_error_body(int status, const std::string& message, const std::string& param = {},
                       const std::string& code = {});
// A handler on a worker whose failures are OpenAI's, with param and code.
Handle with_openai_errors(Handle handle);
// A page to try the model; plain text for programs that ask.
net::Response front_page(const net::Request& request, bool chat);

}  // namespace slipway::serve
