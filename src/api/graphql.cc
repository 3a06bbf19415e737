#include "api/graphql.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "api/errors.h"

namespace slipway::api::graphql {
namespace {

constexpr int kMaxAsks = 1000;
constexpr std::string_view kTypeName = "__typename";

// A fault of the request: told in "errors".
struct Unsound {
  std::string what;
};
[[noreturn]] void unsound(std::string what) { throw Unsound{std::move(what)}; }

class Execution {
 public:
  Execution(const Document& document, const Operation& operation, const Json& variables, const Ask& ask)
      : document_(document), operation_(operation), ask_(ask) {
    read_variables(variables);
  }
  Json run();

 private:
  using Fields = std::vector<const Selection*>;  // of one answer key: their selections are one
  using Keyed = std::vector<std::pair<std::string_view, Fields>>;

  void read_variables(const Json& given);
  Json plain(const Value& value) const;
  bool is_wanted(const Selection& selection) const;
  void collect(std::string_view type, const std::vector<Selection>& selections, std::set<std::string_view>& spread,
               Keyed& keyed) const;
  Keyed fields_of(std::string_view type, const Fields& parents) const;
  const Call& call_of(const Selection& field) const;
  void check(const Type& type, const Fields& parents) const;
  void check_root() const;
  Json message_of(const Call& call, const Selection& field) const;
  Json asked(const Call& call, const Json& message);
  Json member(const Type& type, const Member& member, const Json& object, const Fields& fields);
  Json object(const Type& type, const Json& from, const Fields& parents);
  Json objects(const Type& type, const Json& from, const Fields& parents);
  Json extension(const Member& member, const Json& run, const Fields& fields);
  std::string_view root_type() const { return operation_.kind == "mutation" ? "Mutation" : "Query"; }

