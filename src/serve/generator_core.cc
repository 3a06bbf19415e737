#include "serve/generator_core.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace slipway::serve {

namespace {

constexpr int kWorkers = 2;
constexpr size_t kWorkerQueue = 256;
constexpr int kDefaultMaxTokens = 4096;  // of a chat that asks for no number: longer answers are nearly always loops

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

net::Response stream_head(const char* type) {
  net::Response head;
  head.headers.set("Content-Type", type);
  head.headers.set("Cache-Control", "no-cache");
  return head;
}

}  // namespace

bool LateStream::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (writer_) {
    return writer_->write(bytes);
  }
  waiting_ += bytes;
  return true;
}

void LateStream::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  if (writer_) {
    writer_->finish();
  }
}

void LateStream::open(net::StreamWriter writer) {
  const std::lock_guard lock(mutex_);
  writer_ = std::move(writer);
  if (!waiting_.empty()) {
    writer_->write(std::exchange(waiting_, {}));
  }
  if (finished_) {
    writer_->finish();
  }
}

net::Response event_stream_head() { return stream_head("text/event-stream; charset=utf-8"); }
net::Response ndjson_head() { return stream_head("application/x-ndjson"); }

// One job under way; owned by the callbacks of its requests.
struct GeneratorCore::Running {
  Running(GeneratorCore& core_in, Job job_in)
      : core(core_in),
        job(std::move(job_in)),
        results(answers(job.choices)),
        last(results.size()),
        left(job.choices.size()),
        max_tokens(job.choices.empty() ? 0 : job.choices.front().max_tokens) {
    size_t at = 0;
    for (const engine::GenerateRequest& choice : job.choices) {
      first.push_back(at);
      at += static_cast<size_t>(choice.beams.num_return_sequences);
    }
  }

  void token(size_t choice, const engine::TokenEvent& event) {
    const Clock::time_point now = Clock::now();
    const size_t answer = first[choice];
    if (event.index > 0) {
      core.meters_->token_after(seconds(now - last[answer]));
    }
    last[answer] = now;
    if (!abandoned && job.on_token && !job.on_token(answer, event)) {
      cancel();
    }
  }

  void done(size_t choice, const engine::GenerateResult& result) {
    core.meters_->done(result);
    std::vector<engine::GenerateResult> all = result.others;
    all.insert(all.begin(), result);
    all.front().others.clear();
    for (size_t i = 0; i < all.size(); ++i) {
      const int tokens = all[i].usage.completion_tokens;
      if (core.access) {
        core.access->charge(clients[choice], 0, tokens);
      }
      trace_tokens(trace, 0, tokens);
      if (!abandoned && job.on_done) {
        job.on_done(first[choice] + i, all[i]);
      }
      results[first[choice] + i] = std::move(all[i]);
    }
    if (left.fetch_sub(1) == 1 && !abandoned) {
      core.meters_->ended(results.size(), max_tokens);  // before the answer goes: who has it finds it counted
      trace_finish(trace, results);
      if (job.on_end) {
        job.on_end(results);
      }
    }
  }

  void cancel() {
    std::vector<uint64_t> all;
    {
      const std::lock_guard lock(mutex);
      cancelled = true;
      all = handles;
    }
    for (const uint64_t handle : all) {
      core.generator->cancel(handle);
    }
  }

  void add(uint64_t handle) {
    bool late = false;
    {
      const std::lock_guard lock(mutex);
      handles.push_back(handle);
      late = cancelled;
    }
    if (late) {
      core.generator->cancel(handle);
    }
  }

  GeneratorCore& core;
  Job job;
  std::vector<engine::GenerateResult> results;  // of the scheduler's thread, like `last`
  std::vector<Clock::time_point> last;
  std::vector<size_t> first;         // answer of each choice; constant
  std::vector<std::string> clients;  // of each choice; constant
  Trace trace;                       // null: nobody traces it
  std::atomic<size_t> left;
  const int max_tokens;  // of each answer
  std::atomic<bool> abandoned{false};  // the caller was told that it failed
  std::mutex mutex;                    // guards handles and cancelled
  std::vector<uint64_t> handles;
  bool cancelled = false;
};

