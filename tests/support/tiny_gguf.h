// GGUF files for tests: a writer of the format (version 3), and a tiny decoder's folder written as llama.cpp's
// converter would write it: its names, its fused tensors, Llama's rows of q and k in its order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "model/decoder_files.h"

namespace slipway::tests {

class GgufWriter {
 public:
  void text(const std::string& key, const std::string& value) {
    begin(key, 8);
    put_text(keys_, value);
  }
  void integer(const std::string& key, uint32_t value) { scalar(key, 4, value); }
  void number(const std::string& key, float value) { scalar(key, 6, value); }
  void flag(const std::string& key, bool value) { scalar(key, 7, static_cast<uint8_t>(value)); }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    begin_array(key, 8, values.size());
    for (const std::string& one : values) {
      put_text(keys_, one);
    }
  }
  void numbers(const std::string& key, const std::vector<float>& values) {
    begin_array(key, 6, values.size());
    for (const float one : values) {
      put(keys_, one);
    }
  }
  void integers(const std::string& key, const std::vector<int32_t>& values) {
    begin_array(key, 5, values.size());
    for (const int32_t one : values) {
      put(keys_, one);
    }
  }
  // `shape` row-major; `type` is ggml's number; `bytes` the data.
  void tensor(const std::string& name, const std::vector<int64_t>& shape, uint32_t type, std::string_view bytes) {
    ++tensor_count_;
    put_text(tensors_, name);
    put(tensors_, static_cast<uint32_t>(shape.size()));
    for (size_t i = shape.size(); i > 0; --i) {
      put(tensors_, static_cast<uint64_t>(shape[i - 1]));
    }
    put(tensors_, type);
    put(tensors_, static_cast<uint64_t>(data_.size()));
    data_ += bytes;
    data_.resize((data_.size() + 31) / 32 * 32);
  }
  void tensor_f32(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values) {
    tensor(name, shape, 0, {reinterpret_cast<const char*>(values.data()), values.size() * 4});
  }
  std::string bytes(uint32_t version = 3) const {
    std::string out = "GGUF";
    put(out, version);
    put(out, tensor_count_);
    put(out, key_count_);
    out += keys_ + tensors_;
    out.resize((out.size() + 31) / 32 * 32);
    return out + data_;
  }
  void write(const std::filesystem::path& path) const { std::ofstream(path, std::ios::binary) << bytes(); }

 private:
  template <class T>
  static void put(std::string& out, T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out.append(raw, sizeof(T));
  }
  static void put_text(std::string& out, const std::string& text) {
    put(out, static_cast<uint64_t>(text.size()));
    out += text;
  }
  void begin(const std::string& key, uint32_t type) {
    ++key_count_;
    put_text(keys_, key);
    put(keys_, type);
  }
  void begin_array(const std::string& key, uint32_t type, size_t count) {
    begin(key, 9);
    put(keys_, type);
    put(keys_, static_cast<uint64_t>(count));
  }
  template <class T>
  void scalar(const std::string& key, uint32_t type, T value) {
    begin(key, type);
    put(keys_, value);
  }
  std::string keys_, tensors_, data_;
  uint64_t key_count_ = 0, tensor_count_ = 0;
};

inline const char* gguf_architecture(model::DecoderFamily family) {
  switch (family) {
    case model::DecoderFamily::kLlama: return "llama";
    case model::DecoderFamily::kQwen2: return "qwen2";
    case model::DecoderFamily::kQwen3: return "qwen3";
    case model::DecoderFamily::kGpt2: return "gpt2";
    case model::DecoderFamily::kGptNeoX: return "gptneox";
    case model::DecoderFamily::kPhi3: return "phi3";
    case model::DecoderFamily::kGemma2: return "gemma2";
    case model::DecoderFamily::kGemma3: return "gemma3";
  }
  return "";
}

// Rows of each head from (half, i) to (i, half), as llama.cpp's rotation of neighbours wants them.
inline std::vector<float> pair_rows(const std::vector<float>& values, size_t head_dim, size_t columns) {
  std::vector<float> out(values.size());
  for (size_t row = 0; row < values.size() / columns; ++row) {
    const size_t in_head = row % head_dim;
    const size_t to = row - in_head + 2 * (in_head % (head_dim / 2)) + in_head / (head_dim / 2);
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(row * columns), columns,
                out.begin() + static_cast<std::ptrdiff_t>(to * columns));
  }
  return out;
}

