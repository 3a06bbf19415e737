// LightModel: classifiers to files and back. Docs: docs/formats/light-classifier.md.
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/json.h"
#include "data/light_classifier.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kMagic = "SLIPLGT1";
constexpr size_t kMaxBytes = size_t{512} << 20U;
constexpr uint32_t kMaxClasses = 4096;

template <class T>
void put(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));  // NOLINT: bytes of a number
}

class Reader {
 public:
  Reader(std::string_view bytes, std::string_view source) : bytes_(bytes), source_(source) {}
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(Code::kIntegrity, fmt::format("'{}' at byte {}: {}; train it again", source_, at_, what));
  }
  std::string_view take(size_t size) {
    if (size > bytes_.size() - at_) {
      fail("the classifier is cut short");
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  float weight() {
    const auto value = number<float>();
    if (!std::isfinite(value)) {
      fail("a weight is not finite");
    }
    return value;
  }
  bool at_end() const noexcept { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::string_view source_;
  size_t at_ = 0;
};

}  // namespace

std::string LightModel::to_bytes() const {
  std::string out(kMagic);
  put(static_cast<uint32_t>(classifier.classes_), out);
  put(static_cast<uint32_t>(classifier.bits_), out);
  put(static_cast<uint32_t>(classifier.several_), out);
  const std::string names = base::dump_json(base::Json(labels));
  put(static_cast<uint32_t>(names.size()), out);
  out += names;
  for (const float bias : classifier.bias_) {
    put(bias, out);
  }
  std::string weights;
  uint64_t count = 0;
  for (size_t i = 0; i < classifier.weights_.size(); ++i) {
    if (classifier.weights_[i] != 0) {
      put(static_cast<uint32_t>(i), weights);
      put(classifier.weights_[i], weights);
      ++count;
    }
  }
  put(count, out);
  return out + weights;
}

LightModel LightModel::from_bytes(std::string_view bytes, std::string_view source) {
  Reader reader(bytes, source);
  if (!bytes.starts_with(kMagic)) {
    throw Error(Code::kIntegrity, fmt::format("'{}' is no light classifier: make one with 'slipway train scanner'", source));
  }
  reader.take(kMagic.size());
  LightModel model;
  const auto classes = reader.number<uint32_t>();
  const auto bits = reader.number<uint32_t>();
  const auto several = reader.number<uint32_t>();
  if (classes < 2 || classes > kMaxClasses || bits < 1 || bits > 24 || several > 1 || (uint64_t{classes} << bits) > uint64_t{1} << 24U) {
    reader.fail("numbers of classes or columns that cannot be");
  }
  const base::Json names = base::Json::parse(reader.take(reader.number<uint32_t>()), nullptr, false);
  if (!names.is_array() || names.size() != classes) {
    reader.fail("the labels are no list with one a class");
  }
  for (const base::Json& name : names) {
    if (!name.is_string()) {
      reader.fail("a label is no text");
    }
    model.labels.push_back(name.get<std::string>());
  }
  LightClassifier& made = model.classifier;
  made.classes_ = static_cast<int>(classes);
  made.bits_ = static_cast<int>(bits);
  made.several_ = several != 0;
  for (uint32_t i = 0; i < classes; ++i) {
    made.bias_.push_back(reader.weight());
  }
  const auto count = reader.number<uint64_t>();
  const size_t places = size_t{classes} << bits;
  if (count > places) {
    reader.fail("more weights than places for them");
  }
  made.weights_.assign(places, 0);
  for (uint64_t i = 0; i < count; ++i) {
    const auto at = reader.number<uint32_t>();
    if (at >= places) {
      reader.fail("a weight's place is out of range");
    }
    made.weights_[at] = reader.weight();
  }
  if (!reader.at_end()) {
    reader.fail("there is more behind the weights");
  }
  return model;
}

LightModel LightModel::open(const std::filesystem::path& file) { return from_bytes(base::read_file(file, kMaxBytes), file.string()); }

}  // namespace slipway::data
