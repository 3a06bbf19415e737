#include "api/filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <set>

#include "api/errors.h"
#include "api/filter_lexer.h"
#include "api/filter_parts.h"

namespace slipway::api {
namespace {

using record::Comparator;
using record::Condition;
using record::Entity;
using record::Ordering;

constexpr size_t kMaxFilter = size_t{64} << 10;
constexpr size_t kMaxConditions = 100;
constexpr size_t kMaxOrderings = 100;

constexpr std::array<std::string_view, 5> kRunTexts = {"artifact_uri", "run_id", "run_name", "status", "user_id"};
constexpr std::array<std::string_view, 2> kRunNumbers = {"end_time", "start_time"};
constexpr std::array<std::string_view, 2> kExperimentTexts = {"experiment_id", "name"};
constexpr std::array<std::string_view, 2> kExperimentNumbers = {"creation_time", "last_update_time"};
constexpr std::array<std::string_view, 3> kDatasetKeys = {"context", "digest", "name"};

constexpr std::array<std::string_view, 6> kNumberOperators = {"!=", "<", "<=", "=", ">", ">="};
constexpr std::array<std::string_view, 6> kPairOperators = {"!=", "=", "ILIKE", "IS NOT NULL", "IS NULL", "LIKE"};
constexpr std::array<std::string_view, 6> kTextOperators = {"!=", "=", "ILIKE", "IN", "LIKE", "NOT IN"};

template <class List>
bool has(const List& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string shown(std::span<const std::string_view> items) { return filter_parts::python_set(items); }
bool is_quoted(std::string_view text, char quote) { return filter_parts::has_quotes(text, quote); }
std::string_view unquoted(std::string_view text) { return filter_parts::without_quotes(text); }

std::optional<Entity> entity_of(std::string_view name) {
  struct Alias {
    std::string_view name;
    Entity entity;
  };
  static constexpr std::array<Alias, 14> kAliases = {{{"metric", Entity::kMetric},
                                                      {"metrics", Entity::kMetric},
                                                      {"parameter", Entity::kParam},
                                                      {"parameters", Entity::kParam},
                                                      {"param", Entity::kParam},
                                                      {"params", Entity::kParam},
                                                      {"tag", Entity::kTag},
                                                      {"tags", Entity::kTag},
                                                      {"attribute", Entity::kAttribute},
                                                      {"attributes", Entity::kAttribute},
                                                      {"attr", Entity::kAttribute},
                                                      {"run", Entity::kAttribute},
                                                      {"dataset", Entity::kDataset},
                                                      {"datasets", Entity::kDataset}}};
  const auto* const found =
      std::find_if(kAliases.begin(), kAliases.end(), [&](const Alias& a) { return a.name == name; });
  return found == kAliases.end() ? std::nullopt : std::optional(found->entity);
}

std::string_view without_alias(std::string_view key) {
  if (key == "created" || key == "Created") {
    return "start_time";
  }
  if (key == "run name" || key == "Run name" || key == "Run Name") {
    return "run_name";
  }
  return key;
}

struct Identifier {
  Entity entity = Entity::kAttribute;
  std::string key;
  bool number = false;  // compares with numbers
};

Identifier identifier_of(std::string_view text, const Grammar& grammar, bool ordering = false) {
  const size_t point = text.find('.');
  std::string_view entity = point == std::string_view::npos ? "attribute" : text.substr(0, point);
  const std::string_view raw_key = point == std::string_view::npos ? text : text.substr(point + 1);
  Identifier id;
  if (grammar.runs) {
    entity = is_quoted(entity, '`') ? unquoted(entity) : entity;
    const auto known = entity_of(entity);
    if (!known) {
      invalid(
          fmt::format("Invalid entity type '{}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', "
                      "'dataset']",
                      entity));
    }
    id.entity = *known;
  } else {
    static constexpr std::array<std::string_view, 4> kKnown = {"attribute", "attributes", "tag", "tags"};
    if (!has(kKnown, entity)) {
      invalid(fmt::format("Invalid entity type '{}'. Valid entity types are ('attribute', 'attributes', 'tag', 'tags')",
                          entity));
    }
    id.entity = *entity_of(entity);
  }
  std::string_view key = unquoted(raw_key);
  if (id.entity == Entity::kAttribute) {
    key = grammar.runs ? without_alias(key) : key;
    id.number = has(grammar.number_attributes, key);
    const bool orders = ordering && has(grammar.order_attributes, key);
    const bool known = id.number || orders || has(grammar.text_attributes, key);
    key = orders && key == "timestamp" ? std::string_view("last_updated_timestamp") : key;
    if (!known) {
      std::vector<std::string_view> valid(grammar.text_attributes.begin(), grammar.text_attributes.end());
      valid.insert(valid.end(), grammar.number_attributes.begin(), grammar.number_attributes.end());
      std::sort(valid.begin(), valid.end());
      invalid(fmt::format("Invalid attribute key '{}' specified. Valid keys are '{}'", key, shown(valid)));
    }
  } else if (id.entity == Entity::kDataset && !has(kDatasetKeys, key)) {
    invalid(fmt::format("Invalid dataset key '{}' specified. Valid keys are '{}'", key, shown(kDatasetKeys)));
  }
  id.number = id.number || id.entity == Entity::kMetric;
  id.key = key;
  return id;
}

const char* name_of(Entity entity) {
  switch (entity) {
    case Entity::kMetric: return "metric";
    case Entity::kParam: return "parameter";
    case Entity::kTag: return "tag";
    case Entity::kDataset: return "dataset";
    default: return "attribute";
  }
}

double real_of(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

decltype(Condition::value) number_of(const Identifier& id, std::string_view text) {
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (id.entity != Entity::kMetric && error == std::errc() && end == text.data() + text.size()) {
    return whole;
  }
  return real_of(text);
}

decltype(Condition::value) value_of(const Identifier& id, const Token& token, const Grammar& grammar) {
  const bool name = token.kind == TokenKind::kName;
  if (id.number) {
    if (token.kind != TokenKind::kNumber) {
      invalid(id.entity == Entity::kMetric
                  ? fmt::format("Expected numeric value type for metric. Found {}", token.text)
                  : fmt::format("Expected numeric value type for numeric attribute: {}. Found {}", id.key, token.text));
    }
    return number_of(id, token.text);
  }
  if (token.kind == TokenKind::kText || name) {
    if (!is_quoted(token.text, '\'') && !is_quoted(token.text, '"')) {
      invalid(
          fmt::format("Parameter value is either not quoted or unidentified quote types used for string value {}. "
                      "Use either single or double quotes.",
                      token.text));
    }
    return std::string(unquoted(token.text));
  }
  const bool pair = id.entity == Entity::kParam || id.entity == Entity::kTag;
  if (token.kind == TokenKind::kList && !pair) {
    if (id.entity == Entity::kAttribute && !has(grammar.list_attributes, id.key)) {
      std::string keys;
      for (const std::string_view key : grammar.list_attributes) {
        keys += (keys.empty() ? "" : ", ") + python_repr(key);
      }
      invalid(fmt::format("Only [{}] attributes support comparison with a list of quoted string values.", keys));
    }
    return filter_parts::texts_of_list(token.text);
  }
  if (pair) {
    invalid(fmt::format("Expected a quoted string value for {} (e.g. 'my-value'). Got value {}", name_of(id.entity),
                        token.text));
  }
  invalid(fmt::format("Expected a quoted string value for {}. Got value {}",
                      id.entity == Entity::kDataset ? "dataset attributes" : "attributes", token.text));
}

// Only comparators that the field allows.
Comparator comparator_of(const Identifier& id, const Token& token, const Grammar& grammar) {
  const bool pair = id.entity == Entity::kParam || id.entity == Entity::kTag;
  const auto& allowed = id.number ? kNumberOperators : pair ? kPairOperators : kTextOperators;
  const bool number_key = !grammar.runs && id.key == "experiment_id" && id.entity == Entity::kAttribute;
  const bool pattern = token.word == "LIKE" || token.word == "ILIKE";
  if (!has(allowed, token.word) || (number_key && pattern)) {
    if (!grammar.runs) {
      invalid(fmt::format("Invalid comparator for {}: {}",
                          id.entity == Entity::kTag ? "tag"
                          : number_key              ? "experiment_id"
                          : id.number               ? "numeric attribute"
                                                    : "string attribute",
                          token.word));
    }
    const bool closing = id.entity == Entity::kParam || (id.entity == Entity::kAttribute && !id.number);
    invalid(fmt::format("Invalid comparator '{}' not one of '{}{}", token.word, shown(allowed), closing ? "'" : ""));
  }
  return filter_parts::comparator(token.word);
}

void check_presence(const Identifier& id, const Grammar& grammar) {
  if (id.entity == Entity::kTag || (grammar.runs && id.entity == Entity::kParam)) {
    return;
  }
  if (grammar.runs) {
    invalid(fmt::format("IS NULL / IS NOT NULL is only supported for tags and params, not for '{}' '{}'",
                        name_of(id.entity), id.key));
  }
  invalid(fmt::format("IS NULL / IS NOT NULL is only supported for tags, not for attribute '{}'", id.key));
}

// The ids of experiments are numbers, whatever quotes they have.
void number_ids(Condition& condition) {
  const auto number = [](const std::string& text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      invalid(fmt::format("Invalid experiment ID '{}'. Experiment ID must be a valid integer.", text));
    }
    return value;
  };
  if (auto* text = std::get_if<std::string>(&condition.value)) {
    condition.value = number(*text);
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&condition.value)) {
    for (const std::string& item : *list) {
      number(item);
    }
  }
}

bool is_presence(const Token& token) { return token.word == "IS NULL" || token.word == "IS NOT NULL"; }

Condition comparison(const Token& left, const Token& op, const Token* right, const Grammar& grammar) {
  if (left.kind != TokenKind::kName) {
    invalid(fmt::format("Invalid comparison clause. Expected 'Identifier' found '{}'", left.text));
  }
  const Identifier id = identifier_of(left.text, grammar);
  Condition condition{id.entity, id.key, Comparator::kEqual, {}};
  if (right == nullptr) {
    check_presence(id, grammar);
  } else {
    condition.value = value_of(id, *right, grammar);
  }
  condition.comparator = comparator_of(id, op, grammar);
  const bool list = std::holds_alternative<std::vector<std::string>>(condition.value);
  const bool wants_list = condition.comparator == Comparator::kIn || condition.comparator == Comparator::kNotIn;
  if (right != nullptr && list != wants_list) {
    invalid(fmt::format("Invalid comparison clause. '{}' needs {}, found '{}'", op.word,
                        wants_list ? "a list of quoted string values" : "one value", right->text));
  }
  if (!grammar.runs && id.entity == Entity::kAttribute) {
    if (id.key == "experiment_id") {
      number_ids(condition);
    } else if (id.number && std::holds_alternative<double>(condition.value)) {
      invalid(fmt::format("Invalid value for numeric attribute '{}': '{}'", id.key, right->text));
    }
  }
  return condition;
}

Identifier own_identifier(std::string_view text, const Grammar& grammar) {
  record::Ordering ordering = grammar.ordering(text);
  return {ordering.entity, std::move(ordering.key), false};
}

bool is_operand(const Token& token) {
  return token.kind == TokenKind::kName || token.kind == TokenKind::kText || token.kind == TokenKind::kNumber;
}

}  // namespace

const Grammar& run_grammar() noexcept {
  static constexpr std::array<std::string_view, 1> kLists = {"run_id"};
  static constexpr Grammar kGrammar{true, kRunTexts, kRunNumbers, kLists, {}};
  return kGrammar;
}

const Grammar& experiment_grammar() noexcept {
  static constexpr std::array<std::string_view, 1> kLists = {"experiment_id"};
  static constexpr Grammar kGrammar{false, kExperimentTexts, kExperimentNumbers, kLists, {}};
  return kGrammar;
}

const Grammar& model_grammar() noexcept {
  static constexpr std::array<std::string_view, 1> kTexts = {"name"};
  static constexpr std::array<std::string_view, 3> kOrder = {"creation_timestamp", "last_updated_timestamp",
                                                             "timestamp"};
  static constexpr Grammar kGrammar{false, kTexts, {}, kTexts, kOrder};
  return kGrammar;
}

const Grammar& logged_model_grammar() noexcept {
  static constexpr Grammar kGrammar{false, {}, {}, {}, {}, logged_model_condition, nullptr};
  return kGrammar;
}

const Grammar& trace_grammar() noexcept {
  static constexpr Grammar kGrammar{true, {}, {}, {}, {}, trace_condition, trace_ordering};
  return kGrammar;
}

const Grammar& eval_dataset_grammar() noexcept {
  static constexpr std::array<std::string_view, 3> kTexts = {"created_by", "last_updated_by", "name"};
  static constexpr std::array<std::string_view, 2> kNumbers = {"created_time", "last_update_time"};
  static constexpr std::array<std::string_view, 1> kLists = {"name"};
  static constexpr Grammar kGrammar{false, kTexts, kNumbers, kLists, {}};
  return kGrammar;
}

const Grammar& version_grammar() noexcept {
  static constexpr std::array<std::string_view, 3> kTexts = {"name", "run_id", "source_path"};
  static constexpr std::array<std::string_view, 1> kNumbers = {"version_number"};
  static constexpr std::array<std::string_view, 2> kLists = {"name", "run_id"};
  static constexpr std::array<std::string_view, 2> kOrder = {"creation_timestamp", "last_updated_timestamp"};
  static constexpr Grammar kGrammar{false, kTexts, kNumbers, kLists, kOrder};
  return kGrammar;
}

std::vector<Condition> parse_filter(std::string_view filter, const Grammar& grammar) {
  if (filter.size() > kMaxFilter) {
    invalid(fmt::format("a filter may have {} bytes, this has {}", kMaxFilter, filter.size()));
  }
  const std::vector<Token> tokens = lex_filter(filter);
  struct Clause {
    const Token* left;
    const Token* op;
    const Token* right;
  };
  std::vector<Clause> clauses;
  std::string faults;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const bool compares = i + 1 < tokens.size() && tokens[i + 1].kind == TokenKind::kOperator && is_operand(token);
    if (compares && is_presence(tokens[i + 1])) {
      clauses.push_back({&token, &tokens[i + 1], nullptr});
      i += 1;
    } else if (compares && i + 2 < tokens.size() && tokens[i + 2].kind != TokenKind::kOther) {
      clauses.push_back({&token, &tokens[i + 1], &tokens[i + 2]});
      i += 2;
    } else if (token.text == ";" && i + 1 < tokens.size()) {
      invalid(fmt::format("Search filter contained multiple expression {}. Provide AND-ed expression list.",
                          python_repr(filter)));
    } else if (token.kind != TokenKind::kWord || token.word != "AND") {
      const std::string text(token.text);
      faults += (faults.empty() ? "" : ", ") + (grammar.runs ? "'" + text + "'" : text);
    }
  }
  if (!faults.empty()) {
    invalid("Invalid clause(s) in filter string: " + faults);
  }
  if (clauses.size() > kMaxConditions) {
    invalid(fmt::format("a filter may have {} conditions, this has {}", kMaxConditions, clauses.size()));
  }
  std::vector<Condition> conditions;
  for (const Clause& clause : clauses) {
    conditions.push_back(grammar.condition != nullptr ? grammar.condition(*clause.left, *clause.op, clause.right)
                                                      : comparison(*clause.left, *clause.op, clause.right, grammar));
  }
  return conditions;
}

