// Training of WordPiece and Unigram against Hugging Face's trainers (tests/gold/make_tokenizer_training_gold.py):
// WordPiece by id where theirs has one outcome, Unigram to rounding until pieces are pruned.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"
#include "text/tokenizer.h"
#include "text/unicode.h"
#include "text/unigram_lattice.h"
#include "text/unigram_seeds.h"
#include "text/unigram_trainer.h"
#include "text/wordpiece_trainer.h"

namespace slipway::text {
namespace {

using base::Json;

const Json& gold() {
  static const Json json = [] {
    const std::string file = "tests/gold/tokenizer_training.json";
    return base::parse_json(base::read_file(tests::source_dir() / file), file);
  }();
  return json;
}

std::vector<std::string> texts_of(const Json& one) {
  return gold()["texts"][one["texts"].get<std::string>()].get<std::vector<std::string>>();
}

TrainedWordPiece train_wordpiece(const WordPieceTrainerOptions& options, const std::vector<std::string>& texts) {
  WordPieceTrainer trainer(options);
  for (const std::string& text : texts) {
    trainer.add(text);
  }
  base::SilentProgress silent;
  return trainer.train(silent);
}

TrainedUnigram train_unigram_on(const UnigramTrainerOptions& options, const std::vector<std::string>& texts) {
  UnigramTrainer trainer(options);
  for (const std::string& text : texts) {
    trainer.add(text);
  }
  base::SilentProgress silent;
  return trainer.train(silent);
}

TEST(WordPieceTrainer, LearnsTheSameVocabulary) {
  ASSERT_EQ(gold()["wordpiece"].size(), 6U);
  int exact = 0;
  for (const Json& one : gold()["wordpiece"]) {
    SCOPED_TRACE(one["texts"].get<std::string>() + " " + std::to_string(one["vocab_size"].get<int>()));
    WordPieceTrainerOptions options;
    options.vocab_size = one["vocab_size"].get<int>();
    options.min_frequency = one["min_frequency"].get<int64_t>();
    options.limit_alphabet = one["limit_alphabet"].get<int>();
    options.normalizer.lowercase = options.normalizer.strip_accents = one["lowercase"].get<bool>();
    const std::vector<std::string> texts = texts_of(one);
    const TrainedWordPiece trained = train_wordpiece(options, texts);
    if (!one.contains("exact")) {
      // Which of the rarest characters fit into the alphabet is left to chance there; what every run has must be here.
      const std::set<std::string> ours(trained.tokens.begin(), trained.tokens.end());
      for (const Json& token : one["always"]) {
        EXPECT_TRUE(ours.contains(token.get<std::string>())) << token;
      }
      EXPECT_GT(one["always"].size(), 200U);
    } else {
      ++exact;
      WordPieceTrainerOptions marked = options;
      marked.special_tokens = one["special"].get<std::vector<std::string>>();
      EXPECT_EQ(train_wordpiece(marked, texts).tokens, one["exact"].get<std::vector<std::string>>());
    }
    const auto tokenizer = parse_tokenizer(trained_tokenizer_json(trained, options), "trained");
    Encoding out;
    tokenizer->encode(texts[0], {}, out);
    EXPECT_EQ(tokenizer->id_to_token(out.ids.front()), "[CLS]");
    EXPECT_EQ(tokenizer->id_to_token(out.ids.back()), "[SEP]");
  }
  EXPECT_EQ(exact, 5);
}

TEST(WordPieceTrainer, NeedsAnUnknownToken) {
  WordPieceTrainerOptions options;
  options.special_tokens = {"[PAD]"};
  EXPECT_THROW(WordPieceTrainer{options}, base::Error);
  options.special_tokens = {"[UNK]"};
  options.vocab_size = 0;
  EXPECT_THROW(WordPieceTrainer{options}, base::Error);
}

UnigramTrainerOptions unigram_options(const Json& o) {
  UnigramTrainerOptions options;
  options.vocab_size = o["vocab_size"].get<int>();
  options.special_tokens = o.value("special_tokens", std::vector<std::string>());
  options.unk_token = o.value("unk_token", "");
  options.max_piece_length = o.value("max_piece_length", options.max_piece_length);
  options.shrinking_factor = o.value("shrinking_factor", options.shrinking_factor);
  options.n_sub_iterations = o.value("n_sub_iterations", options.n_sub_iterations);
  return options;
}

// Natural log of the probability of the words' best cuts.
double likelihood(const std::vector<ScoredPiece>& pieces, const std::vector<std::string>& texts) {
  std::vector<ScoredPiece> scored = {{"", 0}};
  std::copy_if(pieces.begin(), pieces.end(), std::back_inserter(scored), [](const auto& p) { return p.score < 0; });
  const PieceSet set(scored);
  Lattice lattice(set);
  std::vector<int32_t> path;
  double sum = 0;
  for (const std::string& text : texts) {
    std::string marked = "▁";
    for (const char c : text) {
      marked += c == ' ' ? "▁" : std::string(1, c);
    }
    lattice.build(marked);
    lattice.best_path(false, path);
    for (const int32_t id : path) {
      sum += set.score(id);
    }
  }
  return sum;
}

// Without pruning, pieces and scores are the same. Pruning takes out others here and there, see unigram_trainer.h: the
// texts must stay nearly as likely, measured 1.4 % less at worst.
TEST(UnigramTrainer, LearnsTheSamePiecesAndScores) {
  constexpr double kRounding = 1e-6;
  constexpr double kLost = 0.01;  // characters that EM lost are apart by 0.0001 in the order of a hash table there
  ASSERT_EQ(gold()["unigram"].size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    const Json& one = gold()["unigram"][i];
    const UnigramTrainerOptions options = unigram_options(one["options"]);
    SCOPED_TRACE(one["texts"].get<std::string>() + " " + std::to_string(options.vocab_size));
    const TrainedUnigram trained = train_unigram_on(options, texts_of(one));
    EXPECT_EQ(trained.unk_id, one["unk_id"].is_null() ? -1 : one["unk_id"].get<int>());
    std::map<std::string, double> scores;
    for (const ScoredPiece& piece : trained.pieces) {
      scores[piece.piece] = piece.score;
    }
    ASSERT_EQ(scores.size(), trained.pieces.size());
    EXPECT_EQ(scores.size(), one["always"].size());
    ASSERT_TRUE(one["sometimes"].empty());
    std::vector<ScoredPiece> theirs;
    size_t common = 0;
    for (const Json& piece : one["always"]) {
      const auto name = piece[0].get<std::string>();
      theirs.push_back({name, piece[1].get<double>()});
      const auto found = scores.find(name);
      common += found != scores.end() ? 1 : 0;
      if (i < 2) {
        ASSERT_NE(found, scores.end()) << name;
        const bool lost = piece[2].get<double>() - piece[1].get<double>() > kRounding;
        EXPECT_NEAR(found->second, theirs.back().score, lost ? kLost : kRounding) << name;
      }
    }
    EXPECT_GE(static_cast<double>(common), 0.9 * static_cast<double>(theirs.size()));
    EXPECT_GE(likelihood(trained.pieces, texts_of(one)), 1.02 * likelihood(theirs, texts_of(one)));  // both negative
  }
}

TEST(UnigramTrainer, WritesATokenizerThatGivesTextsBack) {
  UnigramTrainerOptions options;
  options.vocab_size = 200;
  const auto texts = gold()["texts"]["syllables"].get<std::vector<std::string>>();
  const TrainedUnigram trained = train_unigram_on(options, texts);
  const std::string json = trained_tokenizer_json(trained, options);
  const auto tokenizer = parse_tokenizer(json, "trained");
  Encoding out;
  for (const std::string& text : texts) {
    tokenizer->encode(text, {}, out);
    EXPECT_EQ(tokenizer->decode(out.ids, true), text);
  }
  EXPECT_EQ(trained_tokenizer_json(train_unigram_on(options, texts), options), json);  // to the byte
}

TEST(UnigramTrainer, RefusesWhatCannotBe) {
  UnigramTrainerOptions options;
  base::SilentProgress silent;
  EXPECT_THROW(train_unigram_on(options, {}), base::Error);
  options.vocab_size = 3;
  EXPECT_THROW(train_unigram_on(options, {"abcdef"}), base::Error);
  options = {};
  options.shrinking_factor = 1;
  EXPECT_THROW(UnigramTrainer{options}, base::Error);
  options = {};
  options.special_tokens = {"<s>", "<s>"};
  EXPECT_THROW(UnigramTrainer{options}, base::Error);
}

// Every substring that two characters follow, or a character and a word's end, with its number of places: by counting.
TEST(UnigramSeeds, AreTheSubstringsWithTwoContinuations) {
  const std::vector<CountedWord> words = {{"ab", 5},   {"abab", 1},    {"abc", 2},
                                          {"babc", 1}, {"cababab", 3}, {"日本日本語", 2}};
  constexpr size_t kMax = 3;
  std::map<std::u32string, std::multiset<std::u32string>> follows;  // what comes after each place
  for (const auto& [word, count] : words) {
    const std::u32string chars = to_utf32(word) + U'\0';
    for (size_t at = 0; at < chars.size(); ++at) {
      for (size_t n = 2; n <= kMax && at + n < chars.size(); ++n) {
        follows[chars.substr(at, n)].insert(chars.substr(at + n, 1));
      }
    }
  }
  std::map<std::string, double> expected;
  for (const auto& [piece, next] : follows) {
    if (std::set<std::u32string>(next.begin(), next.end()).size() >= 2) {
      std::string name;
      for (const char32_t c : piece) {
        append_utf8(c, name);
      }
      expected[name] = static_cast<double>(next.size() * piece.size());
    }
  }
  std::map<std::string, double> found;
  double before = INFINITY;
  for (const Seed& seed : unigram_seeds(words, kMax, 1000)) {
    if (to_utf32(seed.piece).size() > 1) {
      found[seed.piece] = seed.weight;
      EXPECT_LE(seed.weight, before);
      before = seed.weight;
    }
  }
  EXPECT_EQ(found, expected);
  EXPECT_FALSE(expected.empty());
}

// Long words leave the range of products of probabilities; their expected counts then come from logarithms.
TEST(UnigramLattice, CountsTheSameInLogarithms) {
  const PieceSet set({{"", 0}, {"a", -3.0}, {"ab", -4.0}, {"b", -2.5}, {"aba", -6.0}});
  Lattice lattice(set);
  std::vector<double> once(set.size());
  lattice.build("ab?");
  lattice.add_expected(2, once);
  // "ab?" is ab ? or a b ?; the unknown character has the same part in both.
  const double together = std::exp(-4.0) / (std::exp(-4.0) + std::exp(-5.5));
  EXPECT_NEAR(once[2], 2 * together, 1e-12);
  EXPECT_NEAR(once[1], 2 * (1 - together), 1e-12);
  EXPECT_NEAR(once[0], 2, 1e-12);
  std::string word;
  for (int i = 0; i < 400; ++i) {
    word += "ab?";
  }
  std::vector<double> many(set.size());
  lattice.build(word);
  lattice.add_expected(2, many);
  for (size_t id = 0; id < 4; ++id) {  // no piece crosses the unknown characters
    EXPECT_NEAR(many[id], 400 * once[id], 1e-7) << id;
  }
}

TEST(WordCounts, ForgetsTheRarestWhenFull) {
  WordCounts counts(8);
  for (int i = 0; i < 8; ++i) {
    counts.add("frequent" + std::to_string(i % 2), 10);
    counts.add("rare" + std::to_string(i));
  }
  EXPECT_LE(counts.size(), 8U);
  EXPECT_GT(counts.forgotten(), 0);
  const auto kept = counts.sorted();
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(),
                          [](const auto& word) { return word.first == "frequent1" && word.second == 40; }));
}

