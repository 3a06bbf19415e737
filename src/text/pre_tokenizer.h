// The "pre_tokenizer" section of a tokenizer.json: where words begin and end. Immutable after loading: any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/aligned_text.h"
#include "text/regex.h"
#include "text/word_scanner.h"

namespace slipway::text {

// Characters of the normalised text, half-open.
struct CharSpan {
  uint32_t begin;
  uint32_t end;
};

struct MetaspaceOptions {
  enum class Prepend : uint8_t { kAlways, kFirst, kNever };
  char32_t replacement = U'\u2581';
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

struct PieceKind {
  bool split_at_spaces = false;  // WhitespaceSplit first
  std::optional<MetaspaceOptions> metaspace;
};

// Reads prepend_scheme, or add_prefix_space of older files, of a Metaspace pre-tokenizer or decoder.
MetaspaceOptions parse_metaspace(const base::Json& json, const std::string& where);

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces each span by its parts, in order; empty parts are left out. Some change the text too (ByteLevel,
  // Metaspace); then what is between the spans goes. `at_start`: the text is the beginning of what was given to
  // encode().
  virtual void split(AlignedText& text, std::vector<CharSpan>& spans, bool at_start) const = 0;
  // True for a BertPreTokenizer alone: lets the fast path take over.
  virtual bool is_bert() const { return false; }
  // What word_scanner.h needs to know to take over; nullopt for other kinds.
  virtual std::optional<ScannerKind> scanner() const { return std::nullopt; }
  // The same for piece_encoder.h.
  virtual std::optional<PieceKind> pieces() const { return std::nullopt; }
};

struct ByteLevelOptions {
  bool add_prefix_space = true;
  bool use_regex = true;
};

// nullptr for a JSON null (the whole text is one word). Throws Error(kInvalid) naming a type that is not supported.
std::unique_ptr<PreTokenizer> parse_pre_tokenizer(const base::Json& json, const std::string& source);
std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer();
std::unique_ptr<PreTokenizer> make_byte_level(const ByteLevelOptions& options);
std::unique_ptr<PreTokenizer> make_metaspace(const MetaspaceOptions& options);
std::unique_ptr<PreTokenizer> make_digits(bool individual);
// Matches of the pattern and what lies between them are words each.
std::unique_ptr<PreTokenizer> make_regex_split(const std::string& pattern, Regex::Flavor flavor,
                                               const std::string& source);
std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(std::vector<std::unique_ptr<PreTokenizer>> parts);

}  // namespace slipway::text
