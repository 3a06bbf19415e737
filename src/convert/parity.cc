#include "convert/parity.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::convert {
namespace {

using base::Code;
using base::Error;

constexpr size_t kTextsPerCall = 256;  // between two looks at the stop token
constexpr size_t kShownTextBytes = 200;

// The beginning of a text, never half a character.
std::string shown(const std::string& text) {
  if (text.size() <= kShownTextBytes) {
    return text;
  }
  size_t end = kShownTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) {
    --end;
  }
  return text.substr(0, end) + "…";
}

void check_input(model::Predictor& reference, model::Predictor& candidate, std::span<const std::string> texts,
                 std::span<const int> truth) {
  if (texts.empty()) {
    throw Error(Code::kInvalid, "a parity check needs at least one text");
  }
  if (!truth.empty() && truth.size() != texts.size()) {
    throw Error(Code::kInvalid, fmt::format("a parity check got {} texts but {} labels", texts.size(), truth.size()));
  }
  if (reference.labels().empty() || reference.labels() != candidate.labels()) {
    throw Error(Code::kInvalid, "a parity check needs two classifiers with the same labels in the same order");
  }
}

model::Matrix timed_logits(model::Predictor& predictor, std::span<const std::string> texts, double& seconds) {
  const double started = base::monotonic_seconds();
  model::Matrix logits = predictor.logits(texts);
  seconds += base::monotonic_seconds() - started;
  return logits;
}

double largest_difference(std::span<const float> a, std::span<const float> b) noexcept {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - b[i]);
    // A NaN on one side only must not pass as agreement.
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  return largest;
}

}  // namespace

Parity compare(model::Predictor& reference, model::Predictor& candidate, std::span<const std::string> texts,
               std::span<const int> truth, base::Context& context, const stats::BootstrapOptions& options) {
  check_input(reference, candidate, texts, truth);
  Parity parity;
  parity.n = static_cast<int64_t>(texts.size());
  double total_difference = 0;
  int64_t values = 0;
  int64_t agreed = 0;
  std::vector<double> reference_right;
  std::vector<double> candidate_right;
  context.progress.start("compare", parity.n, "texts");
  for (size_t begin = 0; begin < texts.size(); begin += kTextsPerCall) {
    base::check_stop(context, "the comparison of two models");
    const size_t count = std::min(kTextsPerCall, texts.size() - begin);
    model::Matrix a = timed_logits(reference, texts.subspan(begin, count), parity.seconds_reference);
    model::Matrix b = timed_logits(candidate, texts.subspan(begin, count), parity.seconds_candidate);
    for (int i = 0; i < a.rows; ++i) {
      const double difference = largest_difference(a.row(i), b.row(i));
      if (difference > parity.max_logit_difference || parity.worst_text.empty()) {
        parity.max_logit_difference = std::max(difference, parity.max_logit_difference);
        parity.worst_text = shown(texts[begin + static_cast<size_t>(i)]);
      }
      for (size_t c = 0; c < a.row(i).size(); ++c, ++values) {
        total_difference += std::fabs(static_cast<double>(a.row(i)[c]) - b.row(i)[c]);
      }
      const int label_a = model::argmax(a.row(i));
      const int label_b = model::argmax(b.row(i));
      agreed += label_a == label_b ? 1 : 0;
      if (!truth.empty()) {
        const int right = truth[begin + static_cast<size_t>(i)];
        reference_right.push_back(label_a == right ? 1 : 0);
        candidate_right.push_back(label_b == right ? 1 : 0);
      }
    }
    model::class_probabilities(a);
    model::class_probabilities(b);
    parity.max_probability_difference =
        std::max(parity.max_probability_difference, largest_difference(a.values, b.values));
    context.progress.update(static_cast<int64_t>(begin + count), "");
  }
  parity.mean_logit_difference = values > 0 ? total_difference / static_cast<double>(values) : 0;
  parity.agreement = stats::wilson(agreed, parity.n, options.confidence);
  if (!truth.empty()) {
    const auto sum = [](const std::vector<double>& right) {
      return static_cast<int64_t>(std::count(right.begin(), right.end(), 1.0));
    };
    parity.accuracy_reference = stats::wilson(sum(reference_right), parity.n, options.confidence);
    parity.accuracy_candidate = stats::wilson(sum(candidate_right), parity.n, options.confidence);
    parity.accuracy_loss = stats::paired_difference(candidate_right, reference_right, options);
  }
  context.progress.finish(fmt::format("{:.2f} % agree", 100 * parity.agreement.value));
  return parity;
}

double max_cosine_distance(model::Predictor& reference, model::Predictor& candidate,
                           std::span<const std::string> texts) {
  const model::Matrix a = reference.embed(texts);
  const model::Matrix b = candidate.embed(texts);
  if (a.cols != b.cols || a.rows != b.rows) {
    throw Error(Code::kInvalid, fmt::format("the embeddings have {} and {} dimensions", a.cols, b.cols));
  }
  double largest = 0;
  for (int i = 0; i < a.rows; ++i) {
    double product = 0;
    for (int c = 0; c < a.cols; ++c) {
      product += static_cast<double>(a.row(i)[static_cast<size_t>(c)]) * b.row(i)[static_cast<size_t>(c)];
    }
    largest = std::isnan(product) ? INFINITY : std::max(largest, 1 - product);  // both have length 1
  }
  return largest;
}

base::Json to_json(const Parity& parity) {
  base::Json json = {{"n", parity.n},
                     {"max_logit_difference", parity.max_logit_difference},
                     {"mean_logit_difference", parity.mean_logit_difference},
                     {"max_probability_difference", parity.max_probability_difference},
                     {"worst_text", parity.worst_text},
                     {"agreement", stats::to_json(parity.agreement)},
                     {"seconds_reference", parity.seconds_reference},
                     {"seconds_candidate", parity.seconds_candidate}};
  if (parity.accuracy_loss) {
    json["accuracy_reference"] = stats::to_json(*parity.accuracy_reference);
    json["accuracy_candidate"] = stats::to_json(*parity.accuracy_candidate);
    json["accuracy_loss"] = stats::to_json(parity.accuracy_loss->difference);
    json["accuracy_loss"]["p"] = parity.accuracy_loss->p;
  }
  return json;
}

}  // namespace slipway::convert
