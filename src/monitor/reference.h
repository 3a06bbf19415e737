// What "normal" looks like: a sketch of held-out in-domain rows, made when a model version is trained and kept with it
// (artifact kind "sketch"; format in docs/formats/sketch.md). From it the monitor knows, for any window size, how far a
// window of unchanged traffic may lie from the reference by chance. Values; safe to share between threads once built.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/pool.h"
#include "monitor/observation.h"

namespace slipway::monitor {

struct SketchOptions {
  int max_rows = 2000;        // kept of the rows given, drawn by seed
  int max_embeddings = 1000;  // of them with their embedding
  int max_vocabulary = 5000;  // most frequent words kept by name; the others are one class
  uint64_t seed = 7;
};

// One reference row, reduced to what the tests need.
struct ReferenceRow {
  float length = 0;             // tokens
  float score = 0;              // of label 1 with two labels, else of the predicted label
  int label = -1;               // predicted; -1 when the row has no scores
  int words = 0;                // all words, with those outside the vocabulary
  std::vector<int> vocabulary;  // the word numbers of those inside, in order of the text, with repeats
};

struct GroupCount {
  int64_t rows = 0;
  std::vector<int64_t> labels;  // predictions of each label
};

struct ReferenceSketch {
  std::string model;                // "movie-sentiment/3", for people; may be empty
  std::vector<std::string> labels;  // the model's labels, in order
  std::vector<std::string> vocabulary;
  std::vector<int64_t> word_counts;          // of the vocabulary, over all rows given
  int64_t words = 0;                         // all words, over all rows given
  std::map<std::string, int64_t> languages;  // rows by language code
  std::map<std::string, GroupCount> groups;  // rows that mention a group of people, over all rows given
  int64_t rows_given = 0;
  std::vector<ReferenceRow> rows;
  int dim = 0;                    // of embeddings; 0: none
  std::vector<float> embeddings;  // [first rows of `rows`, dim]
  base::Json meta;                // free: dataset digest, split, ...

  int64_t embedding_rows() const { return dim == 0 ? 0 : static_cast<int64_t>(embeddings.size()) / dim; }
};

// Sketches rows whose prediction is known (rows with `error` are left out). At least 50 rows must remain, all with
// `labels.size()` scores and embeddings of one length (or none at all); else Error(kInvalid) naming the row.
ReferenceSketch build_sketch(std::span<const Observation> rows, std::vector<std::string> labels,
                             const SketchOptions& options = {});

// The file: magic, JSON header, embeddings. parse_sketch throws Error(kIntegrity) naming `source` and what is wrong;
// safe on untrusted bytes (limits: 64 MiB header, 1,000,000 rows, 16,384 dims).
std::string serialize_sketch(const ReferenceSketch& sketch);
ReferenceSketch parse_sketch(std::string_view bytes, std::string_view source);
void save_sketch(const ReferenceSketch& sketch, const std::filesystem::path& path);
ReferenceSketch load_sketch(const std::filesystem::path& path);

}  // namespace slipway::monitor
