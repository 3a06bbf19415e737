#include "cli/project/rows.h"

namespace slipway::cli {

evaluate::Rows labelled_rows(const data::Dataset& dataset, data::Split split) {
  evaluate::Rows rows;
  data::RowReader reader = dataset.rows(split);
  data::Document row;
  while (reader.next(row)) {
    const int label = dataset.label_index(row.label);
    if (label >= 0) {
      rows.texts.push_back(row.text);
      rows.truth.push_back(label);
      rows.sources.push_back(row.source);
    }
  }
  return rows;
}

}  // namespace slipway::cli
