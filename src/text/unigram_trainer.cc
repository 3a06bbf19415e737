#include "text/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "text/tokenizer_json_write.h"
#include "text/unicode.h"
#include "text/unigram_lattice.h"
#include "text/unigram_seeds.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr double kLeastExpected = 0.5;    // pieces expected less often are dropped (Kudo's trainer)
constexpr double kRequiredStep = 0.0001;  // between the scores of characters that EM lost

// The derivative of ln(gamma(x)), x > 0: by recurrence to 7 and the asymptotic series about x - 1/2.
double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) {
    result -= 1 / x;
  }
  x -= 0.5;
  const double xx = 1 / (x * x);
  const double xx2 = xx * xx;
  return result + std::log(x) + xx / 24 - 7.0 / 960 * xx2 + 31.0 / 8064 * xx2 * xx - 127.0 / 30720 * xx2 * xx2;
}

Json normalizer_json() {
  return {{"type", "Sequence"},
          {"normalizers", Json::array({{{"type", "Nmt"}},
                                       {{"type", "NFKC"}},
                                       {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}}})}};
}

Json metaspace_json() {
  return {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}};
}

class Learner {
 public:
  Learner(const UnigramTrainerOptions& options, const std::vector<CountedWord>& words)
      : options_(options),
        words_(words),
        wanted_(static_cast<size_t>(options.vocab_size) * 11 / 10),
        set_(first_pieces()) {}

  const PieceSet& run(base::Progress& progress) {
    progress.start("learn", expected_rounds(), "rounds");
    for (int64_t round = 0;;) {
      for (int i = 0; i < options_.n_sub_iterations; ++i) {
        maximise(expect());
        progress.update(++round, fmt::format("{} pieces", set_.size()));
      }
      if (set_.size() <= wanted_) {
        break;
      }
      prune();
    }
    progress.finish(fmt::format("{} pieces", set_.size()));
    return set_;
  }

 private:
  std::vector<ScoredPiece> first_pieces() const {
    const std::vector<Seed> seeds = unigram_seeds(words_, options_.max_piece_length, options_.seed_size);
    double sum = 0;
    for (const Seed& seed : seeds) {
      sum += seed.weight;
    }
    std::vector<ScoredPiece> pieces = {{"", 0}};
    for (const Seed& seed : seeds) {
      pieces.push_back({seed.piece, std::log(seed.weight) - std::log(sum)});
    }
    return pieces;
  }
  int64_t expected_rounds() const {
    const double prunings =
        std::log(static_cast<double>(wanted_) / static_cast<double>(set_.size())) / std::log(options_.shrinking_factor);
    return (static_cast<int64_t>(std::max(prunings, 0.0)) + 1) * options_.n_sub_iterations;
  }
  std::vector<double> expect() const {
    std::vector<double> expected(set_.size());
    Lattice lattice(set_);
    for (const auto& [word, count] : words_) {
      lattice.build(word);
      lattice.add_expected(static_cast<double>(count), expected);
    }
    return expected;
  }
  void maximise(const std::vector<double>& expected) {
    std::vector<int32_t> kept = {0};
    std::vector<double> scores = {0};
    double sum = 0;
    for (size_t id = 1; id < expected.size(); ++id) {
      if (expected[id] >= kLeastExpected) {
        kept.push_back(static_cast<int32_t>(id));
        scores.push_back(digamma(expected[id]));
        sum += expected[id];
      }
    }
    const double log_sum = digamma(sum);
    for (double& score : scores) {
      score -= log_sum;
    }
    set_.keep(kept, scores);
  }
  void prune();
  std::vector<std::vector<int32_t>> second_best(std::vector<bool>& always) const;

  const UnigramTrainerOptions& options_;
  const std::vector<CountedWord>& words_;
  size_t wanted_;
  PieceSet set_;
};

