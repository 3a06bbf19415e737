// What may be asked of traces: attributes, tags, metadata, spans, feedback, expectations and issues. Some attributes
// are kept as tags or metadata; the names here lead there.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "api/errors.h"
#include "api/filter.h"
#include "api/filter_parts.h"
#include "record/traces.h"

namespace slipway::api {
namespace {

using filter_parts::python_set;
using filter_parts::without_quotes;
using record::Comparator;
using record::Condition;
using record::Entity;

struct Field {
  std::string_view type;  // as MLflow calls it
  Entity entity = Entity::kAttribute;
  std::string key;  // as it is asked for; then as it is kept
};

struct Kind {
  std::string_view name;
  std::string_view type;
  Entity entity;
};
constexpr std::array<Kind, 11> kKinds = {{{"attribute", "attribute", Entity::kAttribute},
                                          {"attributes", "attribute", Entity::kAttribute},
                                          {"expectation", "expectation", Entity::kExpectation},
                                          {"feedback", "feedback", Entity::kFeedback},
                                          {"issue", "issue", Entity::kIssue},
                                          {"metadata", "request_metadata", Entity::kMetadata},
                                          {"request_metadata", "request_metadata", Entity::kMetadata},
                                          {"span", "span", Entity::kSpan},
                                          {"tag", "tag", Entity::kTag},
                                          {"tags", "tag", Entity::kTag},
                                          {"trace", "attribute", Entity::kAttribute}}};

constexpr std::array<std::string_view, 13> kKeys = {
    "client_request_id", "end_time", "end_time_ms", "execution_time", "execution_time_ms", "name",        "prompt",
    "request_id",        "run_id",   "status",      "text",           "timestamp",         "timestamp_ms"};
constexpr std::array<std::string_view, 11> kOrderKeys = {
    "end_time",   "end_time_ms", "execution_time", "execution_time_ms", "experiment_id", "name",
    "request_id", "run_id",      "status",         "timestamp",         "timestamp_ms"};
constexpr std::array<std::string_view, 6> kNumbers = {"end_time",          "end_time_ms", "execution_time",
                                                      "execution_time_ms", "timestamp",   "timestamp_ms"};
constexpr std::array<std::string_view, 5> kListKeys = {"client_request_id", "name", "request_id", "run_id", "status"};
constexpr std::array<std::string_view, 3> kSpanKeys = {"name", "type", "status"};

constexpr std::array<std::string_view, 6> kNumberOperators = {"!=", "<", "<=", "=", ">", ">="};
constexpr std::array<std::string_view, 7> kPairOperators = {"!=",      "=",    "ILIKE", "IS NOT NULL",
                                                            "IS NULL", "LIKE", "RLIKE"};
constexpr std::array<std::string_view, 7> kTextOperators = {"!=", "=", "ILIKE", "IN", "LIKE", "NOT IN", "RLIKE"};
constexpr std::array<std::string_view, 11> kAssessmentOperators = {
    "!=", "<", "<=", "=", ">", ">=", "ILIKE", "IS NOT NULL", "IS NULL", "LIKE", "RLIKE"};
constexpr std::array<std::string_view, 2> kContentOperators = {"ILIKE", "LIKE"};
constexpr std::array<std::string_view, 1> kIssueOperators = {"="};

template <class List>
bool has(const List& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

Field field_of(std::string_view text, std::span<const std::string_view> keys) {
  const size_t point = text.find('.');
  const std::string_view entity = point == std::string_view::npos ? "attribute" : without_quotes(text.substr(0, point));
  const std::string_view key = without_quotes(point == std::string_view::npos ? text : text.substr(point + 1));
  const auto* const kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == entity; });
  if (kind == kKinds.end()) {
    std::vector<std::string_view> names;
    for (const Kind& known : kKinds) {
      names.push_back(known.name);
    }
    invalid(fmt::format("Invalid entity type '{}'. Valid values are {}", entity, python_set(names)));
  }
  if (kind->entity == Entity::kAttribute && std::find(keys.begin(), keys.end(), key) == keys.end()) {
    invalid(fmt::format("Invalid attribute key '{}' specified. Valid keys are '{}'", key, python_set(keys)));
  }
  return {kind->type, kind->entity, std::string(key)};
}

// Where an attribute is kept.
void resolve(Field& field) {
  if (field.entity == Entity::kSpan) {
    return;
  }
  if (field.key == "name") {
    field = {"tag", Entity::kTag, record::kTraceNameTag};
  } else if (field.key == "run_id") {
    field = {"request_metadata", Entity::kMetadata, record::kSourceRunKey};
  } else if (field.key == "text" && field.entity == Entity::kAttribute) {
    field = {"span", Entity::kSpan, "content"};
  } else if (field.key == "request_id" && field.entity == Entity::kAttribute) {
    field.key = "trace_id";
  } else if (field.key == "timestamp" || field.key == "execution_time" || field.key == "end_time") {
    field.key += "_ms";
  }
}

void check_in(std::string_view what, std::string_view op, std::span<const std::string_view> allowed) {
  if (std::find(allowed.begin(), allowed.end(), op) == allowed.end()) {
    invalid(fmt::format("{} '{}' not one of '{}'", what, op, python_set(allowed)));
  }
}

void check_span(const Field& field, std::string_view op) {
  constexpr std::string_view kAttributes = "attributes.";
  const std::string what = fmt::format("span.{} comparator", field.key);
  if (field.key.starts_with(kAttributes)) {
    if (field.key.size() == kAttributes.size()) {
      invalid("Span attribute name cannot be empty after 'attributes.'");
    }
    check_in(what, op, kTextOperators);
  } else if (has(kSpanKeys, field.key)) {
    check_in(what, op, kTextOperators);
  } else if (field.key == "content") {
    check_in(what, op, kContentOperators);
  } else {
    invalid(
        fmt::format("Invalid span attribute '{}'. Supported attributes: name, status, type, "
                    "attributes.<attribute_name>.",
                    field.key));
  }
}

void check_operator(const Field& field, bool number, std::string_view op) {
  switch (field.entity) {
    case Entity::kSpan: check_span(field, op); return;
    case Entity::kTag:
      // A name is kept as a tag, but may be one of a list.
      check_in("Invalid comparator", op == "IN" || op == "NOT IN" ? "=" : op, kPairOperators);
      return;
    case Entity::kMetadata:
      check_in("Invalid comparator", op == "IN" || op == "NOT IN" ? "=" : op, kPairOperators);
      return;
    case Entity::kFeedback:
    case Entity::kExpectation:
      if (field.key.empty()) {
        invalid("Assessment field name cannot be empty");
      }
      check_in(fmt::format("assessment.{} comparator", field.key), op, kAssessmentOperators);
      return;
    case Entity::kIssue:
      if (field.key != "id") {
        invalid(fmt::format("Invalid issue attribute '{}'. Supported attributes: id", field.key));
      }
      check_in("issue.id comparator", op, kIssueOperators);
      return;
    default:
      if (number) {
        check_in("Invalid comparator", op, kNumberOperators);
      } else {
        check_in("Invalid comparator", op, kTextOperators);
      }
  }
}

bool is_text(const Token& token) { return token.kind == TokenKind::kText || token.kind == TokenKind::kName; }

std::string text_of(const Token& token) {
  if (!filter_parts::has_quotes(token.text, '\'') && !filter_parts::has_quotes(token.text, '"')) {
    invalid(
        fmt::format("Parameter value is either not quoted or unidentified quote types used for string value {}. Use "
                    "either single or double quotes.",
                    token.text));
  }
  return std::string(without_quotes(token.text));
}

// Times and durations are whole milliseconds; 1e3 is 1000.
int64_t number_of(std::string_view text) {
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size()) {
    return whole;
  }
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr double kMost = 9e18;
  if (std::trunc(value) != value || std::abs(value) > kMost) {
    invalid(fmt::format("times are whole numbers of milliseconds, not {}", text));
  }
  return static_cast<int64_t>(value);
}