// The metadata of a spec under their GGUF keys, with a vocabulary of empty meaning.
inline void put_gguf_metadata(GgufWriter& out, const model::DecoderSpec& spec) {
  const std::string arch = gguf_architecture(spec.family);
  out.text("general.architecture", arch);
  const auto size = [&](const char* key, int value) { out.integer(arch + "." + key, static_cast<uint32_t>(value)); };
  size("embedding_length", spec.hidden_size);
  size("block_count", spec.num_layers);
  size("attention.head_count", spec.num_heads);
  size("attention.head_count_kv", spec.num_kv_heads);
  size("attention.key_length", spec.head_dim);
  size("attention.value_length", spec.head_dim);
  size("feed_forward_length", spec.intermediate_size);
  size("context_length", spec.max_positions);
  int window = 0;
  for (const int one : spec.layer_window) {
    window = std::max(window, one);
  }
  if (window > 0 && spec.family != model::DecoderFamily::kLlama) {
    size("attention.sliding_window", window);
  }
  out.number(arch + (spec.norm == model::NormKind::kRms ? ".attention.layer_norm_rms_epsilon"
                                                        : ".attention.layer_norm_epsilon"),
             spec.norm_eps);
  if (!spec.learned_positions) {
    size("rope.dimension_count", spec.rope.rotary_dim);
    out.number(arch + ".rope.freq_base", static_cast<float>(spec.rope.theta));
  }
  if (spec.rope.scaling == model::RopeScaling::kLinear) {
    out.text(arch + ".rope.scaling.type", "linear");
    out.number(arch + ".rope.scaling.factor", static_cast<float>(spec.rope.factor));
  }
  if (spec.rope.scaling == model::RopeScaling::kLongRope) {
    size("rope.scaling.original_context_length", spec.rope.original_max_positions);
    out.number(arch + ".rope.scaling.attn_factor", static_cast<float>(spec.rope.attention_factor));
  }
  if (spec.attention_softcap > 0) {
    out.number(arch + ".attn_logit_softcapping", spec.attention_softcap);
  }
  if (spec.final_softcap > 0) {
    out.number(arch + ".final_logit_softcapping", spec.final_softcap);
  }
  if (spec.family == model::DecoderFamily::kGptNeoX) {
    out.flag(arch + ".use_parallel_residual", spec.parallel_residual);
  }
  std::vector<std::string> tokens;
  for (int i = 0; i < spec.vocab_size; ++i) {
    tokens.push_back("<" + std::to_string(i) + ">");
  }
  out.text("tokenizer.ggml.model", "gpt2");
  out.texts("tokenizer.ggml.tokens", tokens);
  out.integer("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(spec.bos_id));
  out.integer("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(spec.eos_ids.front()));
  out.text("tokenizer.chat_template", "{{ messages[0].content }}");
}

// Every tensor of the folder's model as f32 under GGUF's names.
inline void put_gguf_tensors(GgufWriter& out, const model::OpenedDecoder& model) {
  const model::DecoderSpec& spec = model.spec;
  const auto read = [&](const std::string& name) { return model.weights->read_f32(name); };
  const auto shape = [&](const std::string& name) { return model.weights->load(name).view.shape; };
  const auto copy = [&](const std::string& to, const std::string& from) {
    for (const char* kind : {".weight", ".bias"}) {
      if (model.weights->has(from + kind)) {
        out.tensor_f32(to + kind, shape(from + kind), read(from + kind));
      }
    }
  };
  const auto fuse = [&](const std::string& to, const std::vector<std::string>& parts) {
    for (const char* kind : {".weight", ".bias"}) {
      if (!model.weights->has(parts.front() + kind)) {
        continue;
      }
      std::vector<float> values;
      std::vector<int64_t> sizes = shape(parts.front() + kind);
      sizes[0] = 0;
      for (const std::string& part : parts) {
        const auto more = read(part + kind);
        values.insert(values.end(), more.begin(), more.end());
        sizes[0] += shape(part + kind)[0];
      }
      out.tensor_f32(to + kind, sizes, values);
    }
  };
  const auto rotated = [&](const std::string& to, const std::string& from) {
    for (const char* kind : {".weight", ".bias"}) {
      if (model.weights->has(from + kind)) {
        const size_t columns = kind == std::string(".bias") ? 1 : static_cast<size_t>(spec.hidden_size);
        out.tensor_f32(to + kind, shape(from + kind),
                       pair_rows(read(from + kind), static_cast<size_t>(spec.head_dim), columns));
      }
    }
  };
  copy("token_embd", "model.embed_tokens");
  copy("position_embd", "model.embed_positions");
  copy("output_norm", "model.norm");
  if (!spec.tied_embeddings) {
    copy("output", "lm_head");
  }
  if (spec.rope.scaling == model::RopeScaling::kLongRope) {
    out.tensor_f32("rope_factors_short.weight", {static_cast<int64_t>(spec.rope.factors.size())}, spec.rope.factors);
    out.tensor_f32("rope_factors_long.weight", {static_cast<int64_t>(spec.rope.long_factors.size())},
                   spec.rope.long_factors);
  }
  if (spec.rope.scaling == model::RopeScaling::kLlama3) {
    model::RopeSpec plain = spec.rope;
    plain.scaling = model::RopeScaling::kNone;
    const auto from = model::rope_frequencies(plain, 1);
    const auto to = model::rope_frequencies(spec.rope, 1);
    std::vector<float> factors;
    for (size_t i = 0; i < from.size(); ++i) {
      factors.push_back(static_cast<float>(from[i] / to[i]));
    }
    out.tensor_f32("rope_freqs.weight", {static_cast<int64_t>(factors.size())}, factors);
  }
  for (int layer = 0; layer < spec.num_layers; ++layer) {
    const std::string hf = "model.layers." + std::to_string(layer) + ".";
    const std::string to = "blk." + std::to_string(layer) + ".";
    const std::string attention = hf + "self_attn.";
    copy(to + "attn_norm", hf + "input_layernorm");
    const bool fused = spec.family == model::DecoderFamily::kGpt2 || spec.family == model::DecoderFamily::kGptNeoX ||
                       spec.family == model::DecoderFamily::kPhi3;
    if (fused) {
      fuse(to + "attn_qkv", {attention + "q_proj", attention + "k_proj", attention + "v_proj"});
    } else if (spec.family == model::DecoderFamily::kLlama) {
      rotated(to + "attn_q", attention + "q_proj");
      rotated(to + "attn_k", attention + "k_proj");
      copy(to + "attn_v", attention + "v_proj");
    } else {
      copy(to + "attn_q", attention + "q_proj");
      copy(to + "attn_k", attention + "k_proj");
      copy(to + "attn_v", attention + "v_proj");
    }
    copy(to + "attn_q_norm", attention + "q_norm");
    copy(to + "attn_k_norm", attention + "k_norm");
    copy(to + "attn_output", attention + "o_proj");
    copy(to + (spec.sandwich_norms ? "post_attention_norm" : "ffn_norm"), hf + "post_attention_layernorm");
    copy(to + "ffn_norm", hf + "pre_feedforward_layernorm");
    if (spec.family == model::DecoderFamily::kPhi3) {
      fuse(to + "ffn_up", {hf + "mlp.gate_proj", hf + "mlp.up_proj"});
    } else {
      copy(to + "ffn_gate", hf + "mlp.gate_proj");
      copy(to + "ffn_up", hf + "mlp.up_proj");
    }
    copy(to + "ffn_down", hf + "mlp.down_proj");
    copy(to + "post_ffw_norm", hf + "post_feedforward_layernorm");
  }
}

inline void write_tiny_gguf(const std::filesystem::path& path, const model::OpenedDecoder& model) {
  GgufWriter out;
  put_gguf_metadata(out, model.spec);
  put_gguf_tensors(out, model);
  out.write(path);
}

}  // namespace slipway::tests
