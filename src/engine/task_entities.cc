// Token classification: labels of tokens, put together to entities as transformers' pipeline does.
#include <algorithm>
#include <fmt/format.h>

#include "engine/task_tokens.h"
#include "engine/tasks.h"
#include "model/predictor.h"
#include "text/code_points.h"

namespace slipway::engine {
namespace {

// A token of the text, or a word of several.
struct Piece {
  std::vector<int32_t> ids;
  std::vector<std::string> unknown;  // for each id, the text it stands for when it is the unknown token, else ""
  std::vector<float> scores;         // of the labels
  int index = 0;
  size_t start = 0;
  size_t end = 0;
  bool continues = false;  // the word before
};

// Vocabularies of WordPiece mark what continues a word; it is the longer of the token and its place in the text. Others
// are taken to continue a word where no space is before them, as transformers does.
bool has_marked_pieces(const text::Tokenizer& tokenizer) {
  return tokenizer.token_to_id("##s") >= 0 || tokenizer.token_to_id("##a") >= 0;
}

bool continues_word(const text::Tokenizer& tokenizer, bool marked, const text::CodePoints& chars, int id, size_t start,
                    size_t end) {
  if (marked) {
    const std::string token(tokenizer.id_to_token(id));
    return !tokenizer.is_special(id) && text::count_code_points(token) != end - start;
  }
  return start > 0 && chars[start - 1] != ' ' && (start >= chars.size() || chars[start] != ' ');
}

int unknown_id(const text::Tokenizer& tokenizer) {
  const int id = tokenizer.token_to_id("[UNK]");
  return id >= 0 ? id : tokenizer.token_to_id("<unk>");
}

// The tokens as text, what is unknown as the text has it.
std::string spelled(const text::Tokenizer& tokenizer, std::span<const int32_t> ids,
                    std::span<const std::string> unknown) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() || more.empty() ? "" : " ") + more; };
  size_t known = 0;  // first of the known ids not yet in text
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!unknown[i].empty()) {
      add(tokenizer.decode(ids.subspan(known, i - known), false));
      add(unknown[i]);
      known = i + 1;
    }
  }
  add(tokenizer.decode(ids.subspan(known), false));
  return text;
}

struct Encoded {
  Input input;
  std::vector<Piece> pieces;  // scores still to come, in the order of input.rows
};

Encoded encode(const TaskModel& model, const std::string& text) {
  const text::Tokenizer& tokenizer = model.tokenizer();
  text::EncodeOptions options;
  options.max_length = model.spec().max_tokens();
  options.with_offsets = true;
  text::Encoding encoding;
  tokenizer.encode(text, options, encoding);
  const text::CodePoints chars(text);
  const bool marked = has_marked_pieces(tokenizer);
  const int unknown = unknown_id(tokenizer);
  Encoded out;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (is_added(tokenizer, encoding, i)) {
      continue;
    }
    const auto [begin, end] = encoding.offsets[i];
    out.input.rows.push_back(static_cast<int32_t>(i));
    const int32_t id = encoding.ids[i];
    const bool known = id != unknown;
    out.pieces.push_back({{id},
                          {known ? "" : chars.slice(begin, end)},
                          {},
                          static_cast<int>(i),
                          begin,
                          end,
                          known && continues_word(tokenizer, marked, chars, id, begin, end)});
  }
  out.input.ids = std::move(encoding.ids);
  return out;
}

float largest(const std::vector<float>& scores) { return *std::max_element(scores.begin(), scores.end()); }

// One piece with the scores that decide its label.
Piece join(std::span<const Piece> word, Aggregation aggregation) {
  Piece joined = word[0];
  for (const Piece& piece : word.subspan(1)) {
    joined.ids.insert(joined.ids.end(), piece.ids.begin(), piece.ids.end());
    joined.unknown.insert(joined.unknown.end(), piece.unknown.begin(), piece.unknown.end());
    joined.end = piece.end;
  }
  if (aggregation == Aggregation::kMax) {
    const auto surest = std::max_element(
        word.begin(), word.end(), [](const Piece& a, const Piece& b) { return largest(a.scores) < largest(b.scores); });
    joined.scores = surest->scores;
  } else if (aggregation == Aggregation::kAverage) {
    for (size_t k = 0; k < joined.scores.size(); ++k) {
      double sum = 0;
      for (const Piece& piece : word) {
        sum += piece.scores[k];
      }
      joined.scores[k] = static_cast<float>(sum / static_cast<double>(word.size()));
    }
  }
  return joined;
}

