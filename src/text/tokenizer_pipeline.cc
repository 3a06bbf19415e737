#include <fmt/format.h>
#include <unordered_map>

#include "base/error.h"
#include "text/bert_encoder.h"
#include "text/byte_encoder.h"
#include "text/hf_unicode.h"
#include "text/piece_encoder.h"
#include "text/tokenizer_parts.h"
#include "text/truncation.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxTextBytes = size_t{1} << 31;  // offsets are 32 bits

class PipelineTokenizer final : public Tokenizer {
 public:
  PipelineTokenizer(std::unique_ptr<TokenizerParts> parts, const std::string& source);

  void encode(std::string_view text, const EncodeOptions& options, Encoding& out) const override;
  void encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options,
                   Encoding& out) const override;
  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const override;
  int vocab_size() const override { return parts_->vocabulary.size(); }
  int token_to_id(std::string_view token) const override { return parts_->vocabulary.find(token); }
  std::string_view id_to_token(int id) const override { return parts_->vocabulary.token(id); }
  bool is_special(int id) const override {
    return id >= 0 && static_cast<size_t>(id) < special_.size() && special_[static_cast<size_t>(id)];
  }
  std::string token_bytes(int id) const override;
  std::vector<FrameItem> frame(bool pair) const override { return pair ? parts_->frame.pair : parts_->frame.single; }
  std::optional<FileTruncation> file_truncation() const override { return parts_->file_truncation; }
  std::optional<FilePadding> file_padding() const override { return parts_->file_padding; }

 private:
  void find_added_tokens();
  void find_fast_path();
  void encode_text(std::string_view text, bool with_offsets, size_t max_ids, Encoding& out) const;
  void encode_part(std::string_view text, bool with_offsets, size_t max_ids, Encoding& out) const;
  bool encode_fast(std::string_view text, uint32_t first, bool with_offsets, bool at_start, size_t max_ids,
                   Encoding& out) const;
  void encode_general(std::string_view text, uint32_t first, bool with_offsets, bool at_start, Encoding& out) const;
  void encode_words(AlignedText& text, bool with_offsets, bool at_start, Encoding& out) const;
  void trim_offsets(std::string_view text, size_t begin, Encoding& out) const;

  std::unique_ptr<TokenizerParts> parts_;
  std::vector<bool> special_;  // by id
  std::vector<bool> strips_;   // by id: an added token that takes white space along
  // Normalised added tokens decode to their normalised text, as Hugging Face tokenizers 0.23 has it.
  std::unordered_map<int32_t, std::string> decoded_as_;
  AddedTokenMatcher raw_tokens_;         // looked for in the text itself
  AddedTokenMatcher normalized_tokens_;  // looked for in the normalised text
  // At most one of these, for the parts that it knows.
  std::unique_ptr<BertEncoder> bert_;
  std::unique_ptr<ByteEncoder> byte_level_;
  std::unique_ptr<PieceEncoder> pieces_;
};

void check_frame(const TokenFrame& frame, const Vocabulary& vocabulary, const std::string& source) {
  for (const auto* items : {&frame.single, &frame.pair}) {
    for (const TokenFrame::Item& item : *items) {
      if (item.sequence < 0 && vocabulary.token(item.id).empty()) {
        throw Error(Code::kInvalid,
                    fmt::format("{}: post_processor uses id {}, which the vocabulary does not have", source, item.id));
      }
    }
  }
}

PipelineTokenizer::PipelineTokenizer(std::unique_ptr<TokenizerParts> parts, const std::string& source)
    : parts_(std::move(parts)) {
  check_frame(parts_->frame, parts_->vocabulary, source);
  find_added_tokens();
  find_fast_path();
}

