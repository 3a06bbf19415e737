// The search language of MLflow (`metrics.acc > 0.9 AND tags."a b" LIKE 'x%'`): a lexer, a parser into typed
// conditions, and what each kind of search knows and allows. Texts of errors are those of MLflow. Pure; any thread.
// Limits: 64 KiB, 100 conditions, 1000 items in a list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/filter_lexer.h"
#include "record/tracking.h"

namespace slipway::api {

// What may be asked of one kind of record.
struct Grammar {
  bool runs;  // metrics, params, tags and datasets; else tags only
  std::span<const std::string_view> text_attributes;
  std::span<const std::string_view> number_attributes;
  std::span<const std::string_view> list_attributes;   // that may be compared with a list
  std::span<const std::string_view> order_attributes;  // other names that one may order by, but not ask for
  // Where the rules above do not do: a comparison, of which `right` is null for IS [NOT] NULL; a field to order by.
  record::Condition (*condition)(const Token& left, const Token& op, const Token* right) = nullptr;
  record::Ordering (*ordering)(std::string_view field) = nullptr;
};
const Grammar& run_grammar() noexcept;
const Grammar& experiment_grammar() noexcept;
const Grammar& model_grammar() noexcept;
const Grammar& version_grammar() noexcept;
const Grammar& logged_model_grammar() noexcept;
const Grammar& trace_grammar() noexcept;
const Grammar& eval_dataset_grammar() noexcept;

// Throws ApiError(INVALID_PARAMETER_VALUE).
std::vector<record::Condition> parse_filter(std::string_view filter, const Grammar& grammar);
// Clauses like "metrics.acc DESC". A field that comes twice is refused.
std::vector<record::Ordering> parse_order(std::span<const std::string> clauses, const Grammar& grammar);

// The parts of the grammars that have rules of their own (filter_logged_models.cc, filter_traces.cc).
record::Condition logged_model_condition(const Token& left, const Token& op, const Token* right);
record::Ordering logged_model_ordering(const std::string& field_name, bool ascending);
record::Condition trace_condition(const Token& left, const Token& op, const Token* right);
record::Ordering trace_ordering(std::string_view field);

}  // namespace slipway::api
