#include "text/tagger.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "text/lemma_edit.h"
#include "text/sequence_trainer.h"

namespace slipway::text {
namespace {

using Tags = std::vector<std::string>;

std::vector<TagSpan> spans(const Tags& tags) {
  static thread_local Tags kept;  // spans are views of it
  kept = tags;
  const std::vector<std::string_view> views(kept.begin(), kept.end());
  std::vector<TagSpan> out;
  spans_of_tags(views, out);
  return out;
}

TEST(TagScheme, SpansOfBrokenSequencesAreThoseOfConlleval) {
  EXPECT_EQ(spans({"B-A", "I-A", "O", "I-B", "I-B"}), (std::vector<TagSpan>{{0, 2, "A"}, {3, 5, "B"}}));
  EXPECT_EQ(spans({"I-A", "I-B", "B-B", "I-B"}), (std::vector<TagSpan>{{0, 1, "A"}, {1, 2, "B"}, {2, 4, "B"}}));
  EXPECT_EQ(spans({"S-A", "B-A", "E-A", "E-A"}), (std::vector<TagSpan>{{0, 1, "A"}, {1, 3, "A"}, {3, 4, "A"}}));
  EXPECT_EQ(spans({"B", "I", "O"}), (std::vector<TagSpan>{{0, 2, ""}}));
  EXPECT_TRUE(spans({}).empty());
}

TEST(TagScheme, EverySchemeGivesItsSpansBack) {
  base::Rng random(7, "spans");
  const Tags types = {"PER", "LOC"};
  for (int round = 0; round < 200; ++round) {
    std::vector<TagSpan> truth;
    size_t at = 0;
    const size_t count = 1 + random.below(12);
    while (at < count) {
      const size_t length = std::min(count - at, 1 + random.below(3));
      if (random.below(2) == 0) {
        truth.push_back({at, at + length, types[random.below(2)]});
      }
      at += length;
    }
    for (const TagScheme scheme : {TagScheme::kIob1, TagScheme::kIob2, TagScheme::kBioes, TagScheme::kBmes}) {
      EXPECT_EQ(spans(tags_of_spans(truth, count, scheme)), truth) << scheme_name(scheme) << " round " << round;
    }
  }
}

TEST(TagScheme, TellsSchemesApart) {
  const auto scheme_of = [](const Tags& tags) {
    SchemeDetector detector;
    detector.see(std::vector<std::string_view>(tags.begin(), tags.end()));
    return detector.scheme();
  };
  EXPECT_EQ(scheme_of({"I-A", "I-A", "O", "I-B", "B-B"}), TagScheme::kIob1);
  EXPECT_EQ(scheme_of({"B-A", "I-A", "O"}), TagScheme::kIob2);
  EXPECT_EQ(scheme_of({"B-A", "I-A", "E-A", "S-A"}), TagScheme::kBioes);
  EXPECT_EQ(scheme_of({"B-A", "M-A", "E-A"}), TagScheme::kBmes);
}

TEST(LemmaEdit, MakesTheLemmaAndGeneralises) {
  const std::pair<const char*, const char*> cases[] = {{"houses", "house"}, {"Running", "run"},   {"was", "be"},     {"Paris", "Paris"}, {"UN", "UN"},
                                                       {"THE", "the"},      {"ÉTÉ", "été"},       {"paris", "Paris"}, {"x", "x"},         {"走了", "走"}};
  for (const auto& [form, lemma] : cases) {
    EXPECT_EQ(apply_lemma_edit(form, lemma_edit(form, lemma)), lemma) << form;
  }
  EXPECT_EQ(lemma_edit("houses", "house"), lemma_edit("cars", "car"));
  EXPECT_EQ(apply_lemma_edit("cat", "k|9|x"), "cat");
  EXPECT_EQ(apply_lemma_edit("cat", "nonsense"), "cat");
  EXPECT_EQ(apply_lemma_edit("cat", "k|3|"), "cat");
}

// The best path by trying all of them.
TEST(Viterbi, IsTheBestOfAllPaths) {
  base::Rng random(3, "viterbi");
  const Tags labels = {"O", "B-x", "I-x", "E-x", "S-x"};
  const SequenceRules rules = rules_of(SequenceTask::kEntities, labels);
  for (int round = 0; round < 50; ++round) {
    const size_t n = 1 + random.below(5);
    std::vector<int32_t> scores(n * 5);
    std::vector<int32_t> transitions(25);
    std::generate(scores.begin(), scores.end(), [&] { return static_cast<int32_t>(random.below(100)); });
    std::generate(transitions.begin(), transitions.end(), [&] { return static_cast<int32_t>(random.below(100)); });
    std::vector<uint8_t> back;
    std::vector<int32_t> best;
    std::vector<uint8_t> path;
    viterbi<int32_t>(rules, scores, transitions, n, back, best, path);
    const auto value = [&](const std::vector<uint8_t>& p) -> int64_t {
      if (rules.first[p[0]] == 0 || rules.last[p[n - 1]] == 0) {
        return -1;
      }
      int64_t sum = scores[p[0]];
      for (size_t i = 1; i < n; ++i) {
        const std::vector<uint8_t>& before = rules.before[p[i]];
        if (std::find(before.begin(), before.end(), p[i - 1]) == before.end()) {
          return -1;
        }
        sum += scores[i * 5 + p[i]] + transitions[p[i - 1] * 5U + p[i]];
      }
      return sum;
    };
    int64_t top = -1;
    std::vector<uint8_t> p(n, 0);
    for (size_t code = 0; code < static_cast<size_t>(std::pow(5, n)); ++code) {
      size_t rest = code;
      for (uint8_t& label : p) {
        label = static_cast<uint8_t>(rest % 5);
        rest /= 5;
      }
      top = std::max(top, value(p));
    }
    ASSERT_EQ(value(path), top) << "round " << round;
  }
}

TEST(ChainMarginals, AreTheSumsOverAllPaths) {
  base::Rng random(5, "marginals");
  const Tags labels = {"O", "B-x", "I-x", "E-x", "S-x"};
  const SequenceRules rules = rules_of(SequenceTask::kEntities, labels);
  for (int round = 0; round < 30; ++round) {
    const size_t n = 1 + random.below(5);
    std::vector<int32_t> scores(n * 5);
    std::vector<int32_t> transitions(25);
    std::generate(scores.begin(), scores.end(), [&] { return static_cast<int32_t>(random.below(100)) - 50; });
    std::generate(transitions.begin(), transitions.end(), [&] { return static_cast<int32_t>(random.below(100)) - 50; });
    const double scale = 0.03;
    std::vector<double> want(n * 5, 0);
    double all = 0;
    std::vector<uint8_t> path(n, 0);
    for (size_t code = 0; code < static_cast<size_t>(std::pow(5, n)); ++code) {
      size_t rest = code;
      for (uint8_t& label : path) {
        label = static_cast<uint8_t>(rest % 5);
        rest /= 5;
      }
      bool allowed = rules.first[path[0]] != 0 && rules.last[path[n - 1]] != 0;
      double sum = scores[path[0]];
      for (size_t i = 1; i < n; ++i) {
        const std::vector<uint8_t>& before = rules.before[path[i]];
        allowed = allowed && std::find(before.begin(), before.end(), path[i - 1]) != before.end();
        sum += scores[i * 5 + path[i]] + transitions[path[i - 1] * 5U + path[i]];
      }
      if (allowed) {
        all += std::exp(scale * sum);
        for (size_t i = 0; i < n; ++i) {
          want[i * 5 + path[i]] += std::exp(scale * sum);
        }
      }
    }
    std::vector<double> p;
    chain_marginals(rules, scores, transitions, n, scale, p);
    ASSERT_EQ(p.size(), want.size());
    for (size_t i = 0; i < p.size(); ++i) {
      ASSERT_NEAR(p[i], want[i] / all, 1e-12) << "round " << round << ", " << i;
    }
  }
  std::vector<double> none = {1};
  chain_marginals(rules, {}, std::vector<int32_t>(25), 0, 1, none);
  EXPECT_TRUE(none.empty());
}

// A language of two words: what follows "the" is a noun, what follows "they" a verb.
struct Grammar {
  std::vector<std::vector<std::string>> sentences;
  std::vector<std::vector<uint8_t>> gold;
  SequenceDescription description;