std::vector<Ordering> parse_order(std::span<const std::string> clauses, const Grammar& grammar) {
  std::vector<Ordering> order;
  std::set<std::pair<Entity, std::string>> seen;
  if (clauses.size() > kMaxOrderings) {
    invalid(fmt::format("a search may be ordered by {} fields, this names {}", kMaxOrderings, clauses.size()));
  }
  for (const std::string& clause : clauses) {
    const std::vector<Token> tokens = clause.size() <= kMaxFilter ? lex_filter(clause) : std::vector<Token>();
    if (tokens.empty() || tokens.size() > 2 || tokens[0].kind != TokenKind::kName) {
      invalid(fmt::format("Invalid order_by clause '{}'. Could not be parsed.", clause.substr(0, 1000)));
    }
    const bool descending = tokens.size() == 2 && same_word(tokens[1].text, "desc");
    if (tokens.size() == 2 && !descending && !same_word(tokens[1].text, "asc")) {
      invalid(fmt::format("Invalid ordering key in order_by clause '{}'.", clause));
    }
    const Identifier id = grammar.ordering != nullptr ? own_identifier(tokens[0].text, grammar)
                                                      : identifier_of(tokens[0].text, grammar, true);
    if (id.entity == Entity::kDataset) {
      invalid("Invalid identifier type 'dataset'");
    }
    if (!grammar.runs && id.entity != Entity::kAttribute) {
      invalid(fmt::format("Invalid order_by entity: {}", name_of(id.entity)));
    }
    if (!seen.emplace(id.entity, id.key).second) {
      std::string all;
      for (const std::string& each : clauses) {
        all += (all.empty() ? "" : ", ") + python_repr(each);
      }
      // MLflow answers 500 here, which its client would repeat for a minute.
      throw ApiError("INTERNAL_ERROR", fmt::format("`order_by` contains duplicate fields: [{}]", all), 400);
    }
    order.push_back({id.entity, id.key, !descending});
  }
  return order;
}

}  // namespace slipway::api
