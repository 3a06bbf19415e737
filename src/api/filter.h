// The search language of MLflow (`metrics.acc > 0.9 AND tags."a b" LIKE 'x%'`): a lexer, a parser into typed
// conditions, and what each kind of search knows and allows. Texts of errors are those of MLflow. Pure; any thread.
// Limits: 64 KiB, 100 conditions, 1000 items in a list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/tracking.h"

namespace slipway::api {

// What may be asked of one kind of record.
struct Grammar {
  bool runs;  // metrics, params, tags and datasets; else tags only
  std::span<const std::string_view> text_attributes;
  std::span<const std::string_view> number_attributes;
  std::span<const std::string_view> list_attributes;   // that may be compared with a list
  std::span<const std::string_view> order_attributes;  // other names that one may order by, but not ask for
};
const Grammar& run_grammar() noexcept;
const Grammar& experiment_grammar() noexcept;
const Grammar& model_grammar() noexcept;
const Grammar& version_grammar() noexcept;

// Throws ApiError(INVALID_PARAMETER_VALUE).
std::vector<record::Condition> parse_filter(std::string_view filter, const Grammar& grammar);
// Clauses like "metrics.acc DESC". A field that comes twice is refused.
std::vector<record::Ordering> parse_order(std::span<const std::string> clauses, const Grammar& grammar);

}  // namespace slipway::api