  Grammar() {
    description.task = SequenceTask::kPos;
    description.labels = {"DET", "NOUN", "PRON", "VERB", "ADJ"};
    base::Rng random(5, "grammar");
    const Tags words = {"fish", "run", "walk", "play"};
    for (int i = 0; i < 60; ++i) {
      const bool noun = random.below(2) == 0;
      sentences.push_back({noun ? "the" : "they", words[random.below(words.size())], "fast"});
      gold.push_back({static_cast<uint8_t>(noun ? 0 : 2), static_cast<uint8_t>(noun ? 1 : 3), 4});
    }
  }
  std::string train(uint64_t seed, const std::string& algorithm = "passive-aggressive") const {
    SequenceTrainOptions options;
    options.seed = seed;
    options.algorithm = algorithm;
    const SequenceReader reader(description.task, nullptr);
    SequenceReader::Scratch scratch;
    SequenceTrainer trainer(description, gold, [&](size_t i, FeatureList& features) {
      reader.tokens(std::vector<std::string_view>(sentences[i].begin(), sentences[i].end()), {}, scratch, features);
    }, options);
    for (int epoch = 0; epoch < 4; ++epoch) {
      trainer.epoch();
    }
    return trainer.model();
  }
};

TEST(Tagger, LearnsFromContext) {
  const Grammar grammar;
  for (const char* algorithm : {"passive-aggressive", "perceptron"}) {
    const Tagger tagger(SequenceModel::from_bytes(grammar.train(1, algorithm), "test"), nullptr);
    Tagger::Scratch scratch;
    Tags tags;
    const std::vector<std::string_view> noun = {"the", "run", "fast"};
    const std::vector<std::string_view> verb = {"they", "run", "fast"};
    tagger.tag(noun, {}, scratch, tags);
    EXPECT_EQ(tags, (Tags{"DET", "NOUN", "ADJ"})) << algorithm;
    tagger.tag(verb, {}, scratch, tags);
    EXPECT_EQ(tags, (Tags{"PRON", "VERB", "ADJ"})) << algorithm;
    tagger.tag({}, {}, scratch, tags);
    EXPECT_TRUE(tags.empty());
  }
}

TEST(Tagger, TheSameSeedGivesTheSameBytes) {
  const Grammar grammar;
  EXPECT_EQ(grammar.train(1), grammar.train(1));
  EXPECT_NE(grammar.train(1), grammar.train(2));
}

TEST(Tagger, ADamagedModelIsRefused) {
  const std::string good = Grammar().train(1);
  const auto refused = [](const std::string& bad) { EXPECT_THROW(SequenceModel::from_bytes(bad, "test"), base::Error); };
  refused("");
  refused(good.substr(0, good.size() - 2));
  for (size_t at = 0; at < good.size(); at += 31) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x11);
    refused(bad);
  }
  EXPECT_THROW(SequenceModel::open("/no/such/model"), base::Error);
}

