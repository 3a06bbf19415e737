#include "engine/generator.h"

#include <algorithm>
#include <fmt/format.h>
#include <future>
#include <optional>
#include <thread>

#include "base/error.h"
#include "engine/decoder.h"
#include "engine/recurrent_decoder.h"
#include "engine/scheduler.h"
#include "model/decoder_files.h"
#include "model/gguf.h"
#include "model/lora.h"
#include "model/recurrent_files.h"
#include "text/gguf_vocabulary.h"

namespace slipway::engine {
namespace {

// A page of K and V: short enough that prefixes of prompts are found at a fine grain, long enough that a page's part of
// the attention is several vectors long.
constexpr int kPageTokens = 32;
constexpr int64_t kWorthKeeping = 32 << 20;         // bytes that took time to pack: less takes some milliseconds
constexpr int64_t kCacheLimit = int64_t{16} << 30;  // bytes of all models' packed weights in a folder
constexpr int kDefaultContext = 32768;              // of models made for more, unless more is asked for
// More are of no use: with the shortest states of recurrent networks a cache of a GB would have millions.
constexpr int kMaxPages = 1 << 20;

// Requests that run at once: each has a row of a pass.
int running_limit(const GeneratorOptions& options) { return std::min(options.max_sequences, options.max_batch_tokens); }

void check_options(const GeneratorOptions& o) {
  if (o.max_batch_tokens < 1 || o.max_sequences < 1 || o.max_queue < 1 || o.context_length < 0 || o.speculate < 0 ||
      o.kv_cache_mb < 1) {
    throw base::Error(
        base::Code::kInvalid,
        "max_batch_tokens, max_sequences, max_queue and kv_cache_mb must be at least 1, context_length 0");
  }
}

kernels::KvType kv_type_of(const std::string& word) {
  if (word == "f16") {
    return kernels::KvType::kF16;
  }
  if (word == "f32") {
    return kernels::KvType::kF32;
  }
  if (word == "int8") {
    return kernels::KvType::kI8;
  }
  throw base::Error(base::Code::kInvalid, fmt::format("kv_type '{}' is unknown; there are f16, f32 and int8", word));
}

int context_of(const GeneratorOptions& options, int max_positions, int64_t kv_tokens) {
  if (options.context_length > max_positions) {
    throw base::Error(base::Code::kInvalid, fmt::format("context_length is {}; the model was made for {} positions",
                                                        options.context_length, max_positions));
  }
  if (options.context_length > kv_tokens) {
    throw base::Error(
        base::Code::kInvalid,
        fmt::format("context_length is {}, but a KV cache of {} MB holds {} tokens; make kv_cache_mb larger",
                    options.context_length, options.kv_cache_mb, kv_tokens));
  }
  if (options.context_length > 0) {
    return options.context_length;
  }
  return static_cast<int>(std::min<int64_t>(kv_tokens, std::min(max_positions, kDefaultContext)));
}

std::unique_ptr<text::Tokenizer> tokenizer_of(const std::filesystem::path& tokenizer,
                                              const std::filesystem::path& folder) {
  if (tokenizer.empty()) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("'{}' has neither tokenizer.json nor tokenizer.model", folder.string()));
  }
  return text::load_tokenizer(tokenizer);
}

std::unique_ptr<text::Tokenizer> tokenizer_of(const model::OpenedDecoder& opened) {
  if (opened.gguf == nullptr) {
    return tokenizer_of(opened.tokenizer, opened.path);
  }
  const auto vocabulary = opened.gguf->vocabulary();
  if (!vocabulary) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' has no tokenizer", opened.path.string()));
  }
  return text::make_tokenizer(*vocabulary, opened.path.string());
}

// How many pages of a cache there are, and how long a sequence may be.
struct CacheSize {
  int pages = 0;
  int context = 0;
};

