#include "text/language_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "text/unicode.h"

extern "C" {
// language_model_data.cc
extern const char slipway_language_model_begin[];
extern const char slipway_language_model_end[];
}

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

constexpr size_t kMaxBytes = size_t{64} << 10;
constexpr size_t kLongest = 4;         // characters of an n-gram
constexpr double kUnit = 0.05;         // of a stored weight, in natural logarithms
constexpr double kFloor = 1e-5;        // share of an n-gram that a language never shows: one in ten times a declaration's text
constexpr uint32_t kRowBits = 9;       // of the number of pairs in a row
constexpr uint32_t kPairMask = (1U << kRowBits) - 1;
constexpr uint32_t kSpreadFrom = 32;   // pairs from which a row of all languages is faster
constexpr size_t kLanes = 16;
constexpr uint32_t kMostAdded = 257;   // weights of a byte that 16 bits can sum: 257 * 255 = 65,535

using Bytes = uint8_t __attribute__((vector_size(kLanes)));
using Sums = uint16_t __attribute__((vector_size(2 * kLanes)));

// docs/formats/language-model.md
struct Header {
  char magic[8];
  uint64_t checksum;  // XXH64 of all that follows it
  uint32_t names;     // bytes
  uint32_t languages;
  uint32_t slots;
  uint32_t pairs;
};
static_assert(sizeof(Header) == 32);

// Calls take(hash) for each n-gram: letters and marks in lower case, anything else one blank; n-grams with a blank inside,
// or of one ASCII letter, say nothing.
template <class Take>
void for_each_ngram(std::string_view text, Take&& take) {
  char32_t last[kLongest] = {U' ', U' ', U' ', U' '};  // the newest first
  const auto push = [&](char32_t c) {
    std::copy_backward(last, last + kLongest - 1, last + kLongest);
    last[0] = c;
    uint64_t hash = 0;
    for (size_t n = 1; n <= kLongest; ++n) {
      const char32_t first = last[n - 1];
      hash = (hash ^ first) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 29;
      if (n == 1 ? first >= 0x80 : true) {
        uint64_t mixed = (hash + n) * 0xBF58476D1CE4E5B9U;
        take(mixed ^ (mixed >> 31), n);
      }
      if (n > 1 && first == U' ') {
        break;  // what is before the blank is of another word
      }
    }
  };
  bool blank = true;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      ++at;
      const unsigned lower = byte | 0x20U;
      if (lower - 'a' < 26) {
        push(lower);
        blank = false;
        continue;
      }
    } else {
      const Decoded d = decode_at(text, at);
      at += d.size;
      if (is_letter(d.code) || is_mark(d.code)) {
        push(to_lower(d.code));
        blank = false;
        continue;
      }
    }
    if (!blank) {
      push(U' ');
      blank = true;
    }
  }
  if (!blank) {
    push(U' ');
  }
}

uint32_t key_of(uint64_t hash) noexcept {
  const auto key = static_cast<uint32_t>(hash >> 32);
  return key == 0 ? 1 : key;
}
size_t slot_of(uint64_t hash, size_t slots) noexcept { return (hash & 0xFFFFFFFFU) * slots >> 32; }

[[noreturn]] void damaged(std::string_view source, std::string_view what) {
  throw Error(Code::kIntegrity, fmt::format("{}: {}", source, what));
}

}  // namespace

const LanguageModel& LanguageModel::builtin() {
  static const std::shared_ptr<const LanguageModel> kModel = from_bytes(
      {slipway_language_model_begin, static_cast<size_t>(slipway_language_model_end - slipway_language_model_begin)}, "the program's language model");
  return *kModel;
}

std::shared_ptr<const LanguageModel> LanguageModel::open(const std::filesystem::path& file) {
  return from_bytes(base::read_file(file, size_t{1} << 28), file.string());
}

std::shared_ptr<const LanguageModel> LanguageModel::from_bytes(std::string_view bytes, std::string_view source) {
  const std::shared_ptr<LanguageModel> out(new LanguageModel);
  out->read(bytes, source);
  return out;
}