TEST(Tagger, SegmentsAndLosesNothing) {
  const Tags words = {"我们", "喜欢", "北京", "的", "天安门", "和", "电影院"};
  base::Rng random(11, "words");
  SequenceDescription description;
  description.task = SequenceTask::kSegment;
  description.labels = {"B", "M", "E", "S"};
  std::vector<std::string> texts;
  std::vector<std::vector<uint8_t>> gold;
  for (int i = 0; i < 200; ++i) {
    texts.emplace_back();
    gold.emplace_back();
    for (size_t k = 1 + random.below(6); k > 0; --k) {
      const std::string& word = words[random.below(words.size())];
      texts.back() += word;
      append_word_labels(word, gold.back());
    }
  }
  const SequenceReader reader(description.task, nullptr);
  SequenceReader::Scratch reading;
  SequenceTrainer trainer(description, gold, [&](size_t i, FeatureList& features) { reader.characters(texts[i], reading, features); }, {});
  for (int epoch = 0; epoch < 5; ++epoch) {
    trainer.epoch();
  }
  const Tagger tagger(SequenceModel::from_bytes(trainer.model(), "test"), nullptr);
  Tagger::Scratch scratch;
  std::vector<std::string_view> found;
  tagger.segment("我们喜欢天安门 的\t北京电影院", scratch, found);
  EXPECT_EQ(found, (std::vector<std::string_view>{"我们", "喜欢", "天安门", "的", "北京", "电影院"}));
  // Longer than one piece, and broken bytes: every byte but white space is in one word.
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += words[random.below(words.size())];
  }
  text += "\xE5\x8C 。\xFF";
  tagger.segment(text, scratch, found);
  std::string joined;
  for (const std::string_view word : found) {
    joined += word;
  }
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  EXPECT_EQ(joined, text);
  tagger.segment("", scratch, found);
  EXPECT_TRUE(found.empty());
}

TEST(Tagger, NeedsTheDictionaryThatItWasTrainedWith) {
  SequenceDescription description = Grammar().description;
  description.lexicon = 0x1234;
  const std::vector<float> transitions(25, 0.5F);
  const auto model = SequenceModel::from_bytes(write_sequence_model(description, std::vector<uint64_t>{77}, std::vector<float>{1, 0, 0, -2, 0}, transitions), "test");
  EXPECT_EQ(model->description().lexicon, 0x1234U);
  EXPECT_EQ(model->features(), 1U);
  EXPECT_THROW(Tagger(model, nullptr), base::Error);
}

}  // namespace
}  // namespace slipway::text
