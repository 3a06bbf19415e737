// Requests declared once: a table of fields for each message says names, types, what is required and what is at most,
// and from it come parsing (JSON body or query string) and the literal error messages. A message is a plain struct; its
// table is the specialisation Table<Message>::kFields (messages.h). Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/errors.h"
#include "net/http.h"
#include "record/tracking.h"

namespace slipway::api {

// Where a value stands: made into "metrics[3].key" only for an error.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  int64_t index = -1;
  std::string text() const;
};

enum Flags : unsigned { kPlain = 0, kRequired = 1, kNotEmptyList = 2 };

template <class T>
struct Field {
  std::string_view name;
  std::string_view alias;                                         // an older name, used when `name` is absent
  bool (*read)(const Json& value, T& message, const Path& path);  // false: of another type
  unsigned flags;
  int64_t at_most;
  bool list;
  bool boolean;
};

template <class T>
struct Table;  // static constexpr std::array kFields; static constexpr bool kNamesRecord where `name` is a record's

// Proto JSON: integers also as decimal texts, doubles also as texts, enumerators by name or number.
bool read_value(const Json& value, std::string& out, const Path& path);
bool read_value(const Json& value, std::optional<std::string>& out, const Path& path);
bool read_value(const Json& value, int64_t& out, const Path& path);
bool read_value(const Json& value, double& out, const Path& path);
bool read_value(const Json& value, bool& out, const Path& path);
bool read_value(const Json& value, record::RunStatus& out, const Path& path);
bool read_value(const Json& value, record::Lifecycle& out, const Path& path);
bool read_value(const Json& value, std::vector<std::string>& out, const Path& path);
bool read_value(const Json& value, Json& out, const Path& path);  // anything
template <class T>
bool read_value(const Json& value, std::optional<T>& out, const Path& path) {
  return read_value(value, out.emplace(), path);
}
template <class T>
void read_message(const Json& object, T& message, const Path* parent);
template <class T>
requires requires { Table<T>::kFields; }
bool read_value(const Json& value, T& out, const Path& path) {
  if (!value.is_object()) {
    return false;
  }
  read_message(value, out, &path);
  return true;
}
template <class T>
requires requires { Table<T>::kFields; }
bool read_value(const Json& value, std::vector<T>& out, const Path& path) {
  if (!value.is_array()) {
    return false;
  }
  out.resize(value.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const Path element{&path, {}, static_cast<int64_t>(i)};
    if (!read_value(value[i], out[i], element)) {
      wrong_type(element.text(), value[i]);
    }
  }
  return true;
}

namespace detail {
template <class T, class M>
T owner_of(M T::*);
template <class T, class M>
M member_of(M T::*);
template <class M>
struct IsList : std::false_type {};
template <class M>
struct IsList<std::vector<M>> : std::true_type {};
}  // namespace detail

// A row of a table: field<&LogMetric::key>("key", kRequired).
template <auto Member>
constexpr auto field(std::string_view name, unsigned flags = kPlain, std::string_view alias = {}, int64_t at_most = 0) {
  using Message = decltype(detail::owner_of(Member));
  using Value = decltype(detail::member_of(Member));
  return Field<Message>{
      name,
      alias,
      [](const Json& value, Message& message, const Path& path) { return read_value(value, message.*Member, path); },
      flags,
      at_most,
      detail::IsList<Value>::value,
      std::is_same_v<Value, bool> || std::is_same_v<Value, std::optional<bool>>};
}

void check_at_most(const Json& value, int64_t at_most, const Path& path);

template <class T>
void read_message(const Json& object, T& message, const Path* parent) {
  for (const Field<T>& field : Table<T>::kFields) {
    const Path path{parent, field.name};
    auto found = object.find(field.name);
    if (!field.alias.empty() && (found == object.end() || found->is_null())) {
      found = object.find(field.alias);
    }
    if (found == object.end() || found->is_null()) {
      if ((field.flags & kRequired) != 0) {
        missing_parameter(path.text());
      }
      continue;
    }
    if (!field.read(*found, message, path)) {
      wrong_type(path.text(), *found);
    }
    if ((field.flags & kRequired) != 0 && found->is_string() && found->template get_ref<const std::string&>().empty()) {
      missing_parameter(path.text());
    }
    if ((field.flags & kNotEmptyList) != 0 && found->is_array() && found->empty()) {
      missing_parameter(path.text());
    }
    if (field.at_most > 0) {
      check_at_most(*found, field.at_most, path);
    }
  }
}

// Throws ApiError unless the Content-Type is JSON's: a foreign web page could send any other without being asked (CSRF).
void check_json_type(const net::Request& request);
// The body as an object: {} when empty; a JSON text that holds JSON (older clients) is undone. Throws ApiError for
// anything else, and as check_json_type() does.
Json body_object(const net::Request& request);
// A parameter of the query as JSON: lists from repeated names, booleans in any case.
Json query_object(const net::Request& request, std::span<const std::string_view> lists,
                  std::span<const std::string_view> booleans);

// The message of a request: from the query string for GET, from the body otherwise, path parameters over both.
template <class T>
T parse_request(const net::Request& request) {
  Json object;
  if (request.method == "GET" || request.method == "HEAD") {
    std::vector<std::string_view> lists;
    std::vector<std::string_view> booleans;
    for (const Field<T>& field : Table<T>::kFields) {
      if (field.list) {
        lists.push_back(field.name);
      }
      if (field.boolean) {
        booleans.push_back(field.name);
      }
    }
    object = query_object(request, lists, booleans);
  } else {
    object = body_object(request);
  }
  for (const auto& [name, value] : request.params) {
    object[name] = value;
  }
  T message;
  read_message<T>(object, message, nullptr);
  return message;
}

}  // namespace slipway::api