void PipelineTokenizer::find_added_tokens() {
  special_.resize(static_cast<size_t>(parts_->vocabulary.size()));
  strips_.resize(special_.size());
  for (const int32_t id : parts_->special_ids) {
    special_[static_cast<size_t>(id)] = true;
  }
  std::vector<AddedTokenMatcher::Pattern> raw;
  std::vector<AddedTokenMatcher::Pattern> normalized = parts_->symbols;
  for (const AddedToken& token : parts_->added) {
    strips_[static_cast<size_t>(token.id)] = token.lstrip || token.rstrip;
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
}

void PipelineTokenizer::find_fast_path() {
  if (!normalized_tokens_.empty()) {
    return;
  }
  const auto* wordpiece = dynamic_cast<const WordPiece*>(parts_->model.get());
  const BertNormalizerOptions* bert = parts_->normalizer ? parts_->normalizer->bert() : nullptr;
  if (wordpiece != nullptr && bert != nullptr && parts_->pre_tokenizer && parts_->pre_tokenizer->is_bert() &&
      wordpiece->max_input_chars_per_word() >= 1 &&
      wordpiece->max_input_chars_per_word() <= BertEncoder::kMaxWordChars) {
    bert_ = std::make_unique<BertEncoder>(*bert, *wordpiece, parts_->vocabulary);
    return;
  }
  const auto* bpe = dynamic_cast<const Bpe*>(parts_->model.get());
  const auto scanner = parts_->pre_tokenizer ? parts_->pre_tokenizer->scanner() : std::nullopt;
  if (bpe != nullptr && scanner) {
    byte_level_ = ByteEncoder::make(*scanner, *bpe, parts_->vocabulary);
  }
  if (!byte_level_) {
    pieces_ =
        PieceEncoder::make(parts_->normalizer.get(), parts_->pre_tokenizer.get(), *parts_->model, parts_->vocabulary);
  }
}

void PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options, Encoding& out) const {
  out.ids.clear();
  out.offsets.clear();
  out.type_ids.clear();
  const std::vector<TokenFrame::Item>& frame = parts_->frame.single;
  const size_t room = room_for_text(options, options.add_special_tokens ? frame.size() - 1 : 0);
  for (const TokenFrame::Item& item : frame) {
    if (item.sequence < 0) {
      if (options.add_special_tokens) {
        out.ids.push_back(item.id);
        out.offsets.resize(options.with_offsets ? out.ids.size() : 0);
      }
      continue;
    }
    const size_t before = out.ids.size();
    // The end is known only when all is there.
    const bool to_the_end = room == SIZE_MAX || options.truncate_left;
    encode_text(text, options.with_offsets, to_the_end ? SIZE_MAX : before + room, out);
    truncate(before, room, options.truncate_left, out);
  }
}

void PipelineTokenizer::encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options,
                                    Encoding& out) const {
  Encoding texts[2];
  encode_text(first, options.with_offsets, SIZE_MAX, texts[0]);
  encode_text(second, options.with_offsets, SIZE_MAX, texts[1]);
  const std::vector<TokenFrame::Item>& frame = parts_->frame.pair;
  const size_t room = room_for_text(options, options.add_special_tokens ? frame.size() - 2 : 0);
  truncate_pair(room, options, texts);
  out.ids.clear();
  out.offsets.clear();
  out.type_ids.clear();
  for (const TokenFrame::Item& item : frame) {
    if (item.sequence >= 0) {
      const Encoding& text = texts[item.sequence];
      out.ids.insert(out.ids.end(), text.ids.begin(), text.ids.end());
      out.offsets.insert(out.offsets.end(), text.offsets.begin(), text.offsets.end());
    } else if (options.add_special_tokens) {
      out.ids.push_back(item.id);
      out.offsets.resize(options.with_offsets ? out.ids.size() : 0);
    }
    out.type_ids.resize(out.ids.size(), item.type_id);
  }
}

// The ids of a text alone; may be a few more than `max_ids`.
void PipelineTokenizer::encode_text(std::string_view text, bool with_offsets, size_t max_ids, Encoding& out) const {
  if (text.size() > kMaxTextBytes) {
    throw Error(Code::kInvalid,
                fmt::format("a text of {} bytes; the tokenizer takes at most {}", text.size(), kMaxTextBytes));
  }
  const size_t before = out.ids.size();
  encode_part(text, with_offsets, max_ids, out);
  if (with_offsets && parts_->frame.trim_offsets) {
    trim_offsets(text, before, out);
  }
}

// The text between added tokens, and the added tokens.
void PipelineTokenizer::encode_part(std::string_view text, bool with_offsets, size_t max_ids, Encoding& out) const {
  std::vector<Segment> segments;
  raw_tokens_.split(text, segments);
  uint32_t first = 0;
  for (const Segment& segment : segments) {
    const std::string_view part = text.substr(segment.begin, segment.end - segment.begin);
    const bool at_start = segment.begin == 0;
    const bool count_chars = with_offsets && (segments.size() > 1 || segment.id >= 0);
    const uint32_t size = count_chars ? static_cast<uint32_t>(count_code_points(part)) : 0;
    if (segment.id >= 0) {
      out.ids.push_back(segment.id);
      if (with_offsets) {
        out.offsets.emplace_back(first, first + size);
      }
    } else if (!encode_fast(part, first, with_offsets, at_start, max_ids, out)) {
      encode_general(part, first, with_offsets, at_start, out);
    }
    first += size;
    if (out.ids.size() >= max_ids) {
      return;
    }
  }
}

