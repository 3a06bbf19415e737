#include "engine/seq2seq.h"

#include <algorithm>
#include <fmt/format.h>
#include <future>

#include "base/error.h"
#include "engine/seq2seq_scheduler.h"
#include "model/seq2seq_files.h"

namespace slipway::engine {
namespace {

constexpr int kDefaultContext = 4096;  // of models whose positions have no end

class LoadedSeq2Seq final : public Seq2Seq {
 public:
  LoadedSeq2Seq(const std::filesystem::path& folder, const Seq2SeqOptions& options, base::Pool& pool);

  uint64_t submit(Seq2SeqRequest request) override { return scheduler_->submit(std::move(request)); }
  bool cancel(uint64_t handle) override { return scheduler_->cancel(handle); }
  void drain(std::chrono::milliseconds limit) override { scheduler_->drain(limit); }
  Seq2SeqStats stats() const override { return scheduler_->stats(); }
  const Seq2SeqInfo& info() const override { return info_; }
  const text::Tokenizer& tokenizer() const override { return *tokenizer_; }

 private:
  Seq2SeqInfo info_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<Seq2SeqModel> model_;
  std::unique_ptr<Seq2SeqScheduler> scheduler_;  // last: its thread ends first
};

// generation_config.json where there is one, else config.json, which held these keys before.
Seq2SeqParams defaults_of(const model::OpenedSeq2Seq& opened) {
  Seq2SeqParams params;
  const bool own = !opened.generation_config.empty();
  const std::string where = (opened.path / (own ? "generation_config.json" : "config.json")).string();
  params.apply(own ? opened.generation_config : opened.config, where, true);
  return params;
}

std::vector<int32_t> eos_ids_of(const model::OpenedSeq2Seq& opened) {
  const auto it = opened.generation_config.find("eos_token_id");
  if (it == opened.generation_config.end() || it->is_null()) {
    return {opened.spec.eos_ids.begin(), opened.spec.eos_ids.end()};
  }
  std::vector<int32_t> ids;
  const base::Json list = it->is_array() ? *it : base::Json::array({*it});
  for (const base::Json& one : list) {
    const bool good =
        one.is_number_integer() && one.get<int64_t>() >= 0 && one.get<int64_t>() < opened.spec.decoder_vocab_size;
    if (!good || ids.size() >= 1'000) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{}: 'eos_token_id' is no token of the model, or there are more than 1000",
                                    (opened.path / "generation_config.json").string()));
    }
    ids.push_back(one.get<int32_t>());
  }
  return ids;
}

int context_of(const Seq2SeqOptions& options, const model::Seq2SeqSpec& spec) {
  const int most = spec.max_positions > 0 ? spec.max_positions : kDefaultContext;
  if (spec.max_positions > 0 && options.context_length > spec.max_positions) {
    throw base::Error(base::Code::kInvalid, fmt::format("context_length is {}; the model was made for {} positions",
                                                        options.context_length, spec.max_positions));
  }
  return options.context_length > 0 ? options.context_length : std::min(most, kDefaultContext);
}

LoadedSeq2Seq::LoadedSeq2Seq(const std::filesystem::path& folder, const Seq2SeqOptions& options, base::Pool& pool) {
  if (options.max_batch_tokens < 1 || options.max_sequences < 1 || options.max_queue < 1 || options.kv_cache_mb < 1 ||
      options.context_length < 0) {
    throw base::Error(base::Code::kInvalid,
                      "max_batch_tokens, max_sequences, max_queue and kv_cache_mb must be at least 1");
  }
  const model::OpenedSeq2Seq opened = model::open_seq2seq(folder);
  const model::Seq2SeqSpec& spec = opened.spec;
  tokenizer_ = text::load_tokenizer(folder);
  const base::Isa isa = base::select_isa(options.isa);
  const int context = context_of(options, spec);
  const int64_t budget = options.kv_cache_mb << 20;
  const int64_t useful =
      int64_t{options.max_sequences} * ((context + Seq2SeqModel::kPageTokens) / Seq2SeqModel::kPageTokens);
  const auto pages = static_cast<int>(std::min(budget / Seq2SeqModel::page_bytes(spec), useful));
  if (pages < 1) {
    throw base::Error(base::Code::kInvalid, fmt::format("a cache of {} MB does not hold one page of {} bytes",
                                                        options.kv_cache_mb, Seq2SeqModel::page_bytes(spec)));
  }
  model_ = std::make_unique<Seq2SeqModel>(
      opened, Seq2SeqModelOptions{.isa = isa, .weight_type = options.weight_type, .pages = pages}, pool);
  info_.architecture = model::family_name(spec.family);
  info_.name = std::filesystem::absolute(folder).lexically_normal().filename().string();
  info_.weight_type = model_->weights().weight_type;
  info_.isa = base::isa_name(isa);
  info_.parameters = opened.weights->parameters();
  info_.weight_bytes = model_->weights().bytes;
  info_.context_length = context;
  info_.vocab_size = spec.vocab_size;
  info_.config = opened.config;
  info_.tokenizer_config = opened.tokenizer_config;
  info_.defaults = defaults_of(opened);
  info_.decoder_start_id =
      info_.defaults.decoder_start_token_id.value_or(spec.decoder_start_id >= 0 ? spec.decoder_start_id : spec.bos_id);
  info_.eos_ids = eos_ids_of(opened);
  scheduler_ = std::make_unique<Seq2SeqScheduler>(*model_, *tokenizer_,
                                                  Seq2SeqLimits{.max_batch_tokens = options.max_batch_tokens,
                                                                .max_sequences = options.max_sequences,
                                                                .max_queue = options.max_queue,
                                                                .context_length = context,
                                                                .pages = pages,
                                                                .memory_bytes = budget,
                                                                .decoder_start_id = info_.decoder_start_id,
                                                                .eos_ids = info_.eos_ids},
                                                  pool);
}

}  // namespace

std::unique_ptr<Seq2Seq> load_seq2seq(const std::filesystem::path& folder, const Seq2SeqOptions& options,
                                      base::Pool& pool) {
  return std::make_unique<LoadedSeq2Seq>(folder, options, pool);
}

std::vector<Seq2SeqResult> generate(Seq2Seq& model, std::vector<Seq2SeqRequest> requests) {
  std::vector<std::future<Seq2SeqResult>> futures;
  std::vector<uint64_t> handles;
  std::exception_ptr refused;
  for (Seq2SeqRequest& request : requests) {
    auto promise = std::make_shared<std::promise<Seq2SeqResult>>();
    request.on_done = [promise, then = std::move(request.on_done)](const Seq2SeqResult& result) {
      if (then) {
        then(result);
      }
      promise->set_value(result);
    };
    try {
      handles.push_back(model.submit(std::move(request)));
    } catch (...) {
      refused = std::current_exception();
      for (const uint64_t handle : handles) {
        model.cancel(handle);
      }
      break;
    }
    futures.push_back(promise->get_future());
  }
  std::vector<Seq2SeqResult> results;
  for (std::future<Seq2SeqResult>& future : futures) {
    results.push_back(future.get());
    if (results.back().error && !refused) {
      refused = results.back().error;
    }
  }
  if (refused) {
    std::rethrow_exception(refused);
  }
  return results;
}

}  // namespace slipway::engine
