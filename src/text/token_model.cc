#include "text/token_model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/bpe.h"
#include "text/unigram.h"
#include "text/word_level.h"
#include "text/wordpiece.h"

namespace slipway::text {

WordLevel::WordLevel(const std::string& unk_token, const Vocabulary& vocabulary, const std::string& source)
    : vocabulary_(vocabulary), unk_id_(vocabulary.find(unk_token)) {
  if (unk_id_ < 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: the vocabulary has no unknown token '{}'", source, unk_token));
  }
}

void WordLevel::tokenize(std::string_view word, std::vector<Piece>& pieces) const {
  const int id = vocabulary_.find(word);
  pieces.push_back({id >= 0 ? id : unk_id_, 0, static_cast<uint32_t>(word.size())});
}

void MergeList::add(std::string_view left, std::string_view right) {
  const auto begin = static_cast<uint32_t>(bytes.size());
  bytes += left;
  const auto middle = static_cast<uint32_t>(bytes.size());
  bytes += right;
  places.push_back({begin, middle, static_cast<uint32_t>(bytes.size())});
}

bool MergeList::add(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
    return false;
  }
  add(line.substr(0, space), line.substr(space + 1));
  return true;
}

std::unique_ptr<TokenModel> make_bpe(const BpeOptions& options, const MergeList& merges, const Vocabulary& vocabulary,
                                     const std::string& source) {
  MergeTable table;
  std::string merged;
  const size_t prefix = options.continuing_subword_prefix.size();
  for (size_t i = 0; i < merges.places.size(); ++i) {
    const std::string_view left = merges.left(i);
    const std::string_view right = merges.right(i);
    merged = left;
    merged += right.substr(std::min(prefix, right.size()));
    const int left_id = vocabulary.find(left);
    const int right_id = vocabulary.find(right);
    const int id = vocabulary.find(merged);
    if (left_id < 0 || right_id < 0 || id < 0) {
      const std::string_view missing = left_id < 0 ? left : right_id < 0 ? right : std::string_view(merged);
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{}: merge {} ('{}' and '{}'): the vocabulary has no '{}'", source, i + 1,
                                    left.substr(0, 100), right.substr(0, 100), missing.substr(0, 100)));
    }
    table.add(left_id, right_id, static_cast<uint32_t>(i), id);
  }
  table.build(false);
  return std::make_unique<Bpe>(options, std::move(table), vocabulary, source);
}

namespace {

std::unique_ptr<TokenModel> parse_bpe(const base::Json& json, const ModelLists& lists, const Vocabulary& vocabulary,
                                      const std::string& where) {
  BpeOptions options;
  options.unk_token = base::get_or<std::string>(json, "unk_token", "", where);
  options.continuing_subword_prefix = base::get_or<std::string>(json, "continuing_subword_prefix", "", where);
  options.end_of_word_suffix = base::get_or<std::string>(json, "end_of_word_suffix", "", where);
  options.fuse_unk = base::get_or(json, "fuse_unk", false, where);
  options.byte_fallback = base::get_or(json, "byte_fallback", false, where);
  options.ignore_merges = base::get_or(json, "ignore_merges", false, where);
  return make_bpe(options, lists.merges, vocabulary, where);
}

std::unique_ptr<TokenModel> parse_unigram(const base::Json& json, const ModelLists& lists, const Vocabulary& vocabulary,
                                          const std::string& where) {
  UnigramOptions options;
  const auto unk = base::get_or<int64_t>(json, "unk_id", -1, where);
  if (unk < -1 || unk > Vocabulary::kMaxId) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: unk_id {} is out of range", where, unk));
  }
  options.unk_id = static_cast<int32_t>(unk);
  options.byte_fallback = base::get_or(json, "byte_fallback", false, where);
  const std::vector<Unigram::Kind> kinds(lists.scores.size(), Unigram::Kind::kNormal);
  return std::make_unique<Unigram>(options, lists.scores, kinds, vocabulary, where);
}

}  // namespace

std::unique_ptr<TokenModel> parse_model(const base::Json& json, const ModelLists& lists, const Vocabulary& vocabulary,
                                        const std::string& source) {
  std::string type = base::get_or<std::string>(json, "type", "", source + ": model");
  if (type.empty()) {
    // Files older than 2021 name no type.
    type = json.contains("merges")                      ? "BPE"
           : json.contains("unk_id")                    ? "Unigram"
           : json.contains("continuing_subword_prefix") ? "WordPiece"
                                                        : "";
  }
  const std::string where = fmt::format("{}: model {}", source, type);
  if (type == "WordPiece") {
    WordPieceOptions options;
    options.unk_token = base::get_or(json, "unk_token", options.unk_token, where);
    options.continuing_subword_prefix =
        base::get_or(json, "continuing_subword_prefix", options.continuing_subword_prefix, where);
    options.max_input_chars_per_word =
        base::get_or(json, "max_input_chars_per_word", options.max_input_chars_per_word, where);
    if (options.max_input_chars_per_word < 0) {
      throw base::Error(base::Code::kInvalid, where + ": max_input_chars_per_word is negative");
    }
    return std::make_unique<WordPiece>(options, vocabulary, where);
  }
  if (type == "WordLevel") {
    return std::make_unique<WordLevel>(base::get_or<std::string>(json, "unk_token", "<unk>", where), vocabulary, where);
  }
  if (type == "BPE") {
    return parse_bpe(json, lists, vocabulary, where);
  }
  if (type == "Unigram") {
    return parse_unigram(json, lists, vocabulary, where);
  }
  constexpr const char* kSupported = "supported: BPE, Unigram, WordLevel, WordPiece";
  throw base::Error(base::Code::kInvalid,
                    type.empty() ? fmt::format("{}: the model section has no type; {}", source, kSupported)
                                 : fmt::format("{}: model type '{}' is not supported; {}", source, type, kSupported));
}

}  // namespace slipway::text