decltype(Condition::value) assessment_value(const Field& field, std::string_view op, const Token& token) {
  const bool ordered = op.front() == '<' || op.front() == '>';
  if (ordered && token.kind != TokenKind::kNumber) {
    invalid(fmt::format("Expected a numeric value for {} when using comparator '{}'. Got value {}", field.type, op,
                        token.text));
  }
  if (ordered) {
    double amount = 0;
    std::from_chars(token.text.data(), token.text.data() + token.text.size(), amount);
    return amount;
  }
  if (!is_text(token)) {
    invalid(
        fmt::format("Expected a quoted string value for {} (e.g. 'my-value'). Got value {}", field.type, token.text));
  }
  return text_of(token);
}

decltype(Condition::value) value_of(const Field& field, std::string_view op, const Token& token) {
  const bool attribute = field.entity == Entity::kAttribute;
  if (field.entity == Entity::kFeedback || field.entity == Entity::kExpectation) {
    return assessment_value(field, op, token);
  }
  if (is_text(token)) {
    return text_of(token);
  }
  if (token.kind == TokenKind::kList) {
    if (attribute && !has(kListKeys, field.key)) {
      invalid(fmt::format("Only attributes in {} supports comparison with a list of quoted string values.",
                          python_set(kListKeys)));
    }
    if (attribute || field.entity == Entity::kTag || field.entity == Entity::kSpan) {
      return filter_parts::texts_of_list(token.text);
    }
  }
  if (attribute && token.kind == TokenKind::kNumber) {
    if (!has(kNumbers, field.key)) {
      invalid(fmt::format("Only the '{}' attributes support comparison with numeric values.", python_set(kNumbers)));
    }
    return number_of(token.text);
  }
  invalid(attribute
              ? fmt::format("Expected a quoted string value or a list of quoted string values for attributes. Got "
                            "value {}",
                            token.text)
              : fmt::format("Expected a quoted string value for {} (e.g. 'my-value'). Got value {}", field.type,
                            token.text));
}