// How each piece is cut when it is not there itself; empty where nothing else is possible, or where it is not its own
// best cut anyway: those are dropped when the words' best cuts have no use for them.
std::vector<std::vector<int32_t>> Learner::second_best(std::vector<bool>& always) const {
  std::vector<std::vector<int32_t>> alternatives(set_.size());
  Lattice lattice(set_);
  std::vector<int32_t> path;
  for (size_t id = 1; id < set_.size(); ++id) {
    lattice.build(set_.pieces()[id].piece);
    lattice.best_path(false, path);
    always[id] = path.size() == 1;
    if (always[id]) {
      lattice.best_path(true, alternatives[id]);
    }
  }
  return alternatives;
}

// Keeps the pieces whose loss would cost the likelihood of the words' best cuts most, each as though its occurrences
// went to its second best cut.
void Learner::prune() {
  std::vector<bool> always(set_.size(), true);
  const std::vector<std::vector<int32_t>> alternatives = second_best(always);
  std::vector<double> count(set_.size());
  double words = 0;
  Lattice lattice(set_);
  std::vector<int32_t> path;
  for (const auto& [word, occurrences] : words_) {
    lattice.build(word);
    lattice.best_path(false, path);
    words += static_cast<double>(occurrences);
    for (const int32_t id : path) {
      count[static_cast<size_t>(id)] += static_cast<double>(occurrences);
    }
  }
  double sum = 0;
  for (const double c : count) {
    sum += c;
  }
  std::vector<ScoredPiece> kept = {set_.pieces()[0]};
  std::vector<std::pair<size_t, double>> losses;
  for (size_t id = 1; id < set_.size(); ++id) {
    if (count[id] == 0 && !always[id]) {
      continue;
    }
    if (alternatives[id].empty()) {
      kept.push_back(set_.pieces()[id]);
    } else if (count[id] > 0) {
      const double log_sum = std::log(sum + count[id] * static_cast<double>(alternatives[id].size() - 1));
      double without = 0;
      for (const int32_t other : alternatives[id]) {
        without += std::log(count[static_cast<size_t>(other)] + count[id]) - log_sum;
      }
      losses.emplace_back(id, count[id] / words * (std::log(count[id]) - std::log(sum) - without));
    }
  }
  std::stable_sort(losses.begin(), losses.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  const auto size =
      std::max(wanted_, static_cast<size_t>(static_cast<double>(set_.size()) * options_.shrinking_factor));
  for (const auto& [id, loss] : losses) {
    if (kept.size() >= size) {
      break;
    }
    kept.push_back(set_.pieces()[id]);
  }
  set_.reset(std::move(kept));
}

// The tokens that come before all pieces, in their order.
std::vector<std::string> first_tokens(const UnigramTrainerOptions& options) {
  std::vector<std::string> tokens = options.special_tokens;
  if (!options.unk_token.empty() && std::find(tokens.begin(), tokens.end(), options.unk_token) == tokens.end()) {
    tokens.insert(tokens.begin(), options.unk_token);
  }
  return tokens;
}

std::set<std::string> characters_of(const std::vector<CountedWord>& words, const std::string& alphabet) {
  std::set<std::string> characters;
  const auto add = [&](std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      const size_t size = decode_at(text, at).size;
      characters.emplace(text.substr(at, size));
      at += size;
    }
  };
  for (const auto& [word, count] : words) {
    add(word);
  }
  add(alphabet);
  return characters;
}

