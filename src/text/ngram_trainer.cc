#include "text/ngram_trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "text/ngram_model.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

constexpr uint32_t kUnk = 0;
constexpr uint32_t kBegin = 1;
constexpr uint32_t kEnd = 2;

using Ids = std::array<uint32_t, NgramModel::kMaxOrder>;  // unused ones are 0

struct Gram {
  Ids ids{};
  uint64_t count = 0;  // adjusted
  double probability = 0;
  double backoff = 1;
};

bool before(const Ids& a, const Ids& b, size_t begin, size_t end) noexcept {
  return std::lexicographical_compare(a.begin() + static_cast<std::ptrdiff_t>(begin), a.begin() + static_cast<std::ptrdiff_t>(end),
                                      b.begin() + static_cast<std::ptrdiff_t>(begin), b.begin() + static_cast<std::ptrdiff_t>(end));
}
bool same(const Ids& a, const Ids& b, size_t begin, size_t end) noexcept {
  return std::equal(a.begin() + static_cast<std::ptrdiff_t>(begin), a.begin() + static_cast<std::ptrdiff_t>(end),
                    b.begin() + static_cast<std::ptrdiff_t>(begin));
}

Ids shifted(const Ids& ids, size_t n) noexcept {  // without the first of n
  Ids out{};
  std::copy(ids.begin() + 1, ids.begin() + static_cast<std::ptrdiff_t>(n), out.begin());
  return out;
}

// The n-gram among sorted ones, which is there.
Gram& at(std::vector<Gram>& grams, const Ids& ids, size_t n) {
  const auto found = std::lower_bound(grams.begin(), grams.end(), ids, [&](const Gram& gram, const Ids& key) { return before(gram.ids, key, 0, n); });
  SLIPWAY_CHECK(found != grams.end() && same(found->ids, ids, 0, n));
  return *found;
}

struct Discounts {
  std::array<double, 4> of{};  // of counts 1, 2, 3 and more
  double operator()(uint64_t count) const noexcept { return of[std::min<uint64_t>(count, 3)]; }
};

// Chen & Goodman's estimates; nothing when a count of counts is 0 or a discount is out of range.
bool estimate(const std::vector<Gram>& grams, Discounts& discounts) {
  std::array<double, 5> t{};
  for (const Gram& gram : grams) {
    t[std::min<uint64_t>(gram.count, 5) % 5] += gram.count >= 1 && gram.count <= 4 ? 1 : 0;
  }
  if (t[1] == 0 || t[2] == 0 || t[3] == 0 || t[4] == 0) {
    return false;
  }
  const double y = t[1] / (t[1] + 2 * t[2]);
  for (size_t k = 1; k <= 3; ++k) {
    discounts.of[k] = static_cast<double>(k) - static_cast<double>(k + 1) * y * t[k + 1] / t[k];
    if (discounts.of[k] < 0 || discounts.of[k] > static_cast<double>(k)) {
      return false;
    }
  }
  return true;
}

}  // namespace

struct NgramTrainer::Impl {
  NgramTrainOptions options;
  std::vector<std::string> words = {"<unk>", "<s>", "</s>"};
  std::unordered_map<std::string, uint32_t> ids;
  std::vector<uint32_t> text;  // sentences, each between <s> and </s>
  uint64_t count = 0;

  std::vector<Gram> counted(size_t n) const;
  std::vector<std::vector<Gram>> adjusted() const;
  void smooth(std::vector<std::vector<Gram>>& grams, size_t n, const Discounts& discounts) const;
};

// All n-grams of the text, sorted, with their numbers. None reaches over a sentence.
std::vector<Gram> NgramTrainer::Impl::counted(size_t n) const {
  std::vector<Ids> all;
  all.reserve(text.size());
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    begin = text[i] == kBegin ? i : begin;
    if (i + 1 >= begin + n) {
      std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(i + 1 - n), n, all.emplace_back(Ids{}).begin());
    }
  }
  std::sort(all.begin(), all.end());
  std::vector<Gram> grams;
  for (const Ids& one : all) {
    if (grams.empty() || grams.back().ids != one) {
      grams.push_back({one, 0, 0, 1});
    }
    ++grams.back().count;
  }
  return grams;
}

// Below the highest order an n-gram counts by how many words stand before it; one that begins a sentence as often as it is there.
std::vector<std::vector<Gram>> NgramTrainer::Impl::adjusted() const {
  const auto order = static_cast<size_t>(options.order);
  std::vector<std::vector<Gram>> grams(order);
  for (size_t n = order; n >= 1; --n) {
    grams[n - 1] = counted(n);
    if (n == order) {
      continue;
    }
    for (Gram& gram : grams[n - 1]) {
      gram.count = gram.ids[0] == kBegin ? gram.count : 0;
    }
    for (const Gram& longer : grams[n]) {
      at(grams[n - 1], shifted(longer.ids, n + 1), n).count += 1;
    }
  }
  std::erase_if(grams[0], [](const Gram& gram) { return gram.ids[0] == kBegin; });
  return grams;
}