void LanguageModel::read(std::string_view bytes, std::string_view source) {
  Header header;
  if (bytes.size() < sizeof(header)) {
    damaged(source, "is too short for a language model");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::string_view(header.magic, 8) != "SLLANG01") {
    damaged(source, "is no language model of this version");
  }
  const uint64_t size = sizeof(header) + uint64_t{header.names} + uint64_t{header.slots} * sizeof(Slot) + uint64_t{header.pairs} * 3;
  if (size != bytes.size() || header.languages < 2 || header.languages > 511 || header.slots == 0 || header.pairs >= (1U << 23)) {
    damaged(source, "has sizes that do not fit together");
  }
  if (base::xxh64(bytes.substr(16)) != header.checksum) {
    damaged(source, "does not hold what was written");
  }
  size_t at = sizeof(header);
  for (std::string_view names = bytes.substr(at, header.names); !names.empty();) {
    const size_t end = std::min(names.find('\n'), names.size());
    languages_.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  if (languages_.size() != header.languages) {
    damaged(source, "has another number of languages than it says");
  }
  at += header.names;
  const auto take = [&](auto& into, size_t count) {
    into.resize(count);
    const size_t taken = count * sizeof(into[0]);
    std::memcpy(into.data(), bytes.data() + at, taken);
    at += taken;
  };
  take(slots_, header.slots);
  take(labels_, header.pairs);
  take(weights_, header.pairs);
  size_t free = 0;
  for (const Slot& slot : slots_) {
    free += slot.key == 0 ? 1 : 0;
    if (slot.key != 0 && size_t{slot.row >> kRowBits} + (slot.row & kPairMask) > labels_.size()) {
      damaged(source, "names weights beyond its end");
    }
  }
  if (free == 0 || std::any_of(labels_.begin(), labels_.end(), [&](uint16_t label) { return label >= header.languages; })) {
    damaged(source, "names a language that it has not");
  }
  for (size_t i = 0; i < languages_.size(); ++i) {
    of_code_[std::string(without_script(languages_[i]))].push_back(static_cast<uint16_t>(i));
  }
  spread_frequent();
}

void LanguageModel::spread_frequent() {
  stride_ = (languages_.size() + kLanes - 1) / kLanes * kLanes;
  spread_.assign(slots_.size(), 0);
  uint32_t rows = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const uint32_t first = slots_[i].row >> kRowBits;
    const uint32_t count = slots_[i].row & kPairMask;
    if (slots_[i].key == 0 || count < kSpreadFrom) {
      continue;
    }
    std::vector<uint32_t> row(stride_);
    for (uint32_t k = first; k < first + count; ++k) {
      row[labels_[k]] += weights_[k];
    }
    if (std::any_of(row.begin(), row.end(), [](uint32_t weight) { return weight > 255; })) {
      continue;  // a file that names a language twice
    }
    rows_.insert(rows_.end(), row.begin(), row.end());
    spread_[i] = ++rows;
  }
}

std::span<const uint16_t> LanguageModel::of_code(std::string_view code) const noexcept {
  const auto found = of_code_.find(code);
  return found == of_code_.end() ? std::span<const uint16_t>() : std::span<const uint16_t>(found->second);
}

size_t LanguageModel::score(std::string_view text, std::vector<float>& scores) const {
  std::array<uint32_t, 512> sums{};  // there are at most 511 languages
  std::array<Sums, 512 / kLanes> added{};
  uint32_t rows_added = 0;
  const auto settle = [&] {
    for (size_t i = 0; i < stride_; ++i) {
      sums[i] += added[i / kLanes][i % kLanes];
    }
    added.fill(Sums{});
    rows_added = 0;
  };
  size_t known = 0;
  for_each_ngram(text.substr(0, kMaxBytes), [&](uint64_t hash, size_t) {
    const uint32_t key = key_of(hash);
    size_t at = slot_of(hash, slots_.size());
    while (slots_[at].key != key) {
      if (slots_[at].key == 0) {
        return;
      }
      at = at + 1 == slots_.size() ? 0 : at + 1;
    }
    ++known;
    const uint32_t count = slots_[at].row & kPairMask;
    if (count >= kSpreadFrom && spread_[at] != 0) {
      const uint8_t* const row = rows_.data() + (spread_[at] - 1) * stride_;
      for (size_t i = 0; i < stride_ / kLanes; ++i) {
        Bytes weights;
        std::memcpy(&weights, row + i * kLanes, kLanes);
        added[i] += __builtin_convertvector(weights, Sums);
      }
      if (++rows_added == kMostAdded) {
        settle();
      }
      return;
    }
    const uint32_t first = slots_[at].row >> kRowBits;
    const uint16_t* const labels = labels_.data() + first;
    const uint8_t* const weights = weights_.data() + first;
    for (uint32_t i = 0; i < count; ++i) {
      sums[labels[i]] += weights[i];
    }
  });
  settle();
  scores.resize(languages_.size());
  std::transform(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(scores.size()), scores.begin(),
                 [](uint32_t sum) { return static_cast<float>(sum * kUnit); });
  return known;
}

