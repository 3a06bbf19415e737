#include "model/tensorflow_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::model {
namespace {

// # is a layer's number: of BERT "layer_7", of T5 "block_007".
struct NameRow {
  std::string_view variable;
  std::string_view hugging_face;
  bool transposed = false;
};

constexpr std::array kBert = {
    NameRow{"bert/embeddings/word_embeddings", "bert.embeddings.word_embeddings.weight"},
    NameRow{"bert/embeddings/position_embeddings", "bert.embeddings.position_embeddings.weight"},
    NameRow{"bert/embeddings/token_type_embeddings", "bert.embeddings.token_type_embeddings.weight"},
    NameRow{"bert/embeddings/LayerNorm/gamma", "bert.embeddings.LayerNorm.weight"},
    NameRow{"bert/embeddings/LayerNorm/beta", "bert.embeddings.LayerNorm.bias"},
    NameRow{"bert/encoder/layer_#/attention/self/query/kernel", "bert.encoder.layer.#.attention.self.query.weight",
            true},
    NameRow{"bert/encoder/layer_#/attention/self/query/bias", "bert.encoder.layer.#.attention.self.query.bias"},
    NameRow{"bert/encoder/layer_#/attention/self/key/kernel", "bert.encoder.layer.#.attention.self.key.weight", true},
    NameRow{"bert/encoder/layer_#/attention/self/key/bias", "bert.encoder.layer.#.attention.self.key.bias"},
    NameRow{"bert/encoder/layer_#/attention/self/value/kernel", "bert.encoder.layer.#.attention.self.value.weight",
            true},
    NameRow{"bert/encoder/layer_#/attention/self/value/bias", "bert.encoder.layer.#.attention.self.value.bias"},
    NameRow{"bert/encoder/layer_#/attention/output/dense/kernel", "bert.encoder.layer.#.attention.output.dense.weight",
            true},
    NameRow{"bert/encoder/layer_#/attention/output/dense/bias", "bert.encoder.layer.#.attention.output.dense.bias"},
    NameRow{"bert/encoder/layer_#/attention/output/LayerNorm/gamma",
            "bert.encoder.layer.#.attention.output.LayerNorm.weight"},
    NameRow{"bert/encoder/layer_#/attention/output/LayerNorm/beta",
            "bert.encoder.layer.#.attention.output.LayerNorm.bias"},
    NameRow{"bert/encoder/layer_#/intermediate/dense/kernel", "bert.encoder.layer.#.intermediate.dense.weight", true},
    NameRow{"bert/encoder/layer_#/intermediate/dense/bias", "bert.encoder.layer.#.intermediate.dense.bias"},
    NameRow{"bert/encoder/layer_#/output/dense/kernel", "bert.encoder.layer.#.output.dense.weight", true},
    NameRow{"bert/encoder/layer_#/output/dense/bias", "bert.encoder.layer.#.output.dense.bias"},
    NameRow{"bert/encoder/layer_#/output/LayerNorm/gamma", "bert.encoder.layer.#.output.LayerNorm.weight"},
    NameRow{"bert/encoder/layer_#/output/LayerNorm/beta", "bert.encoder.layer.#.output.LayerNorm.bias"},
    NameRow{"bert/pooler/dense/kernel", "bert.pooler.dense.weight", true},
    NameRow{"bert/pooler/dense/bias", "bert.pooler.dense.bias"},
    NameRow{"cls/predictions/transform/dense/kernel", "cls.predictions.transform.dense.weight", true},
    NameRow{"cls/predictions/transform/dense/bias", "cls.predictions.transform.dense.bias"},
    NameRow{"cls/predictions/transform/LayerNorm/gamma", "cls.predictions.transform.LayerNorm.weight"},
    NameRow{"cls/predictions/transform/LayerNorm/beta", "cls.predictions.transform.LayerNorm.bias"},
    NameRow{"cls/predictions/output_bias", "cls.predictions.bias"},
    // Heads of run_classifier.py and run_squad.py, which lie as [out, in] there.
    NameRow{"output_weights", "classifier.weight"},
    NameRow{"output_bias", "classifier.bias"},
    NameRow{"cls/squad/output_weights", "qa_outputs.weight"},
    NameRow{"cls/squad/output_bias", "qa_outputs.bias"},
};

constexpr std::array kT5 = {
    NameRow{"shared/embedding", "shared.weight"},
    NameRow{"encoder/block_#/layer_000/SelfAttention/q", "encoder.block.#.layer.0.SelfAttention.q.weight", true},
    NameRow{"encoder/block_#/layer_000/SelfAttention/k", "encoder.block.#.layer.0.SelfAttention.k.weight", true},
    NameRow{"encoder/block_#/layer_000/SelfAttention/v", "encoder.block.#.layer.0.SelfAttention.v.weight", true},
    NameRow{"encoder/block_#/layer_000/SelfAttention/o", "encoder.block.#.layer.0.SelfAttention.o.weight", true},
    NameRow{"encoder/block_#/layer_000/SelfAttention/relative_attention_bias",
            "encoder.block.#.layer.0.SelfAttention.relative_attention_bias.weight", true},
    NameRow{"encoder/block_#/layer_000/layer_norm/scale", "encoder.block.#.layer.0.layer_norm.weight"},
    NameRow{"encoder/block_#/layer_001/DenseReluDense/wi/kernel", "encoder.block.#.layer.1.DenseReluDense.wi.weight",
            true},
    NameRow{"encoder/block_#/layer_001/DenseReluDense/wi_0/kernel",
            "encoder.block.#.layer.1.DenseReluDense.wi_0.weight", true},
    NameRow{"encoder/block_#/layer_001/DenseReluDense/wi_1/kernel",
            "encoder.block.#.layer.1.DenseReluDense.wi_1.weight", true},
    NameRow{"encoder/block_#/layer_001/DenseReluDense/wo/kernel", "encoder.block.#.layer.1.DenseReluDense.wo.weight",
            true},
    NameRow{"encoder/block_#/layer_001/layer_norm/scale", "encoder.block.#.layer.1.layer_norm.weight"},
    NameRow{"encoder/final_layer_norm/scale", "encoder.final_layer_norm.weight"},
    NameRow{"decoder/block_#/layer_000/SelfAttention/q", "decoder.block.#.layer.0.SelfAttention.q.weight", true},
    NameRow{"decoder/block_#/layer_000/SelfAttention/k", "decoder.block.#.layer.0.SelfAttention.k.weight", true},
    NameRow{"decoder/block_#/layer_000/SelfAttention/v", "decoder.block.#.layer.0.SelfAttention.v.weight", true},
    NameRow{"decoder/block_#/layer_000/SelfAttention/o", "decoder.block.#.layer.0.SelfAttention.o.weight", true},
    NameRow{"decoder/block_#/layer_000/SelfAttention/relative_attention_bias",
            "decoder.block.#.layer.0.SelfAttention.relative_attention_bias.weight", true},
    NameRow{"decoder/block_#/layer_000/layer_norm/scale", "decoder.block.#.layer.0.layer_norm.weight"},
    NameRow{"decoder/block_#/layer_001/EncDecAttention/q", "decoder.block.#.layer.1.EncDecAttention.q.weight", true},
    NameRow{"decoder/block_#/layer_001/EncDecAttention/k", "decoder.block.#.layer.1.EncDecAttention.k.weight", true},
    NameRow{"decoder/block_#/layer_001/EncDecAttention/v", "decoder.block.#.layer.1.EncDecAttention.v.weight", true},
    NameRow{"decoder/block_#/layer_001/EncDecAttention/o", "decoder.block.#.layer.1.EncDecAttention.o.weight", true},
    NameRow{"decoder/block_#/layer_001/layer_norm/scale", "decoder.block.#.layer.1.layer_norm.weight"},
    NameRow{"decoder/block_#/layer_002/DenseReluDense/wi/kernel", "decoder.block.#.layer.2.DenseReluDense.wi.weight",
            true},
    NameRow{"decoder/block_#/layer_002/DenseReluDense/wi_0/kernel",
            "decoder.block.#.layer.2.DenseReluDense.wi_0.weight", true},
    NameRow{"decoder/block_#/layer_002/DenseReluDense/wi_1/kernel",
            "decoder.block.#.layer.2.DenseReluDense.wi_1.weight", true},
    NameRow{"decoder/block_#/layer_002/DenseReluDense/wo/kernel", "decoder.block.#.layer.2.DenseReluDense.wo.weight",
            true},
    NameRow{"decoder/block_#/layer_002/layer_norm/scale", "decoder.block.#.layer.2.layer_norm.weight"},
    NameRow{"decoder/final_layer_norm/scale", "decoder.final_layer_norm.weight"},
    NameRow{"decoder/logits/kernel", "lm_head.weight", true},
};

// The variable's name with # for its layer, and the layer's number; -1 when it is in none.
struct Numbered {
  std::string pattern;
  int number = -1;
};

Numbered numbered(const std::string& variable) {
  for (const std::string_view before : {std::string_view("coder/block_"), std::string_view("bert/encoder/layer_")}) {
    const size_t at = variable.find(before);
    if (at == std::string::npos) {
      continue;
    }
    const size_t begin = at + before.size();
    size_t end = begin;
    while (end < variable.size() && std::isdigit(static_cast<unsigned char>(variable[end])) != 0) {
      ++end;
    }
    if (end > begin && end - begin <= 6) {
      return {variable.substr(0, begin) + "#" + variable.substr(end), std::stoi(variable.substr(begin, end - begin))};
    }
  }
  return {variable, -1};
}

// in [rows, columns] of `size` bytes each to out [columns, rows], a square at a time so that both stay in the cache.
void transpose(const char* in, size_t rows, size_t columns, size_t size, char* out) {
  constexpr size_t kSquare = 32;
  for (size_t r0 = 0; r0 < rows; r0 += kSquare) {
    for (size_t c0 = 0; c0 < columns; c0 += kSquare) {
      for (size_t r = r0; r < std::min(rows, r0 + kSquare); ++r) {
        for (size_t c = c0; c < std::min(columns, c0 + kSquare); ++c) {
          std::memcpy(out + (c * rows + r) * size, in + (r * columns + c) * size, size);
        }
      }
    }
  }
}

class RenamedSource final : public TensorSource {
 public:
  explicit RenamedSource(std::shared_ptr<const TensorSource> source) : inner_(std::move(source)) {
    for (const auto& [variable, view] : inner_->tensors()) {
      if (const auto renamed = hugging_face_name(variable)) {
        add(variable, view, *renamed);
      }
    }
  }
  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return inner_->source(); }
  const char* format() const noexcept override { return inner_->format(); }

