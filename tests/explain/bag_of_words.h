// A small classifier whose answers are known in closed form: the bag-of-words model of the gold files.
#pragma once

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "model/predictor.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::tests {

class BagOfWords final : public model::Predictor {
 public:
  const std::vector<std::string>& labels() const override { return labels_; }
  model::Matrix logits(std::span<const std::string> texts) override {
    ++calls;
    model::Matrix out{static_cast<int>(texts.size()), 2, {}};
    for (const std::string& text : texts) {
      ++asked;
      seen.insert(text);
      out.values.push_back(0.0F);
      out.values.push_back(static_cast<float>(logit(text)));
    }
    return out;
  }
  model::Matrix embed(std::span<const std::string>) override { return {}; }

  static double logit(const std::string& text) {
    static const std::map<std::string, double> weights = {
        {"great", 1.6},     {"good", 0.9}, {"fast", 0.7},    {"support", 0.2}, {"slow", -1.1},
        {"terrible", -2.0}, {"not", -0.8}, {"refund", -0.5}, {"love", 1.8},    {"crash", -1.4}};
    std::set<std::string> words;
    for (const text::Span span : text::split_words(text)) {
      words.insert(text::lowercase(text::slice(text, span)));
    }
    double sum = -0.1;
    for (const std::string& word : words) {
      const auto found = weights.find(word);
      sum += found == weights.end() ? 0 : found->second;
    }
    sum += words.contains("not") && words.contains("good") ? -1.5 : 0;
    sum += words.contains("not") && words.contains("terrible") ? 2.2 : 0;
    return sum;
  }

  int calls = 0;
  int asked = 0;
  std::set<std::string> seen;

 private:
  std::vector<std::string> labels_ = {"negative", "positive"};
};

struct QuietContext {
  base::Pool pool{1};
  base::Log log;
  base::SystemClock clock;
  base::SilentProgress progress;
  std::stop_source stop;
  base::Context context{pool, log, clock, progress, stop.get_token()};
};

}  // namespace slipway::tests
