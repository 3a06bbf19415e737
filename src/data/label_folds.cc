#include "data/label_folds.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/random.h"
#include "data/light_classifier.h"

namespace slipway::data {
namespace {

// The fold of each row: rows of one class in turn, in an order of the seed's.
std::vector<int> deal(std::span<const int> labels, int classes, int folds, uint64_t seed) {
  std::vector<std::vector<size_t>> rows(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    rows[static_cast<size_t>(labels[i])].push_back(i);
  }
  std::vector<int> fold(labels.size(), 0);
  base::Rng rng(seed, "folds");
  int next = 0;  // goes on from class to class, so that small ones do not all begin at the first
  for (std::vector<size_t>& of_class : rows) {
    rng.shuffle(std::span(of_class));
    for (const size_t i : of_class) {
      fold[i] = next;
      next = (next + 1) % folds;
    }
  }
  return fold;
}

}  // namespace

std::vector<double> out_of_fold(std::span<const std::string> texts, std::span<const int> labels, int classes, const FoldOptions& options, base::Context& context) {
  if (classes < 2 || texts.size() != labels.size()) {
    throw base::Error(base::Code::kInvalid, fmt::format("labels are checked where there are two classes or more; there are {}", classes));
  }
  std::vector<int64_t> sizes(static_cast<size_t>(classes), 0);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw base::Error(base::Code::kInvalid, fmt::format("row {} has class {}; there are {}", i, labels[i], classes));
    }
    ++sizes[static_cast<size_t>(labels[i])];
  }
  if (const auto few = std::find_if(sizes.begin(), sizes.end(), [](int64_t size) { return size < 2; }); few != sizes.end()) {
    throw base::Error(base::Code::kInvalid, fmt::format("class {} has {} row{}: nothing could be learned of it from other rows", few - sizes.begin(), *few, *few == 1 ? "" : "s"));
  }
  const int bits = LightClassifier::bits_for(classes);
  std::vector<TextFeatures> features(texts.size());
  context.pool.parallel_chunks(static_cast<int64_t>(texts.size()), 256, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      features[i] = text_features(texts[i], bits);
    }
  });
  const auto width = static_cast<size_t>(classes);
  std::vector<std::vector<int>> folds;
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    folds.push_back(deal(labels, classes, options.folds, options.seed + static_cast<uint64_t>(repeat)));
  }
  // Every job has its own part of the results; they are summed in order.
  std::vector<std::vector<float>> parts(folds.size(), std::vector<float>(texts.size() * width, 0));
  const int64_t jobs = static_cast<int64_t>(options.folds) * options.repeats;
  context.progress.start("folds", jobs, "folds");
  context.pool.parallel_for(jobs, [&](int64_t job) {
    const auto repeat = static_cast<size_t>(job / options.folds);
    const int fold = static_cast<int>(job % options.folds);
    std::vector<const TextFeatures*> rows;
    std::vector<std::vector<int>> wanted;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (folds[repeat][i] != fold) {
        rows.push_back(&features[i]);
        wanted.push_back({labels[i]});
      }
    }
    LightClassifier::Options train;
    train.epochs = options.epochs;
    train.seed = options.seed + static_cast<uint64_t>(job) + 1;
    train.stop = [&] { return context.stop.stop_requested(); };
    const LightClassifier classifier = LightClassifier::train_rows(rows, wanted, classes, train);
    for (size_t i = 0; i < labels.size(); ++i) {
      if (folds[repeat][i] == fold) {
        const std::vector<double> p = classifier.probabilities(features[i]);
        std::transform(p.begin(), p.end(), parts[repeat].begin() + static_cast<std::ptrdiff_t>(i * width), [](double one) { return static_cast<float>(one); });
      }
    }
  });
  context.progress.finish("");
  base::check_stop(context, "cross-validation");
  std::vector<double> probabilities(texts.size() * width, 0);
  for (const std::vector<float>& part : parts) {
    for (size_t i = 0; i < part.size(); ++i) {
      probabilities[i] += static_cast<double>(part[i]);
    }
  }
  for (size_t row = 0; row < texts.size(); ++row) {
    double sum = 0;
    for (size_t c = 0; c < width; ++c) {
      sum += probabilities[row * width + c];
    }
    for (size_t c = 0; c < width; ++c) {
      probabilities[row * width + c] /= sum;
    }
  }
  return probabilities;
}

}  // namespace slipway::data
