// The "normalizer" section of a tokenizer.json. Immutable after loading: any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/aligned_text.h"

namespace slipway::text {

struct BertNormalizerOptions {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;  // null in the file means: as lowercase
  bool lowercase = true;
};

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
  // The same on valid UTF-8 alone, for callers that need no offsets: appends the normalised text; false, with `out` in
  // any state, when only apply() can do it.
  virtual bool apply_bytes(std::string_view /*text*/, std::string& /*out*/) const { return false; }
  // Set for a BertNormalizer alone: lets the fast path take over.
  virtual const BertNormalizerOptions* bert() const { return nullptr; }
};

// nullptr for a JSON null. Throws Error(kInvalid) naming a type that is unknown or not supported, or what is wrong in
// it.
std::unique_ptr<Normalizer> parse_normalizer(const base::Json& json, const std::string& source);
std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options);

}  // namespace slipway::text
