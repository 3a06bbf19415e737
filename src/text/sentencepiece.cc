#include "text/sentencepiece.h"

#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/bpe.h"
#include "text/proto_reader.h"
#include "text/unicode.h"
#include "text/unigram.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using Type = SentencePieceModel::Type;

constexpr size_t kMaxPieces = Vocabulary::kMaxId;

// The better the score the lower the rank; equal scores are of equal rank.
std::vector<uint32_t> ranks_of(const SentencePieceModel& model) {
  std::vector<float> scores = model.scores;
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::vector<uint32_t> ranks(model.scores.size(), MergeTable::kNone);
  for (size_t id = 0; id < ranks.size(); ++id) {
    if (model.types[id] == Type::kNormal || model.types[id] == Type::kUnused) {
      ranks[id] = static_cast<uint32_t>(
          std::lower_bound(scores.begin(), scores.end(), model.scores[id], std::greater<>()) - scores.begin());
    }
  }
  return ranks;
}

std::unique_ptr<TokenModel> make_unigram(const SentencePieceModel& model, const Vocabulary& vocabulary,
                                         const std::string& source) {
  std::vector<Unigram::Kind> kinds;
  for (const Type type : model.types) {
    kinds.push_back(type == Type::kNormal        ? Unigram::Kind::kNormal
                    : type == Type::kUserDefined ? Unigram::Kind::kUserDefined
                    : type == Type::kUnused      ? Unigram::Kind::kUnused
                                                 : Unigram::Kind::kNone);
  }
  const UnigramOptions options{model.unk_id, model.byte_fallback, true};
  return std::make_unique<Unigram>(options, std::vector<double>(model.scores.begin(), model.scores.end()), kinds,
                                   vocabulary, source);
}

void read_piece(std::string_view bytes, const std::string& source, SentencePieceModel& model) {
  std::string piece;
  float score = 0;
  auto type = static_cast<int64_t>(Type::kNormal);
  for (ProtoReader reader(bytes, source); reader.next();) {
    switch (reader.field()) {
      case 1: piece = reader.bytes(); break;
      case 2: score = reader.number(); break;
      case 3: type = reader.integer(); break;
      default: break;
    }
  }
  const size_t id = model.pieces.size();
  if (id >= kMaxPieces) {
    throw Error(Code::kInvalid, fmt::format("{}: more than {} pieces", source, kMaxPieces));
  }
  if (!is_valid_utf8(piece) || piece.empty() || !std::isfinite(score) || type < 1 || type > 6) {
    throw Error(Code::kInvalid, fmt::format("{}: piece {} is broken: text '{}', score {}, type {}", source, id,
                                            sanitize_utf8(piece).substr(0, 100), score, type));
  }
  model.pieces.push_back(std::move(piece));
  model.scores.push_back(score);
  model.types.push_back(static_cast<Type>(type));
}

struct TrainerSpec {
  int64_t type = 1;
  int64_t bos_id = 1;
  int64_t eos_id = 2;
};

void read_trainer(std::string_view bytes, const std::string& source, SentencePieceModel& model, TrainerSpec& spec) {
  for (ProtoReader reader(bytes, source); reader.next();) {
    switch (reader.field()) {
      case 3: spec.type = reader.integer(); break;
      case 24: model.normalizer.treat_whitespace_as_suffix = reader.boolean(); break;
      case 35: model.byte_fallback = reader.boolean(); break;
      case 41: spec.bos_id = static_cast<int32_t>(reader.integer()); break;
      case 42: spec.eos_id = static_cast<int32_t>(reader.integer()); break;
      default: break;
    }
  }
}

void read_normalizer(std::string_view bytes, const std::string& source, SentencePieceModel& model) {
  for (ProtoReader reader(bytes, source); reader.next();) {
    switch (reader.field()) {
      case 2: model.charsmap = reader.bytes(); break;
      case 3: model.normalizer.add_dummy_prefix = reader.boolean(); break;
      case 4: model.normalizer.remove_extra_whitespaces = reader.boolean(); break;
      case 5: model.normalizer.escape_whitespaces = reader.boolean(); break;
      default: break;
    }
  }
}

}  // namespace

std::unique_ptr<TokenizerParts> sentencepiece_parts(const SentencePieceModel& model, const std::string& source) {
  auto parts = std::make_unique<TokenizerParts>();
  std::vector<std::string> symbols;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    parts->vocabulary.add(model.pieces[id], static_cast<int64_t>(id), source);
    const Type type = model.types[id];
    if (type == Type::kControl || type == Type::kUnknown) {
      parts->special_ids.push_back(static_cast<int32_t>(id));
    } else if (type == Type::kUserDefined) {
      symbols.push_back(model.pieces[id]);
      if (!model.unigram) {
        AddedToken token;
        token.id = static_cast<int32_t>(id);
        token.content = model.pieces[id];
        parts->symbols.push_back({token.content, token});
      }
    }
  }
  parts->vocabulary.build(source);
  parts->normalizer =
      std::make_unique<SentencePieceNormalizer>(model.normalizer, CharsMap(model.charsmap, source), symbols);
  if (model.unigram) {
    parts->model = make_unigram(model, parts->vocabulary, source);
  } else {
    BpeOptions options;
    options.unk_token = model.unk_id < 0 ? "" : model.pieces[static_cast<size_t>(model.unk_id)];
    options.fuse_unk = true;
    options.byte_fallback = model.byte_fallback;
    parts->model =
        std::make_unique<Bpe>(options, merges_by_rank(parts->vocabulary, ranks_of(model)), parts->vocabulary, source);
  }
  parts->decoder = make_sentencepiece_decoder(model.normalizer.add_dummy_prefix ? 1 : 0);
  return parts;
}

std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view bytes, const SideOptions& side,
                                               const std::string& source) {
  SentencePieceModel model;
  TrainerSpec trainer;
  for (ProtoReader reader(bytes, source); reader.next();) {
    switch (reader.field()) {
      case 1: read_piece(reader.bytes(), source, model); break;
      case 2: read_trainer(reader.bytes(), source, model, trainer); break;
      case 3: read_normalizer(reader.bytes(), source, model); break;
      default: break;
    }
  }
  if (model.pieces.empty()) {
    throw Error(Code::kInvalid, source + ": has no pieces; is it a SentencePiece model?");
  }
  if (trainer.type != 1 && trainer.type != 2) {
    throw Error(Code::kInvalid, fmt::format("{}: a SentencePiece model of type {}; supported: 1 (unigram), 2 (bpe)",
                                            source, trainer.type));
  }
  model.unigram = trainer.type == 1;
  const auto unknown = std::find(model.types.begin(), model.types.end(), Type::kUnknown);
  if (unknown == model.types.end()) {
    throw Error(Code::kInvalid, source + ": has no unknown piece");
  }
  model.unk_id = static_cast<int32_t>(unknown - model.types.begin());
  auto parts = sentencepiece_parts(model, source);
  const auto ids = [&](bool wanted, int64_t id) {
    const bool there = id >= 0 && id < static_cast<int64_t>(model.pieces.size());
    return wanted && there ? std::vector<int32_t>{static_cast<int32_t>(id)} : std::vector<int32_t>();
  };
  parts->frame = make_frame(ids(side.add_bos, trainer.bos_id), ids(side.add_eos, trainer.eos_id), {});
  return assemble_tokenizer(std::move(parts), source);
}

}  // namespace slipway::text
