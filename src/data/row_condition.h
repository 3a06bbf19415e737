// `row_condition` of expectations: which rows are looked at. Great Expectations' forms: an object ({type: comparison | nullity | and | or,
// …}), or a text of `condition_parser` "great_expectations" (col("a") > 3, col("b").notNull()) or "pandas" (a > 3 and b == "x", c in [1, 2],
// d.isnull(), not (…)). Comparisons with null are false, but != and not in, which are true; those of unlike kinds are false, but !=.
#pragma once

#include <memory>
#include <string>

#include "data/expectation_check.h"

namespace slipway::data {

class RowCondition {
 public:
  virtual ~RowCondition() = default;
  virtual bool holds(const RowCells& row) const = 0;
};

// The columns it speaks of are added to `columns`. Fails by kwargs.fail for anything else: where, what, what there is. At most 100
// comparisons, 16 levels.
std::unique_ptr<RowCondition> parse_row_condition(Kwargs& kwargs, Columns& columns, std::vector<size_t>& used);

// The rows for which the condition holds are all that `check` sees; it counts them.
std::unique_ptr<ExpectationCheck> conditioned(std::unique_ptr<ExpectationCheck> check, std::unique_ptr<RowCondition> condition, std::vector<size_t> used);

}  // namespace slipway::data