CacheSize cache_size(const GeneratorOptions& options, int max_positions, int64_t page_bytes) {
  const int64_t affordable = (options.kv_cache_mb << 20) / page_bytes;
  if (affordable < 1) {
    throw base::Error(base::Code::kInvalid, fmt::format("a KV cache of {} MB does not hold one page of {} bytes",
                                                        options.kv_cache_mb, page_bytes));
  }
  const int context = context_of(options, max_positions, affordable * kPageTokens);
  const int64_t useful = int64_t{running_limit(options)} * ((int64_t{context} + kPageTokens - 1) / kPageTokens);
  const int64_t most = std::min(affordable, options.prefix_cache ? affordable : useful);
  return {static_cast<int>(std::min<int64_t>(most, kMaxPages)), context};
}

// A model with what its scheduler and its clients need to know.
struct Loaded {
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<DecoderPass> pass;
  GeneratorInfo info;
  std::jthread cache_writer = {};
};

// What the files of any model say.
GeneratorInfo info_of(const model::TextFiles& files, const std::filesystem::path& path,
                      const GeneratorOptions& options) {
  GeneratorInfo info;
  info.name = model_name(path);
  info.isa = base::isa_name(base::select_isa(options.isa));
  info.page_tokens = kPageTokens;
  info.bos_token = files.bos_token;
  info.eos_token = files.eos_token;
  info.chat_template = files.chat_template;
  return info;
}

void set_cache(GeneratorInfo& info, const CacheSize& size, int64_t page_bytes) {
  info.kv_bytes_per_token = page_bytes / kPageTokens;
  info.kv_tokens = int64_t{size.pages} * kPageTokens;
  info.context_length = size.context;
}

constexpr size_t kMaxAdapters = 1024;
constexpr size_t kMaxAdapterName = 200;

// NAME=FOLDER or FOLDER.
AdapterInfo parse_adapter(const std::string& text) {
  const size_t equals = text.find('=');
  AdapterInfo info;
  info.path = equals == std::string::npos ? text : text.substr(equals + 1);
  std::filesystem::path folder = std::filesystem::path(info.path).lexically_normal();
  if (!folder.has_filename()) {
    folder = folder.parent_path();  // "folder/"
  }
  info.name = equals == std::string::npos ? folder.filename().string() : text.substr(0, equals);
  const bool printable =
      std::none_of(info.name.begin(), info.name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (info.name.empty() || info.path.empty() || info.name.size() > kMaxAdapterName || !printable) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("adapter '{}': want NAME=FOLDER, with a name of 1 to {} printable characters",
                                  text.substr(0, 2 * kMaxAdapterName), kMaxAdapterName));
  }
  return info;
}

std::vector<AdapterInfo> load_adapters(const std::vector<std::string>& wanted, const model::DecoderSpec& spec,
                                       Decoder& decoder) {
  if (wanted.size() > kMaxAdapters) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{} adapters are given; at most {} are loaded", wanted.size(), kMaxAdapters));
  }
  std::vector<AdapterInfo> out;
  for (const std::string& text : wanted) {
    AdapterInfo info = parse_adapter(text);
    if (std::any_of(out.begin(), out.end(), [&](const AdapterInfo& other) { return other.name == info.name; })) {
      throw base::Error(base::Code::kConflict,
                        fmt::format("two adapters are called '{}'; name them apart with NAME=FOLDER", info.name));
    }
    const model::LoraAdapter adapter = model::read_lora(info.path, spec);
    info.rank = adapter.max_rank();
    info.parameters = adapter.parameters();
    info.bytes = decoder.add_adapter(adapter);
    out.push_back(std::move(info));
  }
  return out;
}

std::vector<std::string> adapter_names(const GeneratorInfo& info) {
  std::vector<std::string> names;
  for (const AdapterInfo& adapter : info.adapters) {
    names.push_back(adapter.name);
  }
  return names;
}