std::vector<Piece> words_of(const std::vector<Piece>& pieces, Aggregation aggregation) {
  std::vector<Piece> words;
  for (size_t begin = 0; begin < pieces.size();) {
    size_t end = begin + 1;
    while (end < pieces.size() && pieces[end].continues) {
      ++end;
    }
    words.push_back(join(std::span(pieces).subspan(begin, end - begin), aggregation));
    begin = end;
  }
  return words;
}

// "B-PER" as {true, "PER"}; what has no prefix counts as inside.
std::pair<bool, std::string> tag_of(const std::string& label) {
  if (label.starts_with("B-") || label.starts_with("I-")) {
    return {label[0] == 'B', label.substr(2)};
  }
  return {false, label};
}

std::vector<Entity> entities_of(const TaskModel& model, std::vector<Piece> pieces, Aggregation aggregation) {
  if (aggregation != Aggregation::kNone && aggregation != Aggregation::kSimple) {
    pieces = words_of(pieces, aggregation);
  }
  const std::vector<std::string>& labels = model.spec().labels;
  std::vector<Entity> entities;
  std::vector<int32_t> ids;  // of the entity under way
  std::vector<std::string> unknown;
  double sum = 0;
  int count = 0;
  const auto label_of = [&](const Piece& piece) { return labels[static_cast<size_t>(model::argmax(piece.scores))]; };
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    const std::string label = label_of(piece);
    const float score = largest(piece.scores);
    if (aggregation == Aggregation::kNone) {
      const std::string token(model.tokenizer().id_to_token(piece.ids[0]));
      entities.push_back(
          {label, score, piece.index, piece.unknown[0].empty() ? token : piece.unknown[0], piece.start, piece.end});
      continue;
    }
    const auto [begins, tag] = tag_of(label);
    const bool same = i > 0 && !begins && tag == tag_of(label_of(pieces[i - 1])).second;
    if (!same) {
      const size_t dash = label.find('-');
      entities.push_back(
          {dash == std::string::npos ? label : label.substr(dash + 1), 0, piece.index, "", piece.start, piece.end});
      ids.clear();
      unknown.clear();
      sum = 0;
      count = 0;
    }
    Entity& entity = entities.back();
    ids.insert(ids.end(), piece.ids.begin(), piece.ids.end());
    unknown.insert(unknown.end(), piece.unknown.begin(), piece.unknown.end());
    sum += score;
    ++count;
    entity.score = static_cast<float>(sum / count);
    entity.word = spelled(model.tokenizer(), ids, unknown);
    entity.end = piece.end;
  }
  return entities;
}

}  // namespace

std::vector<std::vector<Entity>> find_entities(TaskModel& model, std::span<const std::string> texts,
                                               Aggregation aggregation, std::span<const std::string> ignore) {
  require_head(model.spec(), model::Head::kTokenClassification, "token classification");
  std::vector<Input> inputs;
  std::vector<std::vector<Piece>> pieces;
  for (const std::string& text : texts) {
    Encoded encoded = encode(model, text);
    inputs.push_back(std::move(encoded.input));
    pieces.push_back(std::move(encoded.pieces));
  }
  const std::vector<BatchResult> results = model.run(std::move(inputs));
  std::vector<std::vector<Entity>> all;
  for (size_t t = 0; t < texts.size(); ++t) {
    for (size_t i = 0; i < pieces[t].size(); ++i) {
      pieces[t][i].scores = scores_of(results[t].token_logits.row(static_cast<int>(i)), ScoreFunction::kSoftmax);
    }
    all.push_back(entities_of(model, std::move(pieces[t]), aggregation));
    std::erase_if(all.back(), [&](const Entity& entity) {
      return std::find(ignore.begin(), ignore.end(), entity.label) != ignore.end();
    });
  }
  return all;
}

}  // namespace slipway::engine
