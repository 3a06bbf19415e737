#include "engine/engine.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "engine/encoder.h"
#include "engine/recurrent_encoder.h"
#include "engine/schedule.h"
#include "engine/vector_encoder.h"
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

// What is loaded of a model.
struct Parts {
  std::unique_ptr<const TextEncoder> encoder;
  std::unique_ptr<const text::Tokenizer> tokenizer;
  model::Pooling pooling = model::Pooling::kMean;
};

Parts load_vectors(const std::filesystem::path& file, base::Isa isa) {
  const auto vectors = std::make_shared<const model::WordVectors>(model::WordVectors::load(file));
  return {std::make_unique<VectorEncoder>(vectors, isa), std::make_unique<VectorTokenizer>(vectors)};
}

std::unique_ptr<const TextEncoder> load_encoder(const model::ModelFolder& folder, const std::string& precision,
                                                base::Isa isa, base::Pool& pool) {
  if (!folder.spec.recurrent) {
    return std::make_unique<Encoder>(folder, wants_int8(folder, precision), isa, pool);
  }
  if (precision == "int8") {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is computed in float32 only, as all {}s are", folder.path.string(),
                                  model::architecture_name(folder.spec.architecture)));
  }
  return std::make_unique<RecurrentEncoder>(folder, isa, pool);
}

Parts load_folder(const std::filesystem::path& path, const std::string& precision, base::Isa isa, base::Pool& pool) {
  const model::ModelFolder folder = model::open_model_folder(path);
  return {load_encoder(folder, precision, isa, pool), text::load_tokenizer(*folder.tokenizer), folder.pooling};
}

model::Matrix matrix(size_t rows, int cols) {
  model::Matrix m;
  m.rows = static_cast<int>(rows);
  m.cols = cols;
  m.values.resize(rows * static_cast<size_t>(cols));
  return m;
}

}  // namespace

Input input_of(const model::ModelSpec& spec, text::Encoding encoding) {
  Input input{.ids = std::move(encoding.ids)};
  if (spec.type_vocab_size > 1) {
    input.types = std::move(encoding.type_ids);
  }
  return input;
}

void EngineOptions::describe(base::FieldTable& table) {
  table.add("precision", precision, "weights to compute with", {"auto", "float32", "int8"});
  table.add("isa", isa, "limit of the instruction set; empty for the best this machine has",
            {"", "scalar", "avx2", "avx512", "avx512_vnni"});
  table.add("max_tokens", max_tokens, "tokens computed in one go", {1, 1 << 20});
}

struct Engine::Impl {
  Impl(Parts parts, const EngineOptions& o, base::Pool& p)
      : options(o),
        pool(p),
        isa(base::select_isa(o.isa)),
        encoder(std::move(parts.encoder)),
        tokenizer(std::move(parts.tokenizer)),
        precision(encoder->int8() ? "int8" : "float32"),
        pooling(parts.pooling) {}

  void run_pass(std::span<const EncoderText> texts, const std::vector<int>& members, const Wanted& wanted,
                base::Pool* shared) {
    std::vector<EncoderText> pass;
    pass.reserve(members.size());
    for (const int i : members) {
      pass.push_back(texts[static_cast<size_t>(i)]);
    }
    encoder->run(pass, wanted, shared);
  }