// The packed weights on disk of one model, for the time that it is loaded.
class PackedFile {
 public:
  PackedFile(const GeneratorOptions& options, const std::filesystem::path& model, base::Isa isa)
      : options_(options), model_(model), isa_(isa) {
    if (options.packed_cache && !options.cache_folder.empty()) {
      state_ = model_state(model);
      if (const auto digest = known_digest(options.cache_folder, model, state_)) {
        place_ = packed_place(options.cache_folder, *digest, isa, options.weight_type);
        cache_ = PackedCache::open(*place_, isa);
      }
    }
  }
  const PackedCache* get() const { return cache_.get(); }
  // Writes what was packed, where that is worth it, beside the first requests: it takes longer than packing did.
  std::jthread keep(const PackedDecoder& weights) const {
    if (state_.empty() || weights.from_cache || weights.costly_bytes < kWorthKeeping) {
      return {};
    }
    return std::jthread([place = place_, state = state_, folder = std::filesystem::path(options_.cache_folder),
                         model = model_, isa = isa_, type = options_.weight_type, matrices = weights.matrices] {
      std::optional<PackedPlace> to = place;
      if (!to) {
        const auto digest = read_digest(folder, model, state);
        if (!digest) {
          return;
        }
        to = packed_place(folder, *digest, isa, type);
        if (PackedCache::open(*to, isa)) {
          return;  // of a copy of this model
        }
      } else if (model_state(model) != state) {
        return;  // it may have changed while it was read
      }
      write_packed_cache(*to, matrices, kCacheLimit);  // nothing is lost when it fails
    });
  }

 private:
  const GeneratorOptions& options_;
  const std::filesystem::path& model_;
  base::Isa isa_;
  std::string state_;                 // of the model's files before they are read; empty: nothing is kept
  std::optional<PackedPlace> place_;  // when the content's digest is known
  std::unique_ptr<const PackedCache> cache_;
};

Loaded load_transformer(const std::filesystem::path& path, const GeneratorOptions& options, base::Pool& pool) {
  const model::OpenedDecoder opened = model::open_decoder(path);
  const model::DecoderSpec& spec = opened.spec;
  Loaded out;
  out.tokenizer = tokenizer_of(opened);
  DecoderOptions decoder{.isa = base::select_isa(options.isa),
                         .weight_type = options.weight_type,
                         .kv_type = kv_type_of(options.kv_type),
                         .page_tokens = kPageTokens};
  const int64_t page_bytes = Decoder::page_bytes(spec, decoder.kv_type, kPageTokens);
  const CacheSize size = cache_size(options, spec.max_positions, page_bytes);
  decoder.kv_pages = size.pages;
  decoder.context_length = size.context;
  const PackedFile packed(options, path, decoder.isa);
  decoder.cache = packed.get();
  auto pass = std::make_unique<Decoder>(opened, decoder, pool);
  out.cache_writer = packed.keep(pass->weights());
  out.info = info_of(opened, path, options);
  out.info.architecture = model::family_name(spec.family);
  out.info.weight_type = pass->weights().weight_type;
  out.info.kv_type = options.kv_type;
  out.info.parameters = spec.parameter_count();
  out.info.weight_bytes = pass->weights().bytes;
  out.info.packed_cached = pass->weights().from_cache;
  out.info.vocab_size = spec.vocab_size;
  out.info.bos_id = spec.bos_id;
  out.info.eos_ids = {spec.eos_ids.begin(), spec.eos_ids.end()};
  out.info.adapters = load_adapters(options.lora, spec, *pass);
  set_cache(out.info, size, page_bytes);
  out.pass = std::move(pass);
  return out;
}

