#include "engine/vector_encoder.h"

#include <algorithm>

#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"
#include "text/truncation.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::engine {
namespace {

constexpr int kMaxTokens = 32'768;  // words of the longest text
constexpr size_t kMaxHanWord = 8;   // ideographs; longer ones are names of films and the like

// Words that follow one another without anything between are ideographs of one run (text/words.h: each is a word).
size_t run_length(std::span<const text::Span> words) {
  size_t length = 1;
  while (length < std::min(words.size(), kMaxHanWord) && words[length].begin == words[length - 1].end) {
    ++length;
  }
  return length;
}

}  // namespace

void VectorTokenizer::encode(std::string_view text, const text::EncodeOptions& options, text::Encoding& out) const {
  const std::vector<text::Span> words = text::split_words(text);
  out.ids.clear();
  out.offsets.clear();
  out.type_ids.clear();
  size_t counted = 0;  // bytes whose characters are in `characters`
  uint32_t characters = 0;
  const auto place = [&](size_t byte) {
    for (; counted < byte; ++counted) {
      characters += (static_cast<unsigned char>(text[counted]) & 0xC0U) != 0x80U ? 1 : 0;
    }
    return characters;
  };
  for (size_t i = 0; i < words.size();) {
    const auto id_of = [&](size_t length) {
      return token_to_id(text.substr(words[i].begin, words[i + length - 1].end - words[i].begin));
    };
    size_t length = run_length(std::span(words).subspan(i));
    int id = id_of(length);
    while (id < 0 && length > 1) {
      id = id_of(--length);
    }
    out.ids.push_back(id < 0 ? unknown() : id);
    if (options.with_offsets) {
      const uint32_t begin = place(words[i].begin);
      out.offsets.emplace_back(begin, place(words[i + length - 1].end));
    }
    i += length;
  }
  if (out.ids.empty() && options.add_special_tokens) {
    out.ids.push_back(unknown());
    if (options.with_offsets) {
      out.offsets.emplace_back(0, 0);
    }
  }
  text::truncate(0, text::room_for_text(options, 0), options.truncate_left, out);
}

std::string VectorTokenizer::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  std::string text;
  for (const int32_t id : ids) {
    if (!skip_special_tokens || !is_special(id)) {
      text += (text.empty() ? "" : " ") + std::string(id_to_token(id));
    }
  }
  return text;
}

int VectorTokenizer::token_to_id(std::string_view token) const {
  const int64_t exact = vectors_->index(token);
  return static_cast<int>(exact >= 0 ? exact : vectors_->index(text::lowercase(token)));
}

std::string_view VectorTokenizer::id_to_token(int id) const {
  if (id == unknown()) {
    return "[UNK]";
  }
  return id < 0 || id > unknown() ? std::string_view() : vectors_->words()[static_cast<size_t>(id)];
}

VectorEncoder::VectorEncoder(std::shared_ptr<const model::WordVectors> vectors, base::Isa isa)
    : vectors_(std::move(vectors)), isa_(isa) {
  spec_.architecture = model::Architecture::kWordVectors;
  spec_.vocab_size = static_cast<int>(vectors_->size()) + 1;
  spec_.hidden_size = vectors_->dim();
  spec_.num_heads = 1;
  spec_.max_positions = kMaxTokens;
  spec_.position_table = false;
  spec_.type_vocab_size = 0;
}

void VectorEncoder::run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* /*pool*/) const {
  const int dim = vectors_->dim();
  for (const EncoderText& text : texts) {
    std::vector<float> sum(static_cast<size_t>(dim), 0.0F);
    for (size_t i = 0; i < text.ids.size(); ++i) {
      const std::span<const float> row = vectors_->row(text.ids[i]);  // empty for the unknown word
      if (!row.empty()) {
        kernels::add(isa_, dim, row.data(), sum.data());
      }
      if (wanted.tokens && text.hidden != nullptr) {
        float* const to = text.hidden + i * static_cast<size_t>(dim);
        std::fill_n(to, dim, 0.0F);
        std::copy(row.begin(), row.end(), to);
      }
    }
    if (wanted.embeddings) {  // the length is 1 in the end: a sum does as well as a mean
      kernels::mean_pool_normalized(isa_, 1, dim, sum.data(), dim, text.embedding);
    }
  }
}

}  // namespace slipway::engine
