#include "text/tokenizer.h"

#include <fmt/format.h>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "text/added_tokens.h"
#include "text/bert_encoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_frame.h"
#include "text/token_model.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxTextBytes = size_t{1} << 31;  // offsets are 32 bits

// The parts a tokenizer.json describes, working one after the other.
struct Parts {
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  TokenFrame frame;
  DecoderOptions decoder;
  int file_max_length = 0;
};

class PipelineTokenizer final : public Tokenizer {
 public:
  PipelineTokenizer(std::unique_ptr<Parts> parts, const std::string& source);

  void encode(std::string_view text, const EncodeOptions& options, Encoding& out) const override;
  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const override;
  int vocab_size() const override { return parts_->vocabulary.size(); }
  int token_to_id(std::string_view token) const override { return parts_->vocabulary.find(token); }
  std::string_view id_to_token(int id) const override { return parts_->vocabulary.token(id); }
  bool is_special(int id) const override {
    return id >= 0 && static_cast<size_t>(id) < special_.size() && special_[static_cast<size_t>(id)];
  }
  int file_max_length() const override { return parts_->file_max_length; }

 private:
  void encode_part(std::string_view text, uint32_t first, bool with_offsets, size_t max_ids, Encoding& out) const;
  void encode_general(std::string_view text, uint32_t first, bool with_offsets, Encoding& out) const;
  void encode_words(const AlignedText& text, bool with_offsets, Encoding& out) const;

  std::unique_ptr<Parts> parts_;
  std::vector<bool> special_;  // by id
  // Normalised added tokens decode to their normalised text, as Hugging Face tokenizers 0.23 has it.
  std::unordered_map<int32_t, std::string> decoded_as_;
  AddedTokenMatcher raw_tokens_;         // looked for in the text itself
  AddedTokenMatcher normalized_tokens_;  // looked for in the normalised text
  std::unique_ptr<BertEncoder> fast_;    // when the parts are BERT's
};

void check_frame(const TokenFrame& frame, const Vocabulary& vocabulary, const std::string& source) {
  for (const auto* ids : {&frame.before, &frame.after}) {
    for (const int32_t id : *ids) {
      if (vocabulary.token(id).empty()) {
        throw Error(Code::kInvalid,
                    fmt::format("{}: post_processor uses id {}, which the vocabulary does not have", source, id));
      }
    }
  }
}

PipelineTokenizer::PipelineTokenizer(std::unique_ptr<Parts> parts, const std::string& source)
    : parts_(std::move(parts)) {
  check_frame(parts_->frame, parts_->vocabulary, source);
  special_.resize(static_cast<size_t>(parts_->vocabulary.size()));
  std::vector<AddedTokenMatcher::Pattern> raw;
  std::vector<AddedTokenMatcher::Pattern> normalized;
  for (const AddedToken& token : parts_->added) {
    if (token.special) {
      special_[static_cast<size_t>(token.id)] = true;
    }
    if (token.normalized && parts_->normalizer) {
      AlignedText text = AlignedText::decode(token.content, 0);
      parts_->normalizer->apply(text);
      std::string pattern;
      text.encode(0, text.size(), pattern, nullptr);
      decoded_as_.emplace(token.id, pattern);
      normalized.push_back({std::move(pattern), token});
    } else {
      raw.push_back({token.content, token});
    }
  }
  raw_tokens_ = AddedTokenMatcher(std::move(raw));
  normalized_tokens_ = AddedTokenMatcher(std::move(normalized));

  const auto* wordpiece = dynamic_cast<const WordPiece*>(parts_->model.get());
  const BertNormalizerOptions* bert = parts_->normalizer ? parts_->normalizer->bert() : nullptr;
  if (wordpiece != nullptr && bert != nullptr && parts_->pre_tokenizer && parts_->pre_tokenizer->is_bert() &&
      normalized_tokens_.empty() && wordpiece->max_input_chars_per_word() >= 1 &&
      wordpiece->max_input_chars_per_word() <= BertEncoder::kMaxWordChars) {
    fast_ = std::make_unique<BertEncoder>(*bert, *wordpiece, parts_->vocabulary);
  }
}

void PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options, Encoding& out) const {
  out.ids.clear();
  out.offsets.clear();
  if (text.size() > kMaxTextBytes) {
    throw Error(Code::kInvalid,
                fmt::format("a text of {} bytes; the tokenizer takes at most {}", text.size(), kMaxTextBytes));
  }
  const size_t frame_size = options.add_special_tokens ? parts_->frame.before.size() + parts_->frame.after.size() : 0;
  if (options.max_length > 0 && static_cast<size_t>(options.max_length) < frame_size) {
    throw Error(Code::kInvalid,
                fmt::format("max_length {} leaves no room for the {} special tokens", options.max_length, frame_size));
  }
  const size_t max_ids = options.max_length > 0 ? static_cast<size_t>(options.max_length) - frame_size : SIZE_MAX;
  const auto add_frame = [&](const std::vector<int32_t>& ids) {
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    if (options.with_offsets) {
      out.offsets.insert(out.offsets.end(), ids.size(), {0, 0});
    }
  };
  size_t before = 0;
  if (options.add_special_tokens) {
    add_frame(parts_->frame.before);
    before = out.ids.size();
  }
  const size_t limit = max_ids == SIZE_MAX ? SIZE_MAX : before + max_ids;
  encode_part(text, 0, options.with_offsets, limit, out);
  if (out.ids.size() > limit) {
    out.ids.resize(limit);
    out.offsets.resize(options.with_offsets ? limit : 0);
  }
  if (options.add_special_tokens) {
    add_frame(parts_->frame.after);
  }
}

// The text between added tokens, and the added tokens.
void PipelineTokenizer::encode_part(std::string_view text, uint32_t first, bool with_offsets, size_t max_ids,
                                    Encoding& out) const {
  std::vector<Segment> segments;
  raw_tokens_.split(text, segments);
  for (const Segment& segment : segments) {
    const std::string_view part = text.substr(segment.begin, segment.end - segment.begin);
    const bool count_chars = with_offsets && segments.size() > 1;
    const uint32_t size = count_chars ? static_cast<uint32_t>(count_code_points(part)) : 0;
    if (segment.id >= 0) {
      out.ids.push_back(segment.id);
      if (with_offsets) {
        out.offsets.emplace_back(first, first + (count_chars ? size : static_cast<uint32_t>(count_code_points(part))));
      }
    } else if (!fast_ || !fast_->encode(part, first, with_offsets, max_ids, out)) {
      encode_general(part, first, with_offsets, out);
    }
    first += size;
    if (out.ids.size() >= max_ids) {
      return;
    }
  }
}

void PipelineTokenizer::encode_general(std::string_view text, uint32_t first, bool with_offsets, Encoding& out) const {
  AlignedText aligned = AlignedText::decode(text, first);
  if (parts_->normalizer) {
    parts_->normalizer->apply(aligned);
  }
  if (normalized_tokens_.empty()) {
    encode_words(aligned, with_offsets, out);
    return;
  }
  std::string normalized;
  std::vector<uint32_t> char_of_byte;
  aligned.encode(0, aligned.size(), normalized, &char_of_byte);
  char_of_byte.push_back(static_cast<uint32_t>(aligned.size()));
  std::vector<Segment> segments;
  normalized_tokens_.split(normalized, segments);
  for (const Segment& segment : segments) {
    const size_t begin = char_of_byte[segment.begin];
    const size_t end = char_of_byte[segment.end];
    if (segment.id >= 0) {
      out.ids.push_back(segment.id);
      if (with_offsets) {
        out.offsets.emplace_back(aligned.origins[begin].begin, aligned.origins[end - 1].end);
      }
      continue;
    }
    AlignedText part;
    part.chars = aligned.chars.substr(begin, end - begin);
    part.origins.assign(aligned.origins.begin() + static_cast<std::ptrdiff_t>(begin),
                        aligned.origins.begin() + static_cast<std::ptrdiff_t>(end));
    encode_words(part, with_offsets, out);
  }
}

void PipelineTokenizer::encode_words(const AlignedText& text, bool with_offsets, Encoding& out) const {
  std::vector<CharSpan> words = {{0, static_cast<uint32_t>(text.size())}};
  if (parts_->pre_tokenizer) {
    parts_->pre_tokenizer->split(text.chars, words);
  }
  std::string word;
  std::vector<uint32_t> char_of_byte;
  std::vector<Piece> pieces;
  for (const CharSpan span : words) {
    if (span.begin == span.end) {
      continue;
    }
    word.clear();
    char_of_byte.clear();
    pieces.clear();
    text.encode(span.begin, span.end, word, with_offsets ? &char_of_byte : nullptr);
    parts_->model->tokenize(word, pieces);
    for (const Piece& piece : pieces) {
      out.ids.push_back(piece.id);
      if (with_offsets) {
        out.offsets.emplace_back(text.origins[char_of_byte[piece.begin]].begin,
                                 text.origins[char_of_byte[piece.end - 1]].end);
      }
    }
  }
}

std::string PipelineTokenizer::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  std::string out;
  bool first = true;
  for (const int32_t id : ids) {
    const std::string_view token = id_to_token(id);
    if (token.empty() || (skip_special_tokens && is_special(id))) {
      continue;
    }
    const auto normalized = decoded_as_.find(id);
    append_decoded(parts_->decoder, normalized == decoded_as_.end() ? token : normalized->second, first, out);
    first = false;
  }
  return out;
}