GeneratorCore::GeneratorCore(std::unique_ptr<engine::Generator> generator_in, std::string name_in, const Host& host)
    : generator(std::move(generator_in)),
      name(name_in.empty() ? generator->info().name : std::move(name_in)),
      created_s(host.context.clock.unix_ms() / 1000),
      context(host.context),
      workers(kWorkers, kWorkerQueue),
      constraints(generator->tokenizer()),
      access(host.access),
      meters_(std::make_unique<GeneratorMeters>(metrics, name, [this] { return generator->stats(); })) {
  if (find_adapter(name) != nullptr) {
    throw base::Error(base::Code::kConflict, fmt::format("an adapter and the model are both called '{}'", name));
  }
  if (const std::string& source = generator->info().chat_template; !source.empty()) {
    try {
      chat_template = text::ChatTemplate::parse(source);
    } catch (const base::Error& error) {
      context.log.warning("the model's chat template is not used", {{"error", std::string(error.what())}});
    }
  }
}

GeneratorCore::~GeneratorCore() {
  workers.stop();
  generator.reset();  // its last callbacks count in the metrics
}

namespace {

constexpr std::string_view kLatest = ":latest";

std::string_view without_latest(std::string_view called) {
  return called.ends_with(kLatest) ? called.substr(0, called.size() - kLatest.size()) : called;
}

}  // namespace

bool GeneratorCore::is_called(std::string_view called) const {
  const std::string_view bare = without_latest(called);
  return called == name || bare == name || find_adapter(called) != nullptr || find_adapter(bare) != nullptr;
}

ModelCard GeneratorCore::card() const {
  const engine::GeneratorInfo& info = generator->info();
  ModelCard card;
  card.kind = ModelKind::kDecoder;
  card.name = name;
  card.display = name;
  card.versions = {"1"};
  card.created_s = created_s;
  card.architecture = info.architecture;
  card.weight_type = info.weight_type;
  card.parameters = info.parameters;
  card.weight_bytes = info.weight_bytes;
  card.context_length = info.context_length;
  for (const engine::AdapterInfo& adapter : info.adapters) {
    card.adapters.push_back({adapter.name, adapter.bytes});
  }
  return card;
}

const engine::AdapterInfo* GeneratorCore::find_adapter(std::string_view wanted) const {
  const std::vector<engine::AdapterInfo>& all = generator->info().adapters;
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& adapter) { return adapter.name == wanted; });
  return it != all.end() ? &*it : nullptr;
}

std::string GeneratorCore::adapter_of(const net::Request& request, const Body& body) const {
  const std::string_view header = request.headers.get("X-Model");
  const std::string model = body.text("model").value_or(header.empty() ? name : std::string(header));
  for (const std::string_view wanted : {std::string_view(model), without_latest(model)}) {
    if (wanted == name) {
      return "";
    }
    if (const engine::AdapterInfo* adapter = find_adapter(wanted)) {
      return adapter->name;
    }
  }
  throw StatusError(
      404,
      fmt::format("the model '{}' does not exist; this server has '{}'{}", model.substr(0, 100), name, adapter_list()),
      "model", "model_not_found");
}

std::string GeneratorCore::adapter_list() const {
  std::string list;
  for (const engine::AdapterInfo& adapter : generator->info().adapters) {
    list += fmt::format("{}'{}'", list.empty() ? " and the adapters " : ", ", adapter.name);
  }
  return list;
}

std::vector<int32_t> GeneratorCore::encode(std::string_view text) const {
  text::Encoding encoding;
  generator->tokenizer().encode(text, {}, encoding);
  if (encoding.ids.empty() && generator->info().bos_id >= 0) {
    encoding.ids.push_back(generator->info().bos_id);  // an empty prompt: the beginning of a text
  }
  return std::move(encoding.ids);
}