void check_prompt(const Condition& condition) {
  const auto* text = std::get_if<std::string>(&condition.value);
  if (condition.comparator != Comparator::kEqual || text == nullptr) {
    invalid("Invalid comparator for prompts filter. Only '=' is supported with format: prompt = \"name/version\"");
  }
  if (std::count(text->begin(), text->end(), '/') != 1) {
    invalid(fmt::format("Invalid prompts filter value '{}'. Expected format: prompt = \"name/version\"", *text));
  }
}

}  // namespace

Condition trace_condition(const Token& left, const Token& op, const Token* right) {
  if (left.kind != TokenKind::kName) {
    invalid(fmt::format("Invalid comparison clause. Expected 'Identifier' found '{}'", left.text));
  }
  Field field = field_of(left.text, kKeys);
  const bool number = field.entity == Entity::kAttribute && has(kNumbers, field.key);
  Condition condition;
  if (right != nullptr) {
    condition.value = value_of(field, op.word, *right);
  }
  if (number && right != nullptr && std::holds_alternative<std::string>(condition.value)) {
    invalid(fmt::format("Expected numeric value type for numeric attribute: {}. Found {}", field.key, right->text));
  }
  resolve(field);
  check_operator(field, number, op.word);
  if (!filter_parts::is_operator_word(op.word)) {
    invalid(fmt::format("Invalid comparator '{}'", op.word));
  }
  condition.entity = field.entity;
  condition.comparator = filter_parts::comparator(op.word);
  condition.key = field.key;
  const bool list = std::holds_alternative<std::vector<std::string>>(condition.value);
  if (right != nullptr &&
      list != (condition.comparator == Comparator::kIn || condition.comparator == Comparator::kNotIn)) {
    invalid(fmt::format("Invalid comparison clause. '{}' does not go with '{}'", op.word, right->text));
  }
  if (condition.entity == Entity::kAttribute && condition.key == "prompt") {
    check_prompt(condition);
  }
  return condition;
}

record::Ordering trace_ordering(std::string_view text) {
  Field field = field_of(text, kOrderKeys);
  resolve(field);
  if (field.entity != Entity::kAttribute && field.entity != Entity::kTag && field.entity != Entity::kMetadata) {
    invalid(fmt::format("Invalid identifier type '{}'", field.type));
  }
  return {field.entity, field.key, true};
}

}  // namespace slipway::api
