// A small classifier of texts that is trained in a moment while people annotate: logistic regression (softmax; of several classes one
// for each) on hashed words and pairs of words, by AdaGrad (Duchi et al. 2011). The same texts and seed give the same weights. Immutable
// once trained: any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

// Sparse, columns ascending, of length 1: sqrt of counts, each Han ideograph a word.
struct TextFeatures {
  std::vector<int32_t> columns;
  std::vector<float> values;
};
// 1 <= bits <= 24. O(bytes).
TextFeatures text_features(std::string_view text, int bits);

class LightClassifier {
 public:
  struct Options {
    bool several = false;  // a text may have several classes, or none
    int epochs = 12;
    double rate = 0.5;
    uint64_t seed = 1;
    std::function<bool()> stop = {};  // asked between epochs; true: as far as it came
  };
  LightClassifier() = default;
  // labels[i]: the classes of texts[i], each below `classes`; those of one class have one. Throws Error(kInvalid) for fewer than one text,
  // two classes, or a class out of range. O(epochs * features * classes).
  static LightClassifier train(std::span<const std::string> texts, std::span<const std::vector<int>> labels, int classes, const Options& options);
  // The same from text_features(text, bits_for(classes)), borrowed for the call.
  static LightClassifier train_rows(std::span<const TextFeatures* const> rows, std::span<const std::vector<int>> labels, int classes, const Options& options);
  static int bits_for(int classes) noexcept;

  int classes() const noexcept { return classes_; }
  int bits() const noexcept { return bits_; }
  bool several() const noexcept { return several_; }
  // One a class, in 0..1; summing to 1 unless several.
  std::vector<double> probabilities(const TextFeatures& features) const;

 private:
  friend struct LightModel;
  int classes_ = 0;
  int bits_ = 0;
  bool several_ = false;
  std::vector<float> weights_;  // [2^bits, classes]
  std::vector<float> bias_;     // [classes]
};

// A classifier with the names of its classes, as a file (docs/formats/light-classifier.md; light_model.cc).
struct LightModel {
  std::vector<std::string> labels;  // one a class
  LightClassifier classifier;

  std::string to_bytes() const;
  // Throws Error(kIntegrity) naming `source`.
  static LightModel from_bytes(std::string_view bytes, std::string_view source);
  // Throws Error(kNotFound | kIntegrity).
  static LightModel open(const std::filesystem::path& file);
};

}  // namespace slipway::data
