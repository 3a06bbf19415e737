#include "data/quality.h"

#include <fmt/format.h>

#include "data/helpers.h"

namespace slipway::data {
namespace {

using base::Code;

struct Judged {
  std::string text;
  std::string reason;
  Signals signals;
};

Judged judge(const QualityOptions& options, const std::string& text) {
  QualityScanner scanner(options);
  Judged result;
  result.text = text;
  result.reason = scanner.judge(result.text, result.signals).reason;
  return result;
}

std::string sentence(int i) {
  return fmt::format("Sentence number {} is about the sea and of ships that have sails.", i);
}

std::string page(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) {
    text += sentence(i) + "\n";
  }
  return text;
}

// Long enough that no pair or row of words is much of it, and too short for Gopher.
const std::string kShort =
    "Every morning the fishing boats leave our harbour before dawn, and they return with silver herring, mackerel or cod, "
    "which buyers from distant towns inspect, weigh and carry off to be smoked, salted or sold in markets.";

TEST(Quality, ShortTextsAreGophers) {
  EXPECT_EQ(judge(quality_preset("gopher"), kShort).reason, "gopher_short_doc");
  EXPECT_EQ(judge(quality_preset("gopher"), "").reason, "empty");
}

TEST(Quality, ThresholdsAreSetAndTurnedOff) {
  QualityOptions options = quality_preset("gopher");
  options.set("min_doc_words", "3", "test");
  EXPECT_EQ(judge(options, kShort).reason, "");
  options.set("min_doc_words", "off", "test");
  options.set("max_avg_word_length", "4", "test");
  EXPECT_EQ(judge(options, kShort).reason, "gopher_above_avg_threshold");
  EXPECT_HAS(error_of(Code::kInvalid, [&] { options.set("min_doc_word", "3", "test"); }), "min_doc_words");
  EXPECT_HAS(error_of(Code::kInvalid, [&] { options.set("min_doc_words", "many", "test"); }), "number or off");
  EXPECT_HAS(error_of(Code::kInvalid, [&] { quality_preset("finweb"); }), "fineweb");
}

TEST(Quality, C4DropsLinesAndTellsWhichFaultCameFirst) {
  const std::string text = page(6) + "no end mark here\nPlease enable JavaScript.\n";
  const Judged kept = judge(quality_preset("c4"), text);
  EXPECT_EQ(kept.reason, "");
  EXPECT_EQ(kept.text + "\n", page(6));
  EXPECT_EQ(judge(quality_preset("c4"), "A {curly} bracket is here.\nLorem ipsum is there, too.\n" + page(6)).reason,
            "curly_bracket");
  EXPECT_EQ(judge(quality_preset("c4"), "Lorem ipsum is there, too.\nA {curly} bracket is here.\n" + page(6)).reason,
            "lorem_ipsum");
  EXPECT_EQ(judge(quality_preset("c4"), page(2)).reason, "too_few_sentences");
}

TEST(Quality, ADroppedTextIsAsItWas) {
  QualityOptions options = quality_preset("c4");
  options.set("min_num_sentences", "50", "test");
  EXPECT_EQ(judge(options, page(6) + "no end").text, page(6) + "no end");
}

TEST(Quality, BadWordsNeedBoundariesOnlyWhereThereAreSpaces) {
  QualityOptions options = quality_preset("c4");
  options.bad_words = {"ship"};
  EXPECT_EQ(judge(options, page(6)).reason, "");  // "ships"
  EXPECT_EQ(judge(options, page(6) + "One Ship, two.\n").reason, "document_removed_with_badwords");
  options.bad_words_language = "zh";
  EXPECT_EQ(judge(options, page(6)).reason, "document_removed_with_badwords");
}

TEST(Quality, AllSignalsAreThereWhateverThePreset) {
  QualityOptions options = quality_preset("dolma");
  options.all_signals = true;
  const Judged result = judge(options, page(12) + "a line without an end\n");
  for (size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    const bool wants_list = signal == Signal::kC4BadWords || signal == Signal::kDolmaC4Naughty ||
                            signal == Signal::kRpsBadWords || signal == Signal::kRpsStopWords;
    EXPECT_EQ(result.signals.has(signal), !wants_list) << signal_name(signal);
  }
  EXPECT_EQ(result.text, page(12) + "a line without an end\n");  // only a preset with C4 shortens
}

// A scanner goes from text to text; nothing of one may be left in the next.
TEST(Quality, ScannersForgetTheTextBefore) {
  QualityOptions options = quality_preset("fineweb");
  options.all_signals = true;
  QualityScanner used(options);
  base::Rng rng(8);
  for (int round = 0; round < 40; ++round) {
    std::string text = random_text(rng, rng.below(200)) + "\n" + (rng.below(2) == 0 ? page(3) : "");
    std::string copy = text;
    Signals first;
    Signals second;
    const Verdict verdict = used.judge(text, first);
    QualityScanner fresh(options);
    EXPECT_EQ(fresh.judge(copy, second).reason, verdict.reason);
    EXPECT_EQ(text, copy);
    for (size_t i = 0; i < kSignals; ++i) {
      const auto signal = static_cast<Signal>(i);
      EXPECT_TRUE(first[signal] == second[signal] || (!first.has(signal) && !second.has(signal)))
          << signal_name(signal);
    }
  }
}

TEST(Quality, HostileTextsEnd) {
  QualityOptions options = quality_preset("fineweb");
  options.all_signals = true;
  for (const std::string& text : {std::string(200000, '\n'), std::string(200000, '['), std::string(100000, ' ') + "x",
                                  std::string("\xE2"), std::string(1000, '\0'), std::string(50000, '@') + ".a"}) {
    EXPECT_NO_THROW(judge(options, text));
  }
}

}  // namespace
}  // namespace slipway::data
