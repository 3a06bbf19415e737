// What a version of a dataset holds, as the facts of a report (docs/formats/data-report.md): a scan told in full, and what is made of its
// sample: clusters of near-duplicates, quality, a map of the texts.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/table_compare.h"
#include "data/table_scan.h"

namespace slipway::data {

enum class MapMethod { kPca, kTsne, kNone };

struct ReportOptions {
  MapMethod map = MapMethod::kPca;
  int64_t points = 1000;  // of the map
  int64_t clusters = 8;   // colours of the map, when there are no labels to compare with
  int64_t examples = 10;  // clusters of near-duplicates that are shown
  double jaccard = 0.8;
  uint64_t seed = 7;
  uint64_t memory_bytes = uint64_t{256} << 20U;
  std::filesystem::path work;
  // Embeddings [texts, dimension], row-major, of a model, and what it is called; none: hashed words and pairs of words by TF-IDF.
  std::function<std::vector<float>(const std::vector<std::string>& texts)> embed;
  std::string embedder;
};

// `before` and its comparison are left out where there is none. Throws Error(kInterrupted), and what `embed` throws.
Json report_facts(const TableScan& scan, const TableScan* before, const TableComparison* comparison, const ReportOptions& options, base::Context& context);

}  // namespace slipway::data
