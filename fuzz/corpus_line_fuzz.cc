// A line of a corpus: what is read is written back and reads the same again, its text is cut into tokens inside its bounds, and
// every family of signals comes to an end with finite numbers.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/jsonl_line.h"
#include "data/quality.h"
#include "text/english_words.h"
#include "text/unicode.h"

namespace {

void check(bool ok) {
  if (!ok) {
    __builtin_trap();
  }
}

void scan(const std::string& text) {
  static slipway::text::EnglishWords words;
  static std::vector<slipway::text::WebToken> tokens;
  const bool ends_in_space = words.scan(text, tokens);
  uint64_t end = 0;
  for (const auto& token : tokens) {
    check(token.begin >= end && token.size > 0 && token.chars > 0 && token.chars <= token.size);
    end = uint64_t{token.begin} + token.size;
  }
  check(end <= text.size());
  check(slipway::text::count_sentences(tokens, ends_in_space) <= tokens.size() + 1);
}

void judge(std::string text) {
  using namespace slipway::data;  // NOLINT: a fuzz target
  static QualityScanner scanner = [] {
    QualityOptions options = quality_preset("fineweb");
    options.all_signals = true;
    options.bad_words = {"bad", "two words", "\xF0\x9F\x96\x95"};
    options.stop_words = {"the", "of"};
    return QualityScanner(options);
  }();
  const size_t size = text.size();
  Signals signals;
  const Verdict verdict = scanner.judge(text, signals);
  check(verdict.keep() ? text.size() <= size : text.size() == size);
  for (size_t i = 0; i < kSignals; ++i) {
    check(!std::isinf(signals[static_cast<Signal>(i)]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  static slipway::data::JsonlLine reader("text", "id");
  if (reader.read(line).empty()) {
    const std::string text = reader.text();
    for (const bool changed : {true, false}) {
      std::string out;
      reader.read(line);
      reader.write(changed, ",\"reason\":\"x\"", out);
      // Half of a surrogate pair is let through as Python does, which the general parser refuses.
      check(slipway::base::Json::accept(out) || out.find("\\u") != std::string::npos);
      out.pop_back();
      check(reader.read(out).empty() && reader.text() == text);
    }
  }
  const std::string text = slipway::text::sanitize_utf8(line);
  scan(text);
  static slipway::text::EnglishWords words;  // broken bytes must not lead out of the text either
  static std::vector<slipway::text::WebToken> tokens;
  words.scan(line, tokens);
  judge(text);
  return 0;
}
