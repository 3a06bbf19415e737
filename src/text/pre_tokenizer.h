// The "pre_tokenizer" section of a tokenizer.json: where words begin and end. Immutable after loading: any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/aligned_text.h"

namespace slipway::text {

// Characters of the normalised text, half-open.
struct CharSpan {
  uint32_t begin;
  uint32_t end;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces each span by its parts, in order; empty parts are left out.
  virtual void split(const std::u32string& chars, std::vector<CharSpan>& spans) const = 0;
  // True for a BertPreTokenizer alone: lets the fast path take over.
  virtual bool is_bert() const { return false; }
};

// nullptr for a JSON null (the whole text is one word). Throws Error(kInvalid) naming a type that is not supported.
std::unique_ptr<PreTokenizer> parse_pre_tokenizer(const base::Json& json, const std::string& source);
std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer();

}  // namespace slipway::text