// Texts are counted in parts between spaces; the words are those of the whole text.
TEST(TextWords, AreThoseOfTheWholeText) {
  const std::string normalizer = R"({"type":"Sequence","normalizers":[{"type":"Nmt"},{"type":"NFKC"}]})";
  const std::string metaspace = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true})";
  for (const Json& text : gold()["texts"]["lines"]) {
    const auto line = text.get<std::string>();
    TextWords parts(parse_normalizer(base::parse_json(normalizer, "n"), "n"),
                    parse_pre_tokenizer(base::parse_json(metaspace, "p"), "p"), 1000);
    parts.add(line);
    AlignedText aligned = AlignedText::decode(line, 0);
    parse_normalizer(base::parse_json(normalizer, "n"), "n")->apply(aligned);
    std::vector<CharSpan> spans = {{0, static_cast<uint32_t>(aligned.size())}};
    std::map<std::string, int64_t> whole;
    if (aligned.size() > 0) {
      parse_pre_tokenizer(base::parse_json(metaspace, "p"), "p")->split(aligned, spans, true);
      for (const CharSpan span : spans) {
        std::string word;
        aligned.encode(span.begin, span.end, word, nullptr);
        ++whole[word];
      }
    }
    const auto words = parts.words().sorted();
    EXPECT_EQ((std::map<std::string, int64_t>(words.begin(), words.end())), whole) << line;
  }
}

}  // namespace
}  // namespace slipway::text