  void run_window(std::span<const EncoderText> texts, const Wanted& wanted) {
    std::vector<int> lengths;
    lengths.reserve(texts.size());
    for (const EncoderText& text : texts) {
      lengths.push_back(static_cast<int>(text.ids.size()));
    }
    const Schedule plan = schedule(lengths, pool.size(), encoder->pass_tokens());
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

  void check(const Input& input) const {
    const model::ModelSpec& spec = encoder->spec();
    const std::vector<int32_t>& ids = input.ids;
    const auto refuse = [](const std::string& what) { throw base::Error(base::Code::kInvalid, what); };
    if (ids.empty() || static_cast<int64_t>(ids.size()) > spec.max_tokens()) {
      refuse(fmt::format("a text of {} tokens; the model takes 1 to {}", ids.size(), spec.max_tokens()));
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] < 0 || ids[i] >= spec.vocab_size) {
        refuse(fmt::format("token {} is id {}; the model has ids 0 to {}", i, ids[i], spec.vocab_size - 1));
      }
    }
    if (!input.types.empty() && input.types.size() != ids.size()) {
      refuse(fmt::format("{} token types for {} tokens", input.types.size(), ids.size()));
    }
    for (const int32_t type : input.types) {
      if (type < 0 || type >= std::max(spec.type_vocab_size, 1)) {
        refuse(fmt::format("token type {}; the model has {}", type, spec.type_vocab_size));
      }
    }
    if (!input.rows.empty() && (spec.head == model::Head::kNone || spec.has_classifier())) {
      refuse("the model has no head over tokens");
    }
    std::vector<bool> seen(ids.size());
    for (const int32_t row : input.rows) {
      if (row < 0 || static_cast<size_t>(row) >= ids.size() || seen[static_cast<size_t>(row)]) {
        refuse(fmt::format("row {} of {} tokens is asked for, or twice", row, ids.size()));
      }
      seen[static_cast<size_t>(row)] = true;
    }
  }

  // Room for what the inputs ask for of their tokens.
  void add_token_outputs(std::span<const Input> inputs, Output& out) const {
    out.token_logits.resize(inputs.size());
    out.hidden.resize(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].rows.empty()) {
        out.token_logits[i] = matrix(inputs[i].rows.size(), encoder->spec().outputs());
      }
      if (inputs[i].hidden) {
        out.hidden[i] = matrix(inputs[i].ids.size(), encoder->spec().hidden_size);
      }
    }
  }

  Output forward(std::span<const Input> inputs, Wanted wanted) {
    const model::ModelSpec& spec = encoder->spec();
    wanted.pooling = pooling;
    for (const Input& input : inputs) {
      check(input);
      wanted.tokens = wanted.tokens || !input.rows.empty() || input.hidden;
    }
    Output out;
    out.logits = matrix(inputs.size(), wanted.logits ? static_cast<int>(labels().size()) : 0);
    out.embeddings = matrix(inputs.size(), wanted.embeddings ? spec.hidden_size : 0);
    if (wanted.tokens) {
      add_token_outputs(inputs, out);
    }
    std::vector<EncoderText> window;
    int64_t tokens = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      EncoderText text;
      text.ids = inputs[i].ids;
      text.types = inputs[i].types;
      text.logits = out.logits.row(static_cast<int>(i)).data();
      text.embedding = out.embeddings.row(static_cast<int>(i)).data();
      if (wanted.tokens) {
        text.rows = inputs[i].rows;
        text.token_logits = out.token_logits[i].values.empty() ? nullptr : out.token_logits[i].values.data();
        text.hidden = out.hidden[i].values.empty() ? nullptr : out.hidden[i].values.data();
      }
      window.push_back(text);
      tokens += static_cast<int64_t>(inputs[i].ids.size());
      const bool last = i + 1 == inputs.size();
      if (last || tokens + static_cast<int64_t>(inputs[i + 1].ids.size()) > options.max_tokens) {
        run_window(window, wanted);
        window.clear();
        tokens = 0;
      }
    }
    return out;
  }

  std::vector<int32_t> encode_text(const std::string& text) const {
    text::EncodeOptions encode_options;
    encode_options.max_length = encoder->spec().max_tokens();
    text::Encoding encoding;
    tokenizer->encode(text, encode_options, encoding);
    return std::move(encoding.ids);
  }

  std::vector<Input> encode_all(std::span<const std::string> texts) {
    std::vector<Input> inputs(texts.size());
    pool.parallel_chunks(static_cast<int64_t>(texts.size()), 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        inputs[static_cast<size_t>(i)].ids = encode_text(texts[static_cast<size_t>(i)]);
      }
    });
    return inputs;
  }

  const std::vector<std::string>& labels() const {
    static const std::vector<std::string> none;
    return encoder->spec().has_classifier() ? encoder->spec().labels : none;
  }

  EngineOptions options;
  base::Pool& pool;
  base::Isa isa;
  std::unique_ptr<const TextEncoder> encoder;
  std::unique_ptr<const text::Tokenizer> tokenizer;
  std::string precision;
  model::Pooling pooling;
};

Engine::Engine() = default;
Engine::~Engine() = default;

std::unique_ptr<Engine> Engine::load(const std::filesystem::path& path, const EngineOptions& options,
                                     base::Pool& pool) {
  if (options.max_tokens < 1) {
    throw base::Error(base::Code::kInvalid, fmt::format("max_tokens is {}; at least 1 is needed", options.max_tokens));
  }
  std::unique_ptr<Engine> engine(new Engine);
  const base::Isa isa = base::select_isa(options.isa);
  Parts parts = base::is_file(path) ? load_vectors(path, isa) : load_folder(path, options.precision, isa, pool);
  engine->impl_ = std::make_unique<Impl>(std::move(parts), options, pool);
  return engine;
}

const std::vector<std::string>& Engine::labels() const { return impl_->labels(); }

model::Matrix Engine::logits(std::span<const std::string> texts) {
  return impl_->forward(impl_->encode_all(texts), {.logits = true, .embeddings = false}).logits;
}

model::Matrix Engine::embed(std::span<const std::string> texts) {
  return impl_->forward(impl_->encode_all(texts), {.logits = false, .embeddings = true}).embeddings;
}

Output Engine::forward(std::span<const std::vector<int32_t>> token_ids) {
  std::vector<Input> inputs;
  inputs.reserve(token_ids.size());
  for (const std::vector<int32_t>& ids : token_ids) {
    inputs.push_back({.ids = ids});
  }
  return impl_->forward(inputs, {});
}

Output Engine::forward(std::span<const Input> inputs, bool embeddings) {
  return impl_->forward(inputs, {.logits = true, .embeddings = embeddings});
}

void Engine::check(const Input& input) const { impl_->check(input); }

const model::ModelSpec& Engine::spec() const { return impl_->encoder->spec(); }
const text::Tokenizer& Engine::tokenizer() const { return *impl_->tokenizer; }
std::vector<int32_t> Engine::encode(const std::string& text) const { return impl_->encode_text(text); }
Input Engine::encode_pair(const std::string& first, const std::string& second) const {
  text::EncodeOptions options;
  options.max_length = spec().max_tokens();
  text::Encoding encoding;
  impl_->tokenizer->encode_pair(first, second, options, encoding);
  return input_of(spec(), std::move(encoding));
}

model::Pooling Engine::pooling() const { return impl_->pooling; }

const std::string& Engine::precision() const { return impl_->precision; }
base::Isa Engine::isa() const { return impl_->isa; }
int64_t Engine::weight_bytes() const { return impl_->encoder->bytes(); }

}  // namespace slipway::engine