 private:
  void add(const std::string& variable, const TensorView& view, const RenamedTensor& renamed) {
    TensorView out = view;
    out.name = renamed.name;
    if (renamed.transposed) {
      if (view.shape.size() != 2) {
        throw base::Error(base::Code::kIntegrity, fmt::format("{}: '{}' has {} dimensions; a matrix has 2", source(),
                                                              variable, view.shape.size()));
      }
      std::swap(out.shape[0], out.shape[1]);
      std::vector<char>& copy = copies_.emplace_back(view.bytes.size());
      transpose(view.bytes.data(), static_cast<size_t>(view.shape[0]), static_cast<size_t>(view.shape[1]),
                dtype_size(view.dtype), copy.data());
      out.bytes = {copy.data(), copy.size()};
    }
    if (!tensors_.emplace(renamed.name, std::move(out)).second) {
      throw base::Error(base::Code::kIntegrity,
                        fmt::format("{}: '{}' is there under two names", source(), renamed.name));
    }
  }

  std::shared_ptr<const TensorSource> inner_;
  std::vector<std::vector<char>> copies_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace

std::optional<RenamedTensor> hugging_face_name(const std::string& variable) {
  Numbered name = numbered(variable);
  // Later versions of mesh-tensorflow (T5 1.1) call norms what they are.
  constexpr std::string_view kNorm = "/rms_norm/scale";
  if (name.pattern.ends_with(kNorm)) {
    name.pattern.replace(name.pattern.size() - kNorm.size(), kNorm.size(),
                         name.number < 0 ? "/final_layer_norm/scale" : "/layer_norm/scale");
  }
  const auto find = [&](const auto& table) -> std::optional<RenamedTensor> {
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const NameRow& r) { return r.variable == name.pattern; });
    if (row == table.end()) {
      return std::nullopt;
    }
    std::string out(row->hugging_face);
    if (const size_t at = out.find('#'); at != std::string::npos) {
      out.replace(at, 1, std::to_string(name.number));
    }
    return RenamedTensor{std::move(out), row->transposed};
  };
  const auto bert = find(kBert);
  return bert ? bert : find(kT5);
}

std::shared_ptr<const TensorSource> with_hugging_face_names(std::shared_ptr<const TensorSource> source) {
  const auto& tensors = source->tensors();
  if (!tensors.contains("bert/embeddings/word_embeddings") && !tensors.contains("shared/embedding")) {
    return source;
  }
  return std::make_shared<RenamedSource>(std::move(source));
}

}  // namespace slipway::model
