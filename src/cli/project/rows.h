// Rows of a dataset as the rooms that measure models want them.
#pragma once

#include "data/dataset.h"
#include "evaluate/evaluate.h"

namespace slipway::cli {

// Texts, label indices and sources of one split; rows whose label is not one of the dataset's are left out.
evaluate::Rows labelled_rows(const data::Dataset& dataset, data::Split split);

}  // namespace slipway::cli
