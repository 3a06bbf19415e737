#include "api/message.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "text/unicode.h"

namespace slipway::api {
namespace {

template <class T>
bool whole_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// An enumerator by name or number.
template <class E, size_t N>
bool read_enum(const Json& value, const std::array<std::pair<std::string_view, E>, N>& known, int first, E& out) {
  if (value.is_string()) {
    const auto& name = value.get_ref<const std::string&>();
    const auto* const found =
        std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == name; });
    if (found != known.end()) {
      out = found->second;
      return true;
    }
  }
  int64_t number = 0;
  if (!read_value(value, number, {}) || number < first || number >= first + static_cast<int64_t>(N)) {
    return false;
  }
  out = known[static_cast<size_t>(number - first)].second;
  return true;
}

using record::Lifecycle;
using record::RunStatus;

constexpr std::array<std::pair<std::string_view, RunStatus>, 5> kStatuses = {
    {{"RUNNING", RunStatus::kRunning},
     {"SCHEDULED", RunStatus::kAwaitingApproval},
     {"FINISHED", RunStatus::kFinished},
     {"FAILED", RunStatus::kFailed},
     {"KILLED", RunStatus::kKilled}}};
constexpr std::array<std::pair<std::string_view, Lifecycle>, 3> kViews = {
    {{"ACTIVE_ONLY", Lifecycle::kActive}, {"DELETED_ONLY", Lifecycle::kDeleted}, {"ALL", Lifecycle::kAll}}};

}  // namespace

std::string Path::text() const {
  const std::string before = parent != nullptr ? parent->text() : "";
  if (index >= 0) {
    return fmt::format("{}[{}]", before, index);
  }
  return before.empty() ? std::string(name) : fmt::format("{}.{}", before, name);
}

bool read_value(const Json& value, std::string& out, const Path& /*path*/) {
  if (!value.is_string()) {
    return false;
  }
  out = value.get_ref<const std::string&>();
  return true;
}

bool read_value(const Json& value, std::optional<std::string>& out, const Path& path) {
  return read_value(value, out.emplace(), path);
}

bool read_value(const Json& value, int64_t& out, const Path& /*path*/) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    out = static_cast<int64_t>(number);
    return number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }
  if (value.is_number_integer()) {
    out = value.get<int64_t>();
    return true;
  }
  if (value.is_number_float()) {  // 3.0 is an integer, 3.5 is not
    const double number = value.get<double>();
    constexpr double kLimit = 9223372036854775808.0;  // 2^63
    if (std::trunc(number) != number || number < -kLimit || number >= kLimit) {
      return false;
    }
    out = static_cast<int64_t>(number);
    return true;
  }
  return value.is_string() && whole_number(value.get_ref<const std::string&>(), out);
}

bool read_value(const Json& value, double& out, const Path& /*path*/) {
  if (value.is_number()) {
    out = value.get<double>();
    return true;
  }
  if (!value.is_string()) {
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    out = text == "NaN" ? std::numeric_limits<double>::quiet_NaN()
                        : std::copysign(std::numeric_limits<double>::infinity(), text.front() == '-' ? -1.0 : 1.0);
    return true;
  }
  return whole_number(text, out) && std::isfinite(out);
}

bool read_value(const Json& value, bool& out, const Path& /*path*/) {
  if (!value.is_boolean()) {
    return false;
  }
  out = value.get<bool>();
  return true;
}

bool read_value(const Json& value, RunStatus& out, const Path& /*path*/) { return read_enum(value, kStatuses, 1, out); }
bool read_value(const Json& value, Lifecycle& out, const Path& /*path*/) { return read_enum(value, kViews, 1, out); }

bool read_value(const Json& value, std::vector<std::string>& out, const Path& /*path*/) {
  if (!value.is_array() ||
      !std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); })) {
    return false;
  }
  out = value.get<std::vector<std::string>>();
  return true;
}

bool read_value(const Json& value, Json& out, const Path& /*path*/) {
  out = value;
  return true;
}

void check_at_most(const Json& value, int64_t at_most, const Path& path) {
  int64_t number = 0;
  const bool list = value.is_array();
  if (list || !read_value(value, number, path)) {
    number = static_cast<int64_t>(value.size());
  }
  if (number > at_most) {
    wrong_type(path.text(), value);
  }
}

void check_json_type(const net::Request& request) {
  const std::string_view type = request.headers.get("Content-Type");
  const std::string_view media = type.substr(0, type.find(';'));
  if (!net::equal_ignoring_case(media, "application/json")) {
    throw ApiError("BAD_REQUEST", type.empty() ? "Bad Request. Content-Type header is missing."
                                               : "Bad Request. Content-Type must be one of ['application/json'].");
  }
}

Json body_object(const net::Request& request) {
  if (request.body.empty()) {
    return Json::object();
  }
  check_json_type(request);
  Json body = base::parse_json(request.body, "the body");
  if (body.is_string()) {
    body = base::parse_json(body.get<std::string>(), "the body");
  }
  if (body.is_null()) {
    return Json::object();
  }
  if (!body.is_object()) {
    invalid("the body must be a JSON object");
  }
  return body;
}

Json query_object(const net::Request& request, std::span<const std::string_view> lists,
                  std::span<const std::string_view> booleans) {
  Json object = Json::object();
  for (const auto& [name, value] : request.query) {
    if (!text::is_valid_utf8(name) || !text::is_valid_utf8(value)) {
      invalid("the query is not UTF-8");
    }
    if (std::find(lists.begin(), lists.end(), name) != lists.end()) {
      object[name].push_back(value);
    } else if (object.contains(name)) {
      continue;  // the first of a repeated one
    } else if (std::find(booleans.begin(), booleans.end(), name) != booleans.end()) {
      const bool yes = net::equal_ignoring_case(value, "true");
      if (!yes && !net::equal_ignoring_case(value, "false")) {
        invalid(fmt::format("Invalid boolean value: {}, must be 'true' or 'false'.", value));
      }
      object[name] = yes;
    } else {
      object[name] = value;
    }
  }
  return object;
}

}  // namespace slipway::api
