#include "base/fields.h"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"

namespace slipway::base {
namespace {

[[noreturn]] void wrong(const std::string& where, const std::string& name, const std::string& what) {
  throw Error(Code::kInvalid, fmt::format("{}: '{}' {}", where, name, what));
}

void check_range(double value, const Range& range, const std::string& where, const std::string& name) {
  if (value < range.min || value > range.max || value != value) {
    wrong(where, name, fmt::format("is {}; it must be between {} and {}", value, range.min, range.max));
  }
}

template <class T>
Field number_field(std::string name, T& value, std::string help, Range range, bool whole) {
  Field field{name, std::move(help), whole ? "integer" : "number", {}, {}};
  field.set = [&value, name, range, whole](const Json& json, const std::string& where) {
    if (whole ? !json.is_number_integer() : !json.is_number()) {
      wrong(where, name, whole ? "must be a whole number" : "must be a number");
    }
    check_range(json.get<double>(), range, where, name);
    value = json.get<T>();
  };
  field.get = [&value] { return Json(value); };
  return field;
}

}  // namespace

void FieldTable::add(std::string name, std::string& value, std::string help) {
  Field field{name, std::move(help), "string", {}, [&value] { return Json(value); }};
  field.set = [&value, name](const Json& json, const std::string& where) {
    if (!json.is_string()) {
      wrong(where, name, "must be text");
    }
    value = json.get<std::string>();
  };
  fields_.push_back(std::move(field));
}

void FieldTable::add(std::string name, std::string& value, std::string help, std::vector<std::string> choices) {
  Field field{name, fmt::format("{} ({})", help, fmt::join(choices, ", ")), "string", {}, [&value] { return Json(value); }};
  field.set = [&value, name, choices](const Json& json, const std::string& where) {
    const std::string text = json.is_string() ? json.get<std::string>() : "";
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      wrong(where, name, fmt::format("is '{}'{}", text, suggestion(text, choices)));
    }
    value = text;
  };
  fields_.push_back(std::move(field));
}

void FieldTable::add(std::string name, int& value, std::string help, Range range) {
  range.min = std::max(range.min, -2147483648.0);
  range.max = std::min(range.max, 2147483647.0);
  fields_.push_back(number_field(std::move(name), value, std::move(help), range, true));
}
void FieldTable::add(std::string name, int64_t& value, std::string help, Range range) {
  fields_.push_back(number_field(std::move(name), value, std::move(help), range, true));
}
void FieldTable::add(std::string name, uint64_t& value, std::string help, Range range) {
  fields_.push_back(number_field(std::move(name), value, std::move(help), range, true));
}
void FieldTable::add(std::string name, double& value, std::string help, Range range) {
  fields_.push_back(number_field(std::move(name), value, std::move(help), range, false));
}

void FieldTable::add(std::string name, bool& value, std::string help) {
  Field field{name, std::move(help), "boolean", {}, [&value] { return Json(value); }};
  field.set = [&value, name](const Json& json, const std::string& where) {
    if (!json.is_boolean()) {
      wrong(where, name, "must be true or false");
    }
    value = json.get<bool>();
  };
  fields_.push_back(std::move(field));
}

void FieldTable::add(std::string name, std::vector<std::string>& value, std::string help) {
  Field field{name, std::move(help), "list", {}, [&value] { return Json(value); }};
  field.set = [&value, name](const Json& json, const std::string& where) {
    std::vector<std::string> items;
    for (const Json& item : json.is_array() ? json : Json::array({json})) {
      if (!item.is_string()) {
        wrong(where, name, "must be a list of texts");
      }
      items.push_back(item.get<std::string>());
    }
    value = std::move(items);
  };
  fields_.push_back(std::move(field));
}

void FieldTable::drop_fields_of(const FieldTable& other) {
  std::erase_if(fields_, [&](const Field& field) {
    return std::any_of(other.fields_.begin(), other.fields_.end(), [&](const Field& one) { return one.name == field.name; });
  });
}

Field& FieldTable::find(std::string_view name, const std::string& where) {
  std::vector<std::string> known;
  for (Field& field : fields_) {
    if (field.name == name) {
      return field;
    }
    known.push_back(field.name);
  }
  throw Error(Code::kInvalid, fmt::format("{}: unknown key '{}'{}", where, name, suggestion(name, known)));
}

void FieldTable::apply(const Json& object, const std::string& where) {
  if (!object.is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: must be a mapping of names to values", where));
  }
  for (const auto& [key, value] : object.items()) {
    find(key, where);
  }
  const Json before = to_json();
  try {
    for (const auto& [key, value] : object.items()) {
      find(key, where).set(value, where);
    }
  } catch (const Error&) {
    for (Field& field : fields_) {
      field.set(before.at(field.name), where);
    }
    throw;
  }
}

void FieldTable::set_text(std::string_view name, std::string_view text, const std::string& where) {
  Field& field = find(name, where);
  if (field.type == "string") {
    field.set(Json(std::string(text)), where);
  } else if (field.type == "list") {
    Json list = Json::array();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t comma = std::min(text.find(',', begin), text.size());
      list.push_back(std::string(text.substr(begin, comma - begin)));
      begin = comma + 1;
    }
    field.set(list, where);
  } else {
    const Json value = Json::parse(text.begin(), text.end(), nullptr, false);
    if (value.is_discarded()) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' must be a {}, not '{}'", where, name, field.type, text));
    }
    field.set(value, where);
  }
}

Json FieldTable::to_json() const {
  Json object = Json::object();
  for (const Field& field : fields_) {
    object[field.name] = field.get();
  }
  return object;
}

}  // namespace slipway::base
