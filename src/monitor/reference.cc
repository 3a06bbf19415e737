#include "monitor/reference.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

#include "base/error.h"
#include "base/random.h"
#include "monitor/features.h"
#include "text/identity.h"
#include "text/language.h"

namespace slipway::monitor {
namespace {

using base::Code;
using base::Error;

constexpr size_t kLeastRows = 50;

// Throws unless every row has the scores that the labels ask for and embeddings of the first one's length.
void check_rows(std::span<const Observation> rows, const std::vector<const Observation*>& good, size_t labels) {
  if (good.size() < kLeastRows) {
    throw Error(Code::kInvalid, fmt::format("a reference sketch needs at least {} rows; {} of {} can be used",
                                            kLeastRows, good.size(), rows.size()));
  }
  const size_t dim = good[0]->embedding.size();
  for (size_t i = 0; i < good.size(); ++i) {
    if (good[i]->scores.size() != labels) {
      throw Error(Code::kInvalid, fmt::format("reference row {} has {} scores, but the model has {} labels", i,
                                              good[i]->scores.size(), labels));
    }
    if (good[i]->embedding.size() != dim) {
      throw Error(Code::kInvalid, fmt::format("reference row {} has an embedding of {} numbers, row 0 one of {}", i,
                                              good[i]->embedding.size(), dim));
    }
  }
}

// The most frequent words that occur at least twice: by falling count, then by name.
void choose_vocabulary(const std::unordered_map<std::string, int64_t>& counts, size_t limit, ReferenceSketch& sketch) {
  std::vector<std::pair<std::string, int64_t>> words;
  for (const auto& [word, count] : counts) {
    if (count >= 2) {
      words.emplace_back(word, count);
    }
  }
  const size_t keep = std::min(limit, words.size());
  std::partial_sort(
      words.begin(), words.begin() + static_cast<std::ptrdiff_t>(keep), words.end(),
      [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  for (size_t i = 0; i < keep; ++i) {
    sketch.vocabulary.push_back(words[i].first);
    sketch.word_counts.push_back(words[i].second);
  }
}

}  // namespace

ReferenceSketch build_sketch(std::span<const Observation> rows, std::vector<std::string> labels,
                             const SketchOptions& options) {
  std::vector<const Observation*> good;
  for (const Observation& row : rows) {
    if (!row.error) {
      good.push_back(&row);
    }
  }
  check_rows(rows, good, labels.size());
  ReferenceSketch sketch;
  sketch.labels = std::move(labels);
  sketch.rows_given = static_cast<int64_t>(good.size());

  std::unordered_map<std::string, int64_t> counts;
  std::vector<std::vector<std::string>> words(good.size());
  for (size_t i = 0; i < good.size(); ++i) {
    words[i] = words_of(good[i]->text);
    sketch.words += static_cast<int64_t>(words[i].size());
    for (const std::string& word : words[i]) {
      ++counts[word];
    }
    ++sketch.languages[text::detect_language(bounded(good[i]->text)).code];
  }
  choose_vocabulary(counts, static_cast<size_t>(options.max_vocabulary), sketch);
  const Vocabulary vocabulary = make_vocabulary(sketch);

  std::vector<size_t> order(good.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  base::Rng rng(options.seed, "sketch");
  rng.shuffle(std::span(order));  // any prefix of the rows is then a random sample of them
  sketch.dim = static_cast<int>(good[0]->embedding.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const Observation& row = *good[order[i]];
    const ReferenceRow reduced = reduce(row, words[order[i]], vocabulary, sketch.labels.size());
    for (const std::string& group : text::mentioned_groups(bounded(row.text))) {
      GroupCount& count = sketch.groups[group];
      count.labels.resize(sketch.labels.size());
      ++count.rows;
      if (reduced.label >= 0) {
        ++count.labels[reduced.label];
      }
    }
    if (i < static_cast<size_t>(options.max_rows)) {
      sketch.rows.push_back(reduced);
      if (i < static_cast<size_t>(options.max_embeddings)) {
        sketch.embeddings.insert(sketch.embeddings.end(), row.embedding.begin(), row.embedding.end());
      }
    }
  }
  return sketch;
}

}  // namespace slipway::monitor