bool PipelineTokenizer::encode_fast(std::string_view text, uint32_t first, bool with_offsets, bool at_start,
                                    size_t max_ids, Encoding& out) const {
  if (bert_) {
    return bert_->encode(text, first, with_offsets, max_ids, out);
  }
  if (!byte_level_ && (!pieces_ || with_offsets)) {
    return false;
  }
  std::string changed;
  if (!is_valid_utf8(text)) {
    changed = sanitize_utf8(text);
    text = changed;
  }
  if (pieces_) {
    return pieces_->encode(text, at_start, max_ids, out.ids);
  }
  std::string normalized;
  if (parts_->normalizer) {
    if (!parts_->normalizer->apply_bytes(text, normalized) || (with_offsets && text != normalized)) {
      return false;
    }
    text = normalized;
  }
  byte_level_->encode(text, first, with_offsets, max_ids, out);
  return true;
}

void PipelineTokenizer::encode_general(std::string_view text, uint32_t first, bool with_offsets, bool at_start,
                                       Encoding& out) const {
  AlignedText aligned = AlignedText::decode(text, first);
  if (parts_->normalizer) {
    parts_->normalizer->apply(aligned);
  }
  if (normalized_tokens_.empty()) {
    encode_words(aligned, with_offsets, at_start, out);
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
    encode_words(part, with_offsets, at_start && begin == 0, out);
  }
}

void PipelineTokenizer::encode_words(AlignedText& text, bool with_offsets, bool at_start, Encoding& out) const {
  if (text.size() == 0) {
    return;
  }
  std::vector<CharSpan> words = {{0, static_cast<uint32_t>(text.size())}};
  if (parts_->pre_tokenizer) {
    parts_->pre_tokenizer->split(text, words, at_start);
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

// Offsets without the white space that tokens begin and end with, as Hugging Face's ByteLevel processor counts it: in
// the token, or for an added token in the text that it was found in.
void PipelineTokenizer::trim_offsets(std::string_view text, size_t begin, Encoding& out) const {
  constexpr char32_t kByteSpace = 0x120;
  size_t byte = 0;  // of the character `at_char`
  uint32_t at_char = 0;
  const auto byte_of = [&](uint32_t wanted) {
    for (; at_char < wanted && byte < text.size(); ++at_char) {
      byte += decode_at(text, byte).size;
    }
    return byte;
  };
  for (size_t i = begin; i < out.ids.size(); ++i) {
    std::string_view written = id_to_token(out.ids[i]);
    if (strips_[static_cast<size_t>(out.ids[i])]) {
      const size_t start = byte_of(out.offsets[i].first);
      written = text.substr(start, byte_of(out.offsets[i].second) - start);
    }
    const std::u32string token = to_utf32(written);
    const auto is_space = [](char32_t c) { return c == kByteSpace || hf_is_space(c); };
    auto leading = static_cast<uint32_t>(std::find_if_not(token.begin(), token.end(), is_space) - token.begin());
    const auto trailing =
        static_cast<uint32_t>(std::find_if_not(token.rbegin(), token.rend(), is_space) - token.rbegin());
    auto& [from, to] = out.offsets[i];
    if (leading > 0) {
      const bool first = i == begin || from == 0;
      leading -= first && parts_->frame.add_prefix_space ? 1 : 0;
      from = std::min(from + leading, to);
    }
    if (trailing > 0 && to >= trailing) {
      to = std::max(to - trailing, from);
    }
  }
}

std::string PipelineTokenizer::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    const std::string_view token = id_to_token(id);
    if (token.empty() || (skip_special_tokens && is_special(id))) {
      continue;
    }
    const auto normalized = decoded_as_.find(id);
    tokens.emplace_back(normalized == decoded_as_.end() ? token : normalized->second);
  }
  if (parts_->decoder) {
    parts_->decoder->apply(tokens);
  }
  std::string out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !parts_->decoder) {
      out += ' ';
    }
    out += tokens[i];
  }
  return out;
}

std::string PipelineTokenizer::token_bytes(int id) const {
  const std::string_view token = id_to_token(id);
  const auto normalized = decoded_as_.find(id);
  std::string text(normalized == decoded_as_.end() ? token : normalized->second);
  if (token.empty()) {
    return {};
  }
  return parts_->decoder ? parts_->decoder->bytes_of(std::move(text)) : " " + text;
}

}  // namespace

void add_added_tokens(TokenizerParts& parts, const std::string& source) {
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

std::unique_ptr<Tokenizer> assemble_tokenizer(std::unique_ptr<TokenizerParts> parts, const std::string& source) {
  return std::make_unique<PipelineTokenizer>(std::move(parts), source);
}

}  // namespace slipway::text