int parse_truncation(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return 0;
  }
  const auto length = base::get<int64_t>(json, "max_length", source + ": truncation");
  if (length < 0 || length > INT32_MAX) {
    throw Error(Code::kInvalid, fmt::format("{}: truncation: max_length {} is out of range", source, length));
  }
  return static_cast<int>(length);
}

Json section(const Json& sections, const char* name) {
  const auto it = sections.find(name);
  return it == sections.end() ? Json() : *it;
}

void add_tokens(Parts& parts, const std::string& source) {
  for (const AddedToken& token : parts.added) {
    const std::string_view known = parts.vocabulary.token(token.id);
    if (known.empty()) {
      parts.vocabulary.add(token.content, token.id, source + ": added_tokens");
    } else if (known != token.content) {
      throw Error(Code::kInvalid, fmt::format("{}: added token '{}' has id {}, which the vocabulary gives to '{}'",
                                              source, token.content, token.id, known));
    }
  }
}

std::unique_ptr<Tokenizer> from_vocab_txt(std::string_view text, bool lowercase, const std::string& source) {
  auto parts = std::make_unique<Parts>();
  parts->vocabulary.reserve(text.size(), text.size() / 8);
  int64_t id = 0;
  for (size_t at = 0; at < text.size(); ++id) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!is_valid_utf8(line)) {
      throw Error(Code::kInvalid, fmt::format("{}: line {} is not UTF-8", source, id + 1));
    }
    if (!line.empty()) {
      parts->vocabulary.add(line, id, source);
    }
    at = end + 1;
  }
  parts->vocabulary.build(source);
  const auto need = [&](const char* token) {
    const int found = parts->vocabulary.find(token);
    if (found < 0) {
      throw Error(Code::kInvalid,
                  fmt::format("{}: has no {}; a BERT vocabulary has [UNK], [CLS] and [SEP]", source, token));
    }
    return found;
  };
  parts->frame = {{need("[CLS]")}, {need("[SEP]")}};
  for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    if (const int found = parts->vocabulary.find(special); found >= 0) {
      parts->added.push_back({found, special, false, false, false, false, true});
    }
  }
  BertNormalizerOptions options;
  options.lowercase = options.strip_accents = lowercase;
  parts->normalizer = make_bert_normalizer(options);
  parts->pre_tokenizer = make_bert_pre_tokenizer();
  parts->model = std::make_unique<WordPiece>(WordPieceOptions{}, parts->vocabulary, source);
  parts->decoder.wordpiece = true;
  return std::make_unique<PipelineTokenizer>(std::move(parts), source);
}

}  // namespace

std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, std::string_view source_name) {
  const std::string source(source_name);
  TokenizerFile file = split_tokenizer_json(json, source);
  auto parts = std::make_unique<Parts>();
  parts->vocabulary = std::move(file.vocabulary);
  parts->added = parse_added_tokens(section(file.sections, "added_tokens"), source);
  add_tokens(*parts, source);
  parts->vocabulary.build(source);
  parts->model = parse_model(file.model, parts->vocabulary, source);
  parts->normalizer = parse_normalizer(section(file.sections, "normalizer"), source);
  parts->pre_tokenizer = parse_pre_tokenizer(section(file.sections, "pre_tokenizer"), source);
  parts->frame = parse_post_processor(section(file.sections, "post_processor"), source);
  parts->decoder = parse_decoder(section(file.sections, "decoder"), source);
  parts->file_max_length = parse_truncation(section(file.sections, "truncation"), source);
  return std::make_unique<PipelineTokenizer>(std::move(parts), source);
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path) {
  std::filesystem::path file = path;
  bool lowercase = true;
  if (std::filesystem::is_directory(path)) {
    file = path / "tokenizer.json";
    if (!std::filesystem::exists(file) && std::filesystem::exists(path / "vocab.txt")) {
      file = path / "vocab.txt";
    }
  }
  if (file.extension() != ".txt") {
    return parse_tokenizer(base::read_file(file, kMaxTokenizerBytes), file.string());
  }
  const std::filesystem::path config = file.parent_path() / "tokenizer_config.json";
  if (std::filesystem::exists(config)) {
    const Json json = base::parse_json(base::read_file(config, size_t{16} << 20), config.string());
    lowercase = base::get_or(json, "do_lower_case", true, config.string());
  }
  return from_vocab_txt(base::read_file(file, kMaxTokenizerBytes), lowercase, file.string());
}

}  // namespace slipway::text
