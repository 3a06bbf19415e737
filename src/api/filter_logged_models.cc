// What may be asked of logged models: fewer forms than of runs, other words for what is wrong.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "api/errors.h"
#include "api/filter.h"
#include "api/filter_parts.h"

namespace slipway::api {
namespace {

using record::Comparator;
using record::Condition;
using record::Entity;

struct Field {
  Entity entity = Entity::kAttribute;
  std::string key;
  bool number = false;
  std::string text() const;
};

constexpr std::array<std::pair<std::string_view, Entity>, 4> kEntities = {{{"attributes", Entity::kAttribute},
                                                                           {"metrics", Entity::kMetric},
                                                                           {"params", Entity::kParam},
                                                                           {"tags", Entity::kTag}}};
constexpr std::array<std::string_view, 7> kKeys = {
    "name", "model_id", "model_type", "status", "source_run_id", "creation_timestamp_ms", "last_updated_timestamp_ms"};
constexpr std::array<std::string_view, 6> kNumberOperators = {"<", "<=", ">", ">=", "=", "!="};
constexpr std::array<std::string_view, 6> kTextOperators = {"=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"};

std::string Field::text() const {
  const auto* const found =
      std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& known) { return known.second == entity; });
  return fmt::format("{}.{}", found->first, key);
}

std::string_view stripped(std::string_view text) {
  while (text.starts_with('`')) {
    text.remove_prefix(1);
  }
  while (text.ends_with('`')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string_view without_alias(std::string_view key) {
  if (key == "creation_time" || key == "creation_timestamp") {
    return "creation_timestamp_ms";
  }
  return key == "last_updated_timestamp" ? "last_updated_timestamp_ms" : key;
}

Field field_of(std::string_view text) {
  Field field;
  const size_t point = text.find('.');
  std::string_view key = text;
  if (point != std::string_view::npos && point > 0 && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == point) {
    const auto* const found = std::find_if(kEntities.begin(), kEntities.end(),
                                           [&](const auto& known) { return known.first == text.substr(0, point); });
    if (found == kEntities.end()) {
      invalid(fmt::format("Invalid entity type: '{}'. Expected one of ['attributes', 'metrics', 'params', 'tags'].",
                          text.substr(0, point)));
    }
    field.entity = found->second;
    key = text.substr(point + 1);
  }
  key = stripped(key);
  if (field.entity == Entity::kAttribute) {
    key = without_alias(key);
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      invalid(fmt::format("Invalid attribute '{}'. Logged models have: {}", key, filter_parts::python_set(kKeys)));
    }
  }
  field.key = key;
  field.number = field.entity == Entity::kMetric || field.key.ends_with("_ms");
  return field;
}

template <size_t N>
std::string tuple(const std::array<std::string_view, N>& items) {
  std::string out;
  for (const std::string_view item : items) {
    out += (out.empty() ? "" : ", ") + python_repr(item);
  }
  return "(" + out + ")";
}

void check_operator(const Field& field, std::string_view op) {
  const auto& allowed = field.number ? kNumberOperators : kTextOperators;
  if (std::find(allowed.begin(), allowed.end(), op) == allowed.end()) {
    invalid(fmt::format("Invalid comparison operator for {}: {}. Expected one of {}.", field.text(), python_repr(op),
                        tuple(allowed)));
  }
}

}  // namespace

Condition logged_model_condition(const Token& left, const Token& op, const Token* right) {
  if (right == nullptr) {
    invalid(fmt::format("Invalid comparison: {} {}. Expected a comparison with 3 tokens.", left.text, op.text));
  }
  const Field field = field_of(left.text);
  check_operator(field, op.word);
  Condition condition{field.entity, field.key, filter_parts::comparator(op.word), {}};
  if (field.number) {
    double value = 0;
    const auto [end, error] = std::from_chars(right->text.data(), right->text.data() + right->text.size(), value);
    if (error != std::errc() || end != right->text.data() + right->text.size()) {
      invalid(fmt::format("Invalid comparison: {} needs a number, found {}.", field.text(), right->text));
    }
    if (field.entity == Entity::kMetric) {
      condition.value = value;
      return condition;
    }
    if (std::trunc(value) != value || std::abs(value) > 9e18) {
      invalid(fmt::format("Invalid comparison: {} is a whole number of milliseconds, not {}.", field.text(), right->text));
    }
    condition.value = static_cast<int64_t>(value);
    return condition;
  }
  const bool wants_list = condition.comparator == Comparator::kIn || condition.comparator == Comparator::kNotIn;
  if ((right->kind == TokenKind::kList) != wants_list) {
    invalid(fmt::format("Invalid comparison: {} {} needs {}, found {}.", field.text(), op.word,
                        wants_list ? "a list of quoted texts" : "one quoted text", right->text));
  }
  if (wants_list) {
    condition.value = filter_parts::texts_of_list(right->text);
  } else {
    condition.value = std::string(filter_parts::without_quotes(right->text));
  }
  return condition;
}

record::Ordering logged_model_ordering(const std::string& field_name, bool ascending) {
  const size_t point = field_name.find('.');
  if (point == std::string::npos) {
    const std::string_view key = without_alias(field_name);
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      invalid(fmt::format("Invalid order by field name: {}", field_name));
    }
    return {Entity::kAttribute, std::string(key), ascending};
  }
  if (field_name.substr(0, point) != "metrics") {
    invalid(fmt::format("Invalid order by field name: {}. Only metrics are supported.", field_name));
  }
  return {Entity::kMetric, field_name.substr(point + 1), ascending};
}

}  // namespace slipway::api