Loaded load_recurrent(const std::filesystem::path& path, const GeneratorOptions& options, base::Pool& pool) {
  if (!options.lora.empty()) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is a recurrent network, which takes no LoRA adapters", path.string()));
  }
  if (options.speculate > 0) {
    throw base::Error(
        base::Code::kInvalid,
        fmt::format("speculate is {}, but a recurrent network cannot take tokens back: make it 0", options.speculate));
  }
  const model::OpenedRecurrent opened = model::open_recurrent_lm(path);
  const model::RecurrentSpec& spec = opened.spec;
  Loaded out;
  out.tokenizer = tokenizer_of(opened.tokenizer, opened.path);
  const int64_t page_bytes = RecurrentDecoder::page_bytes(spec);
  const CacheSize size = cache_size(options, spec.max_positions, page_bytes);
  auto pass = std::make_unique<RecurrentDecoder>(opened,
                                                 RecurrentDecoderOptions{.isa = base::select_isa(options.isa),
                                                                         .weight_type = options.weight_type,
                                                                         .page_tokens = kPageTokens,
                                                                         .pages = size.pages},
                                                 pool);
  out.info = info_of(opened, path, options);
  out.info.architecture = model::cell_name(spec.cell);
  out.info.weight_type = pass->weight_type();
  out.info.kv_type = "f32";  // states are kept as they are computed
  out.info.parameters = spec.parameter_count();
  out.info.weight_bytes = pass->weight_bytes();
  out.info.vocab_size = spec.vocab_size;
  out.info.bos_id = spec.bos_id;
  out.info.eos_ids = {spec.eos_ids.begin(), spec.eos_ids.end()};
  set_cache(out.info, size, page_bytes);
  out.pass = std::move(pass);
  return out;
}

class DecoderGenerator final : public Generator {
 public:
  DecoderGenerator(Loaded loaded, const GeneratorOptions& options, base::Pool& pool)
      : loaded_(std::move(loaded)),
        scheduler_(*loaded_.pass, *loaded_.tokenizer,
                   SchedulerLimits{.max_batch_tokens = options.max_batch_tokens,
                                   .max_sequences = running_limit(options),
                                   .max_queue = options.max_queue,
                                   .context_length = loaded_.info.context_length,
                                   .kv_pages = static_cast<int>(loaded_.info.kv_tokens / kPageTokens),
                                   .page_tokens = kPageTokens,
                                   .prefix_cache = options.prefix_cache,
                                   .speculate = options.speculate,
                                   .eos_ids = loaded_.info.eos_ids,
                                   .adapters = adapter_names(loaded_.info)},
                   pool) {}

  uint64_t submit(GenerateRequest request) override { return scheduler_.submit(std::move(request)); }
  bool cancel(uint64_t handle) override { return scheduler_.cancel(handle); }
  void drain(std::chrono::milliseconds limit) override { scheduler_.drain(limit); }
  GeneratorStats stats() const override { return scheduler_.stats(); }
  const GeneratorInfo& info() const override { return loaded_.info; }
  const text::Tokenizer& tokenizer() const override { return *loaded_.tokenizer; }

 private:
  Loaded loaded_;
  Scheduler scheduler_;  // last: its thread ends first
};

}  // namespace

void SamplingParams::describe(base::FieldTable& table) {
  table.add("temperature", temperature, "how far from the likeliest token; 0: always the likeliest", {0, 100});
  table.add("top_k", top_k, "draw among the k likeliest tokens; 0: all", {0, 1 << 30});
  table.add("top_p", top_p, "draw among the likeliest tokens that reach this probability; 1: all", {0, 1});
  table.add("min_p", min_p, "draw among tokens of at least this part of the likeliest one's probability", {0, 1});
  table.add("typical_p", typical_p, "locally typical sampling up to this probability; 1: off", {0, 1});
  table.add("repetition_penalty", repetition_penalty, "divides logits of tokens that occurred, prompt included; 1: off",
            {0.01, 100});
  table.add("frequency_penalty", frequency_penalty, "taken from a token's logit for each time it was said",
            {-100, 100});
  table.add("presence_penalty", presence_penalty, "taken from a token's logit once it was said", {-100, 100});
  table.add("stop", stop, "texts that end the output, which ends before them");
  table.add("ignore_eos", ignore_eos, "go on after the model's end tokens");
  table.add("min_tokens", min_tokens, "tokens before which the model's end tokens are not chosen", {0, 1 << 30});
}

