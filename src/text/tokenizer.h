// Text to token ids and back, from a Hugging Face tokenizer.json; ids and offsets equal those of HF tokenizers.
// A Tokenizer is immutable after loading: any thread may use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::text {

// Which of a pair of texts is cut when both do not fit; as Hugging Face's strategies.
enum class TruncationStrategy : uint8_t { kLongestFirst, kOnlyFirst, kOnlySecond };

struct EncodeOptions {
  bool add_special_tokens = true;
  bool with_offsets = false;
  int max_length = 0;          // truncate to this many ids, special tokens included; 0 = no limit
  bool truncate_left = false;  // keep the end of a text instead of its beginning
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;  // of encode_pair()
};

// One encoded text. Buffers are reused: encode() clears and fills them.
struct Encoding {
  std::vector<int32_t> ids;
  // Half-open [begin, end) in Unicode code points of the original text; (0, 0) for special tokens. Filled on demand.
  std::vector<std::pair<uint32_t, uint32_t>> offsets;
  // 0 for the first text and its special tokens, 1 for the second, or what the file says; encode_pair() fills it.
  std::vector<int32_t> type_ids;
};

// A place among the tokens around and between texts: a special token, or where a text goes.
struct FrameItem {
  int sequence;     // 0 the first text, 1 the second, -1 a special token
  int32_t id;       // of a special token
  int32_t type_id;  // of the token or the text's tokens
  // Of the text's tokens in windows after its first (windows.h), which TemplateProcessing does not give the type that
  // the template says; -1: type_id.
  int32_t overflow_type_id = -1;
};

// The "truncation" section of a tokenizer.json.
struct FileTruncation {
  int max_length = 0;  // ids, special tokens included
  int stride = 0;      // tokens that a window repeats of the one before
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  bool left = false;  // keep the end of a text instead of its beginning
};

// The "padding" section of a tokenizer.json.
struct FilePadding {
  int length = 0;    // ids; 0: of the longest text of the batch
  int multiple = 0;  // the length is rounded up to a multiple of this; 0: it is not
  bool left = false;
  int32_t id = 0;
  int32_t type_id = 0;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // `text` is UTF-8; invalid bytes count as U+FFFD.
  virtual void encode(std::string_view text, const EncodeOptions& options, Encoding& out) const = 0;
  // Two texts as one sequence, with the file's special tokens around and between. Throws Error(kInvalid) when
  // max_length leaves no room for the special tokens, or when the one text that may be cut would have to go altogether,
  // and where a tokenizer takes no pairs.
  virtual void encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options,
                           Encoding& out) const;
  virtual std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const = 0;
  virtual int vocab_size() const = 0;
  // -1 when the vocabulary does not have it.
  virtual int token_to_id(std::string_view token) const = 0;
  // Empty for an id out of range.
  virtual std::string_view id_to_token(int id) const = 0;
  virtual bool is_special(int id) const = 0;
  // The bytes that a token adds inside a text (after another token): parts of a character too, which decode() cannot
  // give. Empty for an id out of range.
  virtual std::string token_bytes(int id) const;
  // The tokens around one text, or around and between two.
  virtual std::vector<FrameItem> frame(bool pair) const;
  // The file's "truncation" and "padding" sections, where it has them. encode() does not apply them (transformers does
  // not either); pass them on to windows.h where the model was trained so.
  virtual std::optional<FileTruncation> file_truncation() const { return std::nullopt; }
  virtual std::optional<FilePadding> file_padding() const { return std::nullopt; }
};

// Reads a tokenizer.json (or a folder that holds one, or the SentencePiece model and vocab.json of Marian and M2M100;
// or a BERT vocab.txt, lower-cased unless a tokenizer_config.json beside it says do_lower_case false). Throws
// Error(kInvalid) naming the part that is wrong or not supported, with limits on size and depth.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);
// The same from the JSON text itself; `source` is used in messages.
std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, std::string_view source);

}  // namespace slipway::text
