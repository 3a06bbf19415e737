// Static word vectors as an encoder: a text's embedding is the mean of the vectors of its words, scaled to length 1.
// Words are cut as text/words.h cuts them; each is looked up as it stands, then in lower case. Runs of Han ideographs
// are cut into the longest words that the file has. Words that it does not have count for nothing. Immutable; any
// thread.
#pragma once

#include <memory>

#include "base/cpu.h"
#include "engine/text_encoder.h"
#include "model/word_vectors.h"
#include "text/tokenizer.h"

namespace slipway::engine {

// Ids are the words' places in the file; the one after the last is every word that the file does not have, and what a
// text without words consists of.
class VectorTokenizer final : public text::Tokenizer {
 public:
  explicit VectorTokenizer(std::shared_ptr<const model::WordVectors> vectors) : vectors_(std::move(vectors)) {}
  // There are no special tokens.
  void encode(std::string_view text, const text::EncodeOptions& options, text::Encoding& out) const override;
  // The words with spaces between.
  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const override;
  int vocab_size() const override { return unknown() + 1; }
  int token_to_id(std::string_view token) const override;
  std::string_view id_to_token(int id) const override;
  bool is_special(int id) const override { return id == unknown(); }
  int32_t unknown() const { return static_cast<int32_t>(vectors_->size()); }

 private:
  std::shared_ptr<const model::WordVectors> vectors_;
};

class VectorEncoder final : public TextEncoder {
 public:
  VectorEncoder(std::shared_ptr<const model::WordVectors> vectors, base::Isa isa);
  void run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* pool) const override;
  const model::ModelSpec& spec() const override { return spec_; }
  bool int8() const override { return false; }
  int64_t bytes() const override { return spec_.parameter_count() * static_cast<int64_t>(sizeof(float)); }

 private:
  std::shared_ptr<const model::WordVectors> vectors_;
  base::Isa isa_;
  model::ModelSpec spec_;
};

}  // namespace slipway::engine