void GeneratorOptions::describe(base::FieldTable& table) {
  table.add("max_batch_tokens", max_batch_tokens, "rows of one pass over prompts and streams", {1, 1 << 16});
  table.add("max_sequences", max_sequences, "requests that run at once; others wait", {1, 1 << 16});
  table.add("max_queue", max_queue, "requests that wait; more are refused", {1, 1 << 20});
  table.add("context_length", context_length, "tokens of prompt and output; 0: the model's, at most 32768",
            {0, 1 << 24});
  table.add("kv_cache_mb", kv_cache_mb, "memory for keys and values", {1, 1 << 24});
  table.add("kv_type", kv_type, "element type of keys and values; int8 takes half of f16's memory",
            {"f16", "f32", "int8"});
  table.add("weight_type", weight_type, "turn weights into this type as they are loaded; auto: as they are",
            {"auto", "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1"});
  table.add("speculate", speculate, "tokens guessed from the text itself for each pass; the output stays the same",
            {0, 64});
  table.add("packed_cache", packed_cache, "keep packed weights on disk, so that the next start is faster");
  table.add("prefix_cache", prefix_cache, "keep keys and values for later prompts that begin alike");
}

const char* finish_reason_name(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kCancelled: return "cancelled";
    case FinishReason::kError: return "error";
  }
  return "";
}

std::string model_name(const std::filesystem::path& model) {
  return model.extension() == ".gguf" ? model.stem().string() : model.filename().string();
}

std::unique_ptr<Generator> load_generator(const std::filesystem::path& model, const GeneratorOptions& options,
                                          base::Pool& pool) {
  check_options(options);
  Loaded loaded = model::is_recurrent_lm_path(model) ? load_recurrent(model, options, pool)
                                                     : load_transformer(model, options, pool);
  return std::make_unique<DecoderGenerator>(std::move(loaded), options, pool);
}

GenerateResult generate(Generator& generator, GenerateRequest request) {
  auto promise = std::make_shared<std::promise<GenerateResult>>();
  std::future<GenerateResult> future = promise->get_future();
  request.on_done = [promise, then = std::move(request.on_done)](const GenerateResult& result) {
    if (then) {
      then(result);
    }
    promise->set_value(result);
  };
  generator.submit(std::move(request));
  GenerateResult result = future.get();
  if (result.error) {
    std::rethrow_exception(result.error);
  }
  return result;
}

std::vector<float> score(Generator& generator, std::span<const int32_t> ids) {
  GenerateRequest request;
  request.ids.assign(ids.begin(), ids.end());
  request.max_tokens = 0;
  request.prompt_logprobs_from = 1;
  return generate(generator, std::move(request)).prompt_logprobs;
}

std::vector<ChoiceScore> score_choices(Generator& generator, std::span<const int32_t> prompt,
                                       std::span<const std::vector<int32_t>> continuations) {
  if (prompt.empty()) {
    throw base::Error(base::Code::kInvalid, "the prompt of a choice is empty: give at least one token, such as BOS");
  }
  std::vector<ChoiceScore> scores;
  for (const std::vector<int32_t>& continuation : continuations) {
    GenerateRequest request;
    request.ids.assign(prompt.begin(), prompt.end());
    request.ids.insert(request.ids.end(), continuation.begin(), continuation.end());
    request.max_tokens = 0;
    request.prompt_logprobs_from = static_cast<int>(prompt.size());
    ChoiceScore score;
    for (const float logprob : generate(generator, std::move(request)).prompt_logprobs) {
      score.logprob += static_cast<double>(logprob);
      ++score.tokens;
    }
    scores.push_back(score);
  }
  return scores;
}

}  // namespace slipway::engine