// The special tokens, then the characters and the first of the pieces by score.
TrainedUnigram finish(const UnigramTrainerOptions& options, const PieceSet& set,
                      const std::set<std::string>& characters) {
  TrainedUnigram trained;
  std::set<std::string> taken;
  for (const std::string& token : first_tokens(options)) {
    if (token == options.unk_token) {
      trained.unk_id = static_cast<int>(trained.pieces.size());
    }
    trained.pieces.push_back({token, 0});
    taken.insert(token);
  }
  std::unordered_map<std::string, double> scores;
  for (size_t id = 1; id < set.size(); ++id) {
    scores.emplace(set.pieces()[id].piece, set.pieces()[id].score);
  }
  std::vector<ScoredPiece> pieces;
  double lost = set.min_score();
  for (const std::string& character : characters) {
    if (!taken.insert(character).second) {
      continue;
    }
    const auto known = scores.find(character);
    pieces.push_back({character, known != scores.end() ? known->second : lost});
    lost += known != scores.end() ? 0 : kRequiredStep;
  }
  const size_t room = static_cast<size_t>(options.vocab_size) - trained.pieces.size();
  for (size_t id = 1; id < set.size() && pieces.size() < room; ++id) {
    if (taken.insert(set.pieces()[id].piece).second) {
      pieces.push_back(set.pieces()[id]);
    }
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const ScoredPiece& a, const ScoredPiece& b) { return a.score > b.score; });
  trained.pieces.insert(trained.pieces.end(), pieces.begin(), pieces.end());
  return trained;
}

}  // namespace

UnigramTrainer::UnigramTrainer(const UnigramTrainerOptions& options)
    : options_(options),
      texts_(parse_normalizer(normalizer_json(), "unigram"), parse_pre_tokenizer(metaspace_json(), "unigram"),
             options.max_words) {
  const auto& specials = options_.special_tokens;
  if (std::set<std::string>(specials.begin(), specials.end()).size() != specials.size()) {
    throw Error(Code::kInvalid, "a special token is named twice");
  }
  if (std::find(specials.begin(), specials.end(), "") != specials.end()) {
    throw Error(Code::kInvalid, "a special token is empty");
  }
  if (!(options_.shrinking_factor > 0 && options_.shrinking_factor < 1) || options_.n_sub_iterations < 1 ||
      options_.max_piece_length < 1 || options_.seed_size < 1) {
    throw Error(
        Code::kInvalid,
        "shrinking_factor must be between 0 and 1; n_sub_iterations, max_piece_length and seed_size at least 1");
  }
}

TrainedUnigram UnigramTrainer::train(base::Progress& progress) const {
  const WordCounts counts = texts_.words();
  TrainedUnigram trained = train_unigram(options_, counts.sorted(), progress);
  trained.distinct_words = static_cast<int64_t>(counts.size());
  trained.forgotten = texts_.forgotten() + counts.forgotten();
  return trained;
}

TrainedUnigram train_unigram(const UnigramTrainerOptions& options, const std::vector<CountedWord>& words,
                             base::Progress& progress) {
  if (words.empty()) {
    throw Error(Code::kInvalid, "there is no text to learn from");
  }
  const std::set<std::string> characters = characters_of(words, options.initial_alphabet);
  const size_t least = characters.size() + first_tokens(options).size();
  if (options.vocab_size < 0 || least > static_cast<size_t>(options.vocab_size)) {
    throw Error(Code::kInvalid,
                fmt::format("the texts have {} characters, with the special tokens {}; vocab_size is {}, "
                            "make it larger",
                            characters.size(), least, options.vocab_size));
  }
  Learner learner(options, words);
  return finish(options, learner.run(progress), characters);
}

std::string trained_tokenizer_json(const TrainedUnigram& trained, const UnigramTrainerOptions& options) {
  std::vector<std::string> tokens;
  Json vocab = Json::array();
  for (const ScoredPiece& piece : trained.pieces) {
    tokens.push_back(piece.piece);
    vocab.push_back(Json::array({piece.piece, piece.score}));
  }
  const Json unk_id = trained.unk_id < 0 ? Json() : Json(trained.unk_id);
  return tokenizer_json_text(
      tokens, options.special_tokens,
      {.normalizer = normalizer_json(),
       .pre_tokenizer = metaspace_json(),
       .post_processor = nullptr,
       .decoder = metaspace_json(),
       .model = {{"type", "Unigram"}, {"unk_id", unk_id}, {"vocab", vocab}, {"byte_fallback", false}}});
}

}  // namespace slipway::text