void language_probabilities(std::span<const float> scores, size_t ngrams, std::vector<double>& probabilities) {
  // At a scale of 2.0 the mean probability of first guesses on pieces of 20 characters was .97 where .90 were right
  // (bench/rivals/langid.py).
  const double scale = ngrams == 0 ? 0 : 1.2 / std::sqrt(static_cast<double>(ngrams));
  const float top = scores.empty() ? 0 : *std::max_element(scores.begin(), scores.end());
  probabilities.resize(scores.size());
  double sum = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    probabilities[i] = std::exp((scores[i] - top) * scale);
    sum += probabilities[i];
  }
  for (double& p : probabilities) {
    p /= sum;
  }
}

std::string train_language_model(std::span<const LanguageText> texts, const LanguageTrainOptions& options) {
  std::map<std::string, std::string> joined;
  for (const LanguageText& one : texts) {
    joined[one.language] += one.text + "\n";
  }
  if (joined.size() < 2 || joined.size() > 511) {
    throw Error(Code::kInvalid, fmt::format("a language model needs 2 to 511 languages, not {}", joined.size()));
  }
  struct Gram {
    uint64_t hash;
    uint32_t count;
    uint8_t length;
  };
  std::map<uint64_t, std::vector<std::pair<uint16_t, uint8_t>>> rows;
  std::string names;
  uint16_t label = 0;
  for (const auto& [language, text] : joined) {
    std::unordered_map<uint64_t, std::pair<uint32_t, uint8_t>> counts;
    std::array<double, kLongest + 1> totals{};
    for_each_ngram(text, [&](uint64_t hash, size_t n) {
      auto& count = counts[hash];
      ++count.first;
      count.second = static_cast<uint8_t>(n);
      totals[n] += 1;
    });
    std::vector<Gram> grams;
    for (const auto& [hash, count] : counts) {
      grams.push_back({hash, count.first, count.second});
    }
    std::sort(grams.begin(), grams.end(), [](const Gram& a, const Gram& b) { return a.count != b.count ? a.count > b.count : a.hash < b.hash; });
    grams.resize(std::min(grams.size(), static_cast<size_t>(options.ngrams)));
    for (const Gram& gram : grams) {
      const double weight = std::log(gram.count / totals[gram.length] / kFloor);
      const long stored = std::lround(weight / kUnit);
      if (stored > 0) {
        rows[gram.hash].emplace_back(label, static_cast<uint8_t>(std::min(stored, 255L)));
      }
    }
    names += (label > 0 ? "\n" : "") + language;
    ++label;
  }
  const size_t slots = rows.size() + rows.size() / 3 + 1;
  std::vector<std::pair<uint32_t, uint32_t>> table(slots, {0, 0});
  std::string labels;
  std::string weights;
  for (const auto& [hash, pairs] : rows) {
    size_t at = slot_of(hash, slots);
    while (table[at].first != 0 && table[at].first != key_of(hash)) {
      at = at + 1 == slots ? 0 : at + 1;
    }
    if (table[at].first != 0) {
      continue;  // two n-grams of one key side by side: the first stays
    }
    if (weights.size() + pairs.size() >= (size_t{1} << 23)) {
      throw Error(Code::kInvalid, "the model has more than 8 million weights; keep fewer n-grams of each language");
    }
    table[at] = {key_of(hash), static_cast<uint32_t>(weights.size() << kRowBits | pairs.size())};
    for (const auto& [language, weight] : pairs) {
      labels.append(reinterpret_cast<const char*>(&language), 2);
      weights += static_cast<char>(weight);
    }
  }
  Header header{};
  std::memcpy(header.magic, "SLLANG01", 8);
  header.names = static_cast<uint32_t>(names.size());
  header.languages = label;
  header.slots = static_cast<uint32_t>(slots);
  header.pairs = static_cast<uint32_t>(weights.size());
  std::string body(reinterpret_cast<const char*>(&header) + 16, sizeof(header) - 16);
  body += names;
  body.append(reinterpret_cast<const char*>(table.data()), slots * sizeof(table[0]));
  body += labels;
  body += weights;
  const uint64_t checksum = base::xxh64(body);
  std::string out(header.magic, 8);
  out.append(reinterpret_cast<const char*>(&checksum), 8);
  return out + body;
}

}  // namespace slipway::text