// Probabilities of order n, of which those of n - 1 are known, and the back-off weights of the contexts.
void NgramTrainer::Impl::smooth(std::vector<std::vector<Gram>>& grams, size_t n, const Discounts& discounts) const {
  std::vector<Gram>& list = grams[n - 1];
  for (size_t begin = 0; begin < list.size();) {
    size_t end = begin;
    double sum = 0;
    double given = 0;  // to the lower order
    for (; end < list.size() && same(list[end].ids, list[begin].ids, 0, n - 1); ++end) {
      sum += static_cast<double>(list[end].count);
      given += discounts(list[end].count);
    }
    const double weight = given / sum;
    for (size_t i = begin; i < end; ++i) {
      // Below unigrams: one of all words but <s>, with </s> and <unk>.
      const double lower = n == 1 ? 1.0 / static_cast<double>(words.size() - 1) : at(grams[n - 2], shifted(list[i].ids, n), n - 1).probability;
      list[i].probability = (static_cast<double>(list[i].count) - discounts(list[i].count)) / sum + weight * lower;
    }
    if (n == 1) {
      list.push_back({{kUnk}, 0, weight / static_cast<double>(words.size() - 1), 1});
      list.push_back({{kBegin}, 0, 1e-99, 1});  // never asked for
      std::sort(list.begin(), list.end(), [](const Gram& a, const Gram& b) { return a.ids < b.ids; });
      return;
    }
    Ids context = list[begin].ids;
    std::fill(context.begin() + static_cast<std::ptrdiff_t>(n) - 1, context.end(), 0);
    at(grams[n - 2], context, n - 1).backoff = weight;
    begin = end;
  }
}

NgramTrainer::NgramTrainer(const NgramTrainOptions& options) : impl_(std::make_unique<Impl>()) {
  if (options.order < 1 || options.order > NgramModel::kMaxOrder) {
    throw Error(Code::kInvalid, fmt::format("order {}: from 1 to {}", options.order, NgramModel::kMaxOrder));
  }
  impl_->options = options;
}
NgramTrainer::~NgramTrainer() = default;

void NgramTrainer::add(std::string_view line) {
  Impl& impl = *impl_;
  impl.text.push_back(kBegin);
  for (size_t begin = 0; begin < line.size();) {
    begin = std::min(line.find_first_not_of(" \t\r\n\v\f", begin), line.size());
    const size_t end = std::min(line.find_first_of(" \t\r\n\v\f", begin), line.size());
    const std::string word(line.substr(begin, end - begin));
    begin = end;
    if (word.empty() || word == "<s>" || word == "</s>" || word == "<unk>") {
      continue;
    }
    const auto [found, fresh] = impl.ids.emplace(word, static_cast<uint32_t>(impl.words.size()));
    if (fresh) {
      impl.words.push_back(word);
    }
    impl.text.push_back(found->second);
    ++impl.count;
  }
  if (impl.text.back() == kBegin) {
    impl.text.pop_back();  // an empty line
    return;
  }
  impl.text.push_back(kEnd);
  const uint64_t need = impl.text.size() * static_cast<uint64_t>(impl.options.order) * sizeof(Gram) + impl.text.size() * sizeof(Ids);
  if (need > impl.options.memory_bytes) {
    throw Error(Code::kInvalid, fmt::format("{} words need up to {} bytes for n-grams of order {}, more than the {} that are allowed: take less text, "
                                            "a lower order, or allow more memory",
                                            impl.count, need, impl.options.order, impl.options.memory_bytes));
  }
}

NgramTrainResult NgramTrainer::finish(const std::function<void(std::string_view)>& write) {
  Impl& impl = *impl_;
  if (impl.count == 0) {
    throw Error(Code::kInvalid, "there is no word to learn from");
  }
  NgramTrainResult result;
  result.words = impl.count;
  std::vector<std::vector<Gram>> grams = impl.adjusted();
  for (size_t n = 1; n <= grams.size(); ++n) {
    Discounts discounts;
    if (!estimate(grams[n - 1], discounts)) {
      discounts.of = {0, 0.5, 1, 1.5};
      result.fallback.push_back(static_cast<int>(n));
    }
    impl.smooth(grams, n, discounts);
  }
  std::string out = "\\data\\\n";
  for (size_t n = 1; n <= grams.size(); ++n) {
    result.ngrams.push_back(grams[n - 1].size());
    out += fmt::format("ngram {}={}\n", n, grams[n - 1].size());
  }
  for (size_t n = 1; n <= grams.size(); ++n) {
    out += fmt::format("\n\\{}-grams:\n", n);
    for (const Gram& gram : grams[n - 1]) {
      fmt::format_to(std::back_inserter(out), "{:.7g}\t", std::max(std::log10(gram.probability), -99.0));
      for (size_t i = 0; i < n; ++i) {
        out += i == 0 ? "" : " ";
        out += impl.words[gram.ids[i]];
      }
      if (n < grams.size()) {
        fmt::format_to(std::back_inserter(out), "\t{:.7g}", std::log10(gram.backoff));
      }
      out += '\n';
      if (out.size() > (size_t{1} << 20U)) {
        write(out);
        out.clear();
      }
    }
  }
  out += "\n\\end\\\n";
  write(out);
  return result;
}

}  // namespace slipway::text
