#include "engine/engine.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>

#include "base/error.h"
#include "engine/encoder.h"
#include "engine/schedule.h"
#include "engine/weights.h"
#include "model/folder.h"

namespace slipway::engine {
namespace {

bool wants_int8(const model::ModelFolder& folder, const std::string& precision) {
  if (precision == "auto") {
    return folder.int8.has_value();
  }
  if (precision == "int8") {
    if (!folder.int8) {
      throw base::Error(base::Code::kNotFound,
                        fmt::format("{} has no {}; make it with 'slipway models quantize', or use precision float32",
                                    folder.path.string(), model::kInt8WeightsFile));
    }
    return true;
  }
  if (precision == "float32") {
    return false;
  }
  throw base::Error(base::Code::kInvalid, fmt::format("unknown precision '{}'; use float32, int8 or auto", precision));
}

model::Matrix matrix(size_t rows, int cols) {
  model::Matrix m;
  m.rows = static_cast<int>(rows);
  m.cols = cols;
  m.values.resize(rows * static_cast<size_t>(cols));
  return m;
}

}  // namespace

void EngineOptions::describe(base::FieldTable& table) {
  table.add("precision", precision, "weights to compute with", {"auto", "float32", "int8"});
  table.add("isa", isa, "limit of the instruction set; empty for the best this machine has",
            {"", "scalar", "avx2", "avx512", "avx512_vnni"});
  table.add("max_tokens", max_tokens, "tokens computed in one go", {1, 1 << 20});
}

struct Engine::Impl {
  Impl(const model::ModelFolder& folder, const EngineOptions& o, base::Pool& p)
      : options(o),
        pool(p),
        isa(base::select_isa(o.isa)),
        weights(folder, wants_int8(folder, o.precision), isa, p),
        tokenizer(text::load_tokenizer(*folder.tokenizer)),
        precision(weights.int8() ? "int8" : "float32") {}

  // A scratch of its own for each pass that runs at the same time.
  std::unique_ptr<Scratch> take_scratch() {
    const std::lock_guard lock(scratch_mutex);
    if (free_scratch.empty()) {
      return std::make_unique<Scratch>();
    }
    std::unique_ptr<Scratch> scratch = std::move(free_scratch.back());
    free_scratch.pop_back();
    return scratch;
  }
  void give_scratch(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(scratch_mutex);
    free_scratch.push_back(std::move(scratch));
  }

  void run_pass(std::span<const EncoderText> texts, const std::vector<int>& members, const Wanted& wanted,
                base::Pool* shared) {
    std::vector<EncoderText> pass;
    pass.reserve(members.size());
    for (const int i : members) {
      pass.push_back(texts[static_cast<size_t>(i)]);
    }
    std::unique_ptr<Scratch> scratch = take_scratch();
    run_encoder(weights, pass, wanted, *scratch, shared);
    give_scratch(std::move(scratch));
  }

  void run_window(std::span<const EncoderText> texts, const Wanted& wanted) {
    std::vector<int> lengths;
    lengths.reserve(texts.size());
    for (const EncoderText& text : texts) {
      lengths.push_back(static_cast<int>(text.ids.size()));
    }
    const Schedule plan = schedule(lengths, pool.size());
    if (plan.side_by_side) {
      pool.parallel_for(static_cast<int64_t>(plan.passes.size()),
                        [&](int64_t i) { run_pass(texts, plan.passes[static_cast<size_t>(i)], wanted, nullptr); });
      return;
    }
    base::Pool* const shared = pool.size() > 1 ? &pool : nullptr;
    for (const std::vector<int>& pass : plan.passes) {
      run_pass(texts, pass, wanted, shared);
    }
  }

