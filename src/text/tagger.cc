#include "text/tagger.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/lemma_edit.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

// The next piece of at most kMaxPositions characters of `text`: up to the last sentence mark in it when there is one.
size_t piece_end(std::string_view text) {
  size_t at = 0;
  size_t after_mark = 0;
  for (size_t count = 0; at < text.size(); ++count) {
    if (count == SequenceReader::kMaxPositions) {
      return after_mark > 0 ? after_mark : at;
    }
    const Decoded d = decode_at(text, at);
    at += d.size;
    if (d.code == 0x3002 || d.code == 0xFF01 || d.code == 0xFF1F || d.code == 0xFF1B || d.code == U'!' || d.code == U'?') {
      after_mark = at;
    }
  }
  return at;
}

}  // namespace

void append_word_labels(std::string_view word, std::vector<uint8_t>& labels) {
  const size_t n = count_code_points(word);
  for (size_t i = 0; i < n; ++i) {
    labels.push_back(static_cast<uint8_t>(n == 1 ? 3 : i == 0 ? 0 : i + 1 == n ? 2 : 1));
  }
}

void SequenceReader::characters(std::string_view text, Scratch& scratch, FeatureList& out) const {
  scratch.characters.clear();
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    scratch.characters += d.code;
    at += d.size;
  }
  scratch.marks.clear();
  if (lexicon_) {
    lexicon_marks(*lexicon_, text, scratch.segmenter, scratch.words, scratch.marks);
    SLIPWAY_CHECK(scratch.marks.size() == scratch.characters.size());
  }
  character_features(scratch.characters, scratch.marks, scratch.features, out);
}

void SequenceReader::tokens(std::span<const std::string_view> tokens, std::span<const std::string_view> tags, Scratch& scratch,
                            FeatureList& out) const {
  scratch.token_marks.clear();
  if (lexicon_) {
    // A token has the marks of its first character in the text that all of them make.
    scratch.joined.clear();
    for (const std::string_view token : tokens) {
      scratch.joined += token.empty() ? std::string_view("_") : token;
    }
    lexicon_marks(*lexicon_, scratch.joined, scratch.segmenter, scratch.words, scratch.marks);
    size_t at = 0;
    for (const std::string_view token : tokens) {
      // Tokens that are no valid UTF-8 of their own may join to fewer characters than they had.
      scratch.token_marks.push_back(at < scratch.marks.size() ? scratch.marks[at] : LexiconMark());
      at += token.empty() ? 1 : count_code_points(token);
    }
  }
  token_features(task_, tokens, tags, scratch.token_marks, scratch.features, out);
}

Tagger::Tagger(std::shared_ptr<const SequenceModel> model, std::shared_ptr<const DictionarySegmenter> lexicon)
    : model_(std::move(model)), reader_(model_->description().task, model_->description().lexicon == 0 ? nullptr : lexicon) {
  const uint64_t wanted = model_->description().lexicon;
  if (wanted != 0 && (!lexicon || lexicon->dictionary().digest() != wanted)) {
    throw Error(Code::kInvalid, fmt::format("the model was trained with a segmentation dictionary of digest {:x}, {}", wanted,
                                            lexicon ? fmt::format("and this one has {:x}", lexicon->dictionary().digest())
                                                    : std::string("and none is given")));
  }
}

void Tagger::segment_piece(std::string_view text, Scratch& scratch, std::vector<std::string_view>& words) const {
  reader_.characters(text, scratch.reader, scratch.model.list);
  model_->decode(scratch.model, scratch.path);
  size_t at = 0;
  size_t begin = 0;
  for (const uint8_t label : scratch.path) {
    at += decode_at(text, at).size;
    if (label >= 2) {  // E, S
      words.push_back(text.substr(begin, at - begin));
      begin = at;
    }
  }
}

void Tagger::segment(std::string_view text, Scratch& scratch, std::vector<std::string_view>& words) const {
  SLIPWAY_CHECK(task() == SequenceTask::kSegment);
  words.clear();
  size_t begin = 0;
  const auto run = [&](size_t end) {
    while (begin < end) {
      const size_t size = piece_end(text.substr(begin, end - begin));
      segment_piece(text.substr(begin, size), scratch, words);
      begin += size;
    }
  };
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    if (is_whitespace(d.code)) {
      run(at);
      begin = at + d.size;
    }
    at += d.size;
  }
  run(text.size());
}

void Tagger::tag(std::span<const std::string_view> tokens, std::span<const std::string_view> parts_of_speech, Scratch& scratch,
                 std::vector<std::string>& tags) const {
  SLIPWAY_CHECK(task() != SequenceTask::kSegment);
  const SequenceDescription& description = model_->description();
  tags.clear();
  for (size_t begin = 0; begin < tokens.size();) {
    const size_t count = std::min(tokens.size() - begin, SequenceReader::kMaxPositions);
    const auto piece = tokens.subspan(begin, count);
    reader_.tokens(piece, parts_of_speech.empty() ? parts_of_speech : parts_of_speech.subspan(begin, count), scratch.reader,
                   scratch.model.list);
    model_->decode(scratch.model, scratch.path);
    scratch.labels.clear();
    for (const uint8_t label : scratch.path) {
      scratch.labels.push_back(description.labels[label]);
    }
    if (task() == SequenceTask::kEntities) {
      spans_of_tags(scratch.labels, scratch.spans);
      for (std::string& tag : tags_of_spans(scratch.spans, count, description.scheme)) {
        tags.push_back(std::move(tag));
      }
    } else {
      for (size_t i = 0; i < count; ++i) {
        tags.push_back(task() == SequenceTask::kLemma ? apply_lemma_edit(piece[i], scratch.labels[i]) : std::string(scratch.labels[i]));
      }
    }
    begin += count;
  }
}

void Tagger::marginals(std::span<const std::string_view> tokens, double scale, Scratch& scratch, std::vector<double>& p) const {
  SLIPWAY_CHECK(task() == SequenceTask::kPos || task() == SequenceTask::kEntities);
  p.clear();
  std::vector<double> piece;
  for (size_t begin = 0; begin < tokens.size(); begin += SequenceReader::kMaxPositions) {
    reader_.tokens(tokens.subspan(begin, std::min(tokens.size() - begin, SequenceReader::kMaxPositions)), {}, scratch.reader, scratch.model.list);
    model_->marginals(scratch.model, scale, piece);
    p.insert(p.end(), piece.begin(), piece.end());
  }
}

}  // namespace slipway::text