  const Document& document_;
  const Operation& operation_;
  const Ask& ask_;
  Json variables_ = Json::object();
  std::map<std::string, Json> answers_;
  int asks_ = 0;
  Json errors_ = Json::array();
};

void Execution::read_variables(const Json& given) {
  for (const Variable& variable : operation_.variables) {
    const auto found = given.is_object() ? given.find(variable.name) : given.end();
    if (given.is_object() && found != given.end()) {
      variables_[variable.name] = *found;
    } else if (variable.has_fallback) {
      variables_[variable.name] = plain(variable.fallback);
    } else if (variable.required) {
      unsound(fmt::format("Variable '${}' of a required type was not provided.", variable.name));
    } else {
      variables_[variable.name] = nullptr;
    }
  }
}

Json Execution::plain(const Value& value) const {
  switch (value.kind) {
    case Value::Kind::kScalar:
      return value.scalar;
    case Value::Kind::kVariable: {
      const auto found = variables_.find(value.variable);
      if (found == variables_.end()) {
        unsound(fmt::format("Variable '${}' is not defined by operation '{}'.", value.variable, operation_.name));
      }
      return *found;
    }
    case Value::Kind::kList: {
      Json list = Json::array();
      for (const Value& item : value.items) {
        list.push_back(plain(item));
      }
      return list;
    }
    case Value::Kind::kObject: {
      Json object = Json::object();
      for (size_t i = 0; i < value.items.size(); ++i) {
        object[value.names[i]] = plain(value.items[i]);
      }
      return object;
    }
  }
  return nullptr;
}

// @skip and @include; other directives say nothing to this server.
bool Execution::is_wanted(const Selection& selection) const {
  for (const Directive& directive : selection.directives) {
    if (directive.name != "skip" && directive.name != "include") {
      unsound(fmt::format("Unknown directive '@{}'.", directive.name));
    }
    const Json condition = directive.arguments.size() == 1 && directive.arguments.front().first == "if"
                               ? plain(directive.arguments.front().second)
                               : Json();
    if (!condition.is_boolean()) {
      unsound(fmt::format("Directive '@{}' argument 'if' of type 'Boolean!' is required, but it was not provided.", directive.name));
    }
    if (condition.get<bool>() == (directive.name == "skip")) {
      return false;
    }
  }
  return true;
}

void Execution::collect(std::string_view type, const std::vector<Selection>& selections, std::set<std::string_view>& spread,
                        Keyed& keyed) const {
  for (const Selection& selection : selections) {
    if (!is_wanted(selection)) {
      continue;
    }
    if (selection.kind == Selection::Kind::kField) {
      const auto found =
          std::find_if(keyed.begin(), keyed.end(), [&](const auto& pair) { return pair.first == selection.key(); });
      if (found == keyed.end()) {
        keyed.push_back({selection.key(), {&selection}});
      } else if (found->second.front()->name != selection.name) {
        unsound(fmt::format("Fields '{0}' conflict because '{1}' and '{2}' are different fields. Use different aliases on the "
                            "fields to fetch both if this was intentional.",
                            selection.key(), found->second.front()->name, selection.name));
      } else {
        found->second.push_back(&selection);
      }
      continue;
    }
    const bool is_inline = selection.kind == Selection::Kind::kInline;
    const Fragment* fragment = is_inline ? nullptr : document_.find_fragment(selection.name);
    if (!is_inline && fragment == nullptr) {
      unsound(fmt::format("Unknown fragment '{}'.", selection.name));
    }
    const std::string& on = is_inline ? selection.on : fragment->on;
    if ((on.empty() || on == type) && (is_inline || spread.insert(selection.name).second)) {
      collect(type, is_inline ? selection.selections : fragment->selections, spread, keyed);
    }
  }
}

Execution::Keyed Execution::fields_of(std::string_view type, const Fields& parents) const {
  Keyed keyed;
  std::set<std::string_view> spread;
  for (const Selection* parent : parents) {
    collect(type, parent->selections, spread, keyed);
  }
  return keyed;
}

// That everything asked for is there to be asked for, before anything is asked.
void Execution::check(const Type& type, const Fields& parents) const {
  for (const auto& [key, fields] : fields_of(type.name, parents)) {
    const std::string& name = fields.front()->name;
    if (name == kTypeName) {
      continue;
    }
    const Member* member = find_member(type, name);
    if (member == nullptr) {
      unsound(fmt::format("Cannot query field '{}' on type '{}'.", name, type.name));
    }
    for (const Selection* field : fields) {
      if (!field->arguments.empty()) {
        unsound(fmt::format("Unknown argument '{}' on field '{}.{}'.", field->arguments.front().first, type.name, name));
      }
      if (field->selections.empty() != (member->type == nullptr)) {
        unsound(member->type == nullptr
                    ? fmt::format("Field '{}' must not have a selection since it has no subfields.", name)
                    : fmt::format("Field '{0}' of type '{1}' must have a selection of subfields. Did you mean '{0} {{ ... }}'?",
                                  name, member->type->name));
      }
    }
    if (member->type != nullptr) {
      check(*member->type, fields);
    }
  }
}

const Call& Execution::call_of(const Selection& field) const {
  const Call* call = find_call(field.name);
  if (call == nullptr || !(operation_.kind == "mutation" ? call->mutation : call->query)) {
    unsound(fmt::format("Cannot query field '{}' on type '{}'.", field.name, root_type()));
  }
  return *call;
}

Json Execution::message_of(const Call& call, const Selection& field) const {
  Json message = Json::object();
  for (const auto& [name, value] : field.arguments) {
    if (name != (call.address.empty() ? "inputString" : "input")) {
      unsound(fmt::format("Unknown argument '{}' on field '{}.{}'.", name, root_type(), call.name));
    }
    const Json input = plain(value);
    if (call.address.empty()) {
      message["output"] = input;
      continue;
    }
    if (!input.is_object()) {
      unsound(fmt::format("Expected value of type '{}', found {}.", call.input, base::dump_json(input).substr(0, 100)));
    }
    for (const auto& [key, item] : input.items()) {
      if (std::find(call.inputs.begin(), call.inputs.end(), key) == call.inputs.end()) {
        unsound(fmt::format("Field '{}' is not defined by type '{}'.", key, call.input));
      }
      message[snake_case(key)] = item;
    }
  }
  return message;
}

void Execution::check_root() const {
  if (operation_.kind == "subscription") {
    unsound("Schema is not configured to execute subscription operation.");
  }
  Selection root;
  root.selections = operation_.selections;
  for (const auto& [key, fields] : fields_of(root_type(), {&root})) {
    if (fields.front()->name == kTypeName) {
      continue;
    }
    const Call& call = call_of(*fields.front());
    message_of(call, *fields.front());
    for (const Selection* field : fields) {
      if (field->selections.empty()) {
        unsound(fmt::format("Field '{0}' of type '{1}' must have a selection of subfields. Did you mean '{0} {{ ... }}'?",
                            field->name, call.type->name));
      }
    }
    check(*call.type, fields);
  }
}

// The same is asked once.
Json Execution::asked(const Call& call, const Json& message) {
  if (call.address.empty()) {
    return message;
  }
  const std::string key = std::string(call.name) + base::dump_json(message);
  if (const auto found = answers_.find(key); found != answers_.end()) {
    return found->second;
  }
  if (++asks_ > kMaxAsks) {
    invalid(fmt::format("a GraphQL request may ask {} times: ask for fewer runs, or without experiments and model versions", kMaxAsks));
  }
  return answers_[key] = ask_(call, message);
}

// What a run's experiment and versions are asked by.
Json Execution::extension(const Member& member, const Json& run, const Fields& fields) {
  const Call& call = *find_call(member.call);
  const Json info = run.value("info", Json::object());
  const Json message = member.list ? Json{{"filter", fmt::format("run_id='{}'", info.value("run_id", ""))}}
                                   : Json{{"experiment_id", info.value("experiment_id", "")}};
  const Json answer = asked(call, message);
  const auto found = answer.find(snake_case(member.name));
  const Json there = found == answer.end() ? Json() : *found;
  return member.list ? objects(*member.type, there, fields) : object(*member.type, there, fields);
}

// What REST leaves out is what protobuf takes it for: "", 0, no elements.
Json Execution::member(const Type& type, const Member& member, const Json& from, const Fields& fields) {
  const auto found = from.is_object() ? from.find(snake_case(member.name)) : from.end();
  const Json value = from.is_object() && found != from.end() ? *found : Json();
  switch (member.kind) {
    case Member::Kind::kText:
      return value.is_null() ? Json("") : value;
    case Member::Kind::kLong:
      return value.is_null() ? Json("0") : value.is_string() ? value : Json(base::dump_json(value));
    case Member::Kind::kFloat:
      return value.is_null() ? Json(0.0) : value.is_number() ? value : Json();  // NaN is no number of GraphQL
    case Member::Kind::kBool:
      return value.is_null() ? Json(false) : value;
    case Member::Kind::kTexts:
      return value.is_null() ? Json::array() : value;
    case Member::Kind::kObject:
      return object(*member.type, value, fields);
    case Member::Kind::kObjects:
      return objects(*member.type, value, fields);
    case Member::Kind::kError:
      return nullptr;
    case Member::Kind::kAsked:
      try {
        return extension(member, from, fields);
      } catch (const base::Error& error) {
        errors_.push_back(error.what());
        return nullptr;
      }
  }
  unsound(fmt::format("Cannot query field '{}' on type '{}'.", member.name, type.name));
}

Json Execution::object(const Type& type, const Json& from, const Fields& parents) {
  Json out = Json::object();
  for (const auto& [key, fields] : fields_of(type.name, parents)) {
    const std::string& name = fields.front()->name;
    out[std::string(key)] = name == kTypeName ? Json(type.name) : member(type, *find_member(type, name), from, fields);
  }
  return out;
}

Json Execution::objects(const Type& type, const Json& from, const Fields& parents) {
  Json list = Json::array();
  if (from.is_array()) {
    for (const Json& item : from) {
      list.push_back(object(type, item, parents));
    }
  }
  return list;
}

Json Execution::run() {
  check_root();
  Selection root;
  root.selections = operation_.selections;
  Json data = Json::object();
  for (const auto& [key, fields] : fields_of(root_type(), {&root})) {
    Json& out = data[std::string(key)];
    if (fields.front()->name == kTypeName) {
      out = root_type();
      continue;
    }
    const Call& call = call_of(*fields.front());
    try {
      out = object(*call.type, asked(call, message_of(call, *fields.front())), fields);
    } catch (const base::Error& error) {
      errors_.push_back(error.what());
    }
  }
  return {{"data", std::move(data)}, {"errors", errors_.empty() ? Json() : errors_}};
}

const Operation& operation_of(const Document& document, const Json& name) {
  if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
    if (document.operations.size() != 1) {
      unsound(document.operations.empty() ? "Must provide an operation."
                                          : "Must provide operation name if query contains multiple operations.");
    }
    return document.operations.front();
  }
  for (const Operation& operation : document.operations) {
    if (operation.name == name.get_ref<const std::string&>()) {
      return operation;
    }
  }
  unsound(fmt::format("Unknown operation named '{}'.", name.get<std::string>()));
}

Json refused(const std::string& what) { return {{"data", nullptr}, {"errors", Json::array({what})}}; }

}  // namespace

Json answer(const Json& request, const Ask& ask) {
  const auto find = [&](const char* name) { return request.contains(name) ? request.at(name) : Json(); };
  const Json query = find("query");
  if (!query.is_string()) {
    query.is_null() ? missing_parameter("query") : wrong_type("query", query);
  }
  const Document document = parse_document(query.get_ref<const std::string&>());
  if (const std::string excess = excess_of(document); !excess.empty()) {
    return refused(excess);
  }
  try {
    return Execution(document, operation_of(document, find("operationName")), find("variables"), ask).run();
  } catch (const Unsound& fault) {
    return refused(fault.what);
  }
}

}  // namespace slipway::api::graphql