  void check(std::span<const int32_t> ids) const {
    const model::ModelSpec& spec = weights.spec();
    if (ids.empty() || static_cast<int64_t>(ids.size()) > spec.max_positions) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("a text of {} tokens; the model takes 1 to {}", ids.size(), spec.max_positions));
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] < 0 || ids[i] >= spec.vocab_size) {
        throw base::Error(base::Code::kInvalid,
                          fmt::format("token {} is id {}; the model has ids 0 to {}", i, ids[i], spec.vocab_size - 1));
      }
    }
  }

  Output forward(std::span<const std::vector<int32_t>> token_ids, const Wanted& wanted) {
    const model::ModelSpec& spec = weights.spec();
    for (const std::vector<int32_t>& ids : token_ids) {
      check(ids);
    }
    Output out;
    out.logits = matrix(token_ids.size(), wanted.logits ? static_cast<int>(labels().size()) : 0);
    out.embeddings = matrix(token_ids.size(), wanted.embeddings ? spec.hidden_size : 0);
    std::vector<EncoderText> window;
    int64_t tokens = 0;
    for (size_t i = 0; i < token_ids.size(); ++i) {
      window.push_back(
          {token_ids[i], out.logits.row(static_cast<int>(i)).data(), out.embeddings.row(static_cast<int>(i)).data()});
      tokens += static_cast<int64_t>(token_ids[i].size());
      const bool last = i + 1 == token_ids.size();
      if (last || tokens + static_cast<int64_t>(token_ids[i + 1].size()) > options.max_tokens) {
        run_window(window, wanted);
        window.clear();
        tokens = 0;
      }
    }
    return out;
  }

  std::vector<int32_t> encode_text(const std::string& text) const {
    text::EncodeOptions encode_options;
    encode_options.max_length = weights.spec().max_positions;
    text::Encoding encoding;
    tokenizer->encode(text, encode_options, encoding);
    return std::move(encoding.ids);
  }

  std::vector<std::vector<int32_t>> encode_all(std::span<const std::string> texts) {
    std::vector<std::vector<int32_t>> ids(texts.size());
    pool.parallel_chunks(static_cast<int64_t>(texts.size()), 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        ids[static_cast<size_t>(i)] = encode_text(texts[static_cast<size_t>(i)]);
      }
    });
    return ids;
  }

  const std::vector<std::string>& labels() const {
    static const std::vector<std::string> none;
    return weights.spec().has_classifier ? weights.spec().labels : none;
  }

  EngineOptions options;
  base::Pool& pool;
  base::Isa isa;
  Weights weights;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::string precision;
  std::mutex scratch_mutex;  // guards free_scratch
  std::vector<std::unique_ptr<Scratch>> free_scratch;
};

Engine::Engine() = default;
Engine::~Engine() = default;

std::unique_ptr<Engine> Engine::load(const std::filesystem::path& folder, const EngineOptions& options,
                                     base::Pool& pool) {
  if (options.max_tokens < 1) {
    throw base::Error(base::Code::kInvalid, fmt::format("max_tokens is {}; at least 1 is needed", options.max_tokens));
  }
  std::unique_ptr<Engine> engine(new Engine);
  engine->impl_ = std::make_unique<Impl>(model::open_model_folder(folder), options, pool);
  return engine;
}

const std::vector<std::string>& Engine::labels() const { return impl_->labels(); }

model::Matrix Engine::logits(std::span<const std::string> texts) {
  return impl_->forward(impl_->encode_all(texts), {.logits = true, .embeddings = false}).logits;
}

model::Matrix Engine::embed(std::span<const std::string> texts) {
  return impl_->forward(impl_->encode_all(texts), {.logits = false, .embeddings = true}).embeddings;
}

Output Engine::forward(std::span<const std::vector<int32_t>> token_ids) { return impl_->forward(token_ids, {}); }

void Engine::check(std::span<const int32_t> ids) const { impl_->check(ids); }

const model::ModelSpec& Engine::spec() const { return impl_->weights.spec(); }
const text::Tokenizer& Engine::tokenizer() const { return *impl_->tokenizer; }
std::vector<int32_t> Engine::encode(const std::string& text) const { return impl_->encode_text(text); }
const std::string& Engine::precision() const { return impl_->precision; }
base::Isa Engine::isa() const { return impl_->isa; }
int64_t Engine::weight_bytes() const { return impl_->weights.bytes(); }

}  // namespace slipway::engine