std::vector<int32_t> GeneratorCore::encode_chat(const text::ChatRequest& request) const {
  if (!chat_template) {
    throw StatusError(400, fmt::format("the model '{}' has no chat template; use /v1/completions with a prompt", name),
                      "messages");
  }
  text::ChatRequest chat = request;
  chat.extra["bos_token"] = generator->info().bos_token;
  chat.extra["eos_token"] = generator->info().eos_token;
  std::string prompt;
  try {
    prompt = chat_template->render(chat);
  } catch (const base::Error& error) {
    throw StatusError(400, error.what(), "messages");
  }
  text::Encoding encoding;
  generator->tokenizer().encode(prompt, {.add_special_tokens = false}, encoding);  // the template wrote them
  return std::move(encoding.ids);
}

int GeneratorCore::max_tokens(size_t prompt_tokens, std::optional<int64_t> asked) const {
  const int64_t room = std::max<int64_t>(1, generator->info().context_length - static_cast<int64_t>(prompt_tokens));
  return static_cast<int>(std::min(room, asked.value_or(kDefaultMaxTokens)));
}

// At once, so that many requests cannot pass before the first has an answer. The choices of a prompt share it, as in
// the usage that protocols tell.
void GeneratorCore::charge_prompts(const std::vector<engine::GenerateRequest>& choices, const Trace& trace) const {
  for (size_t i = 0; i < choices.size(); ++i) {
    if (i == 0 || choices[i].ids != choices[i - 1].ids) {
      const auto tokens = static_cast<int64_t>(choices[i].ids.size());
      trace_tokens(trace, tokens, 0);
      if (access) {
        access->charge(choices[i].client, tokens, 0);
      }
    }
  }
}

size_t GeneratorCore::answers(const std::vector<engine::GenerateRequest>& choices) {
  size_t count = 0;
  for (const engine::GenerateRequest& choice : choices) {
    count += static_cast<size_t>(choice.beams.num_return_sequences);
  }
  return count;
}

GeneratorCore::Cancel GeneratorCore::run(Job job, const Trace& trace) {
  auto running = std::make_shared<Running>(*this, std::move(job));
  std::vector<engine::GenerateRequest> choices = std::move(running->job.choices);
  running->trace = trace;
  for (const engine::GenerateRequest& choice : choices) {
    running->clients.push_back(choice.client);
  }
  charge_prompts(choices, trace);
  if (!choices.empty()) {
    trace_generation(trace, choices.front(), answers(choices));
  }
  for (size_t i = 0; i < choices.size(); ++i) {
    choices[i].on_token = [running, i](const engine::TokenEvent& event) { running->token(i, event); };
    choices[i].on_done = [running, i](const engine::GenerateResult& result) { running->done(i, result); };
    try {
      running->add(generator->submit(std::move(choices[i])));
    } catch (const base::Error& error) {
      running->abandoned = true;
      running->cancel();
      if (error.code() == base::Code::kUnavailable) {
        throw StatusError(429, "too many requests are waiting; try again in a second", {}, "rate_limit_exceeded");
      }
      throw;
    }
  }
  return [running] { running->cancel(); };
}

void GeneratorCore::run_stream(Job job, const std::shared_ptr<LateStream>& stream, const net::Responder& responder,
                               net::Response head) {
  run(std::move(job), responder.trace());
  stream->open(responder.stream(std::move(head)));  // a client that is gone shows at the next write
}

std::optional<std::pair<int, std::string>> GeneratorCore::failure_of(const engine::GenerateResult& result) {
  if (result.finish_reason == engine::FinishReason::kCancelled) {
    return std::pair{503, std::string("the request was cancelled: the server is stopping")};
  }
  if (result.finish_reason != engine::FinishReason::kError) {
    return std::nullopt;
  }
  try {
    std::rethrow_exception(result.error);
  } catch (const std::exception& error) {
    return std::pair{status_of(error), message_of(error)};
  }
}

}  // namespace slipway::serve
