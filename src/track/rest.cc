#include "track/rest.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/base64.h"

namespace slipway::track {
namespace {

using base::Code;
using base::Error;

constexpr std::chrono::seconds kTimeout{20};       // for one small exchange
constexpr uint64_t kSlowBytesPerSecond = 1 << 20;  // a body gets the time that it takes at this rate
constexpr uint64_t kLargeBytes = 4 << 20;          // above it, a connection of its own with a time of its own
constexpr std::string_view kApi = "/api/2.0/mlflow/";
constexpr size_t kMaxMessage = 500;  // characters of an answer that are told

struct Address {
  std::string base;
  std::string prefix;
  std::string user;  // "USER:PASSWORD", decoded
};

Address parse_address(const std::string& uri) {
  const size_t scheme = uri.find("://");
  size_t end = uri.find('/', scheme + 3);
  end = end == std::string::npos ? uri.size() : end;
  Address address;
  std::string host = uri.substr(scheme + 3, end - scheme - 3);
  address.prefix = uri.substr(end);
  while (address.prefix.ends_with('/')) {
    address.prefix.pop_back();
  }
  if (const size_t at = host.rfind('@'); at != std::string::npos) {
    if (!net::percent_decode(host.substr(0, at), false, address.user)) {
      throw Error(Code::kInvalid, "the user and password in the tracking URI have a broken %-escape");
    }
    host.erase(0, at + 1);
  }
  address.base = uri.substr(0, scheme + 3) + host;
  return address;
}

std::string authorization(const TargetOptions& options, const Address& address) {
  if (!options.token.empty()) {
    return "Bearer " + options.token;
  }
  if (!options.username.empty()) {
    return "Basic " + base::base64_encode(options.username + ":" + options.password);
  }
  return address.user.empty() ? "" : "Basic " + base::base64_encode(address.user);
}

net::ClientOptions client_options(const std::string& ca_file, uint64_t bytes) {
  net::ClientOptions options;
  options.timeout = kTimeout + std::chrono::seconds(bytes / kSlowBytesPerSecond);
  options.max_body_bytes = std::max<uint64_t>(options.max_body_bytes, bytes + 1);
  options.ca_file = ca_file;
  return options;
}

Code code_of(int status) {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return Code::kInvalid;
    case 401:
    case 403:
      return Code::kNotAllowed;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    default:
      return Code::kUnavailable;
  }
}

}  // namespace

MlflowRest::MlflowRest(const TargetOptions& options)
    : base_(parse_address(options.uri).base),
      prefix_(parse_address(options.uri).prefix),
      authorization_(authorization(options, parse_address(options.uri))),
      ca_file_(options.ca_file),
      client_(base_, client_options(ca_file_, 0)) {}

net::Response MlflowRest::ask(net::HttpClient& client, const std::string& method, const std::string& target,
                              std::string_view body, net::Headers headers) {
  if (!authorization_.empty()) {
    headers.set("Authorization", authorization_);
  }
  headers.set("User-Agent", "slipway");
  net::Response response = client.request(method, prefix_ + target, body, headers);
  if (response.status / 100 != 2) {
    refuse(response, target);
  }
  return response;
}

void MlflowRest::refuse(const net::Response& response, const std::string& target) {
  std::string message = response.body.substr(0, kMaxMessage);
  error_code_.clear();
  const Json json = Json::parse(response.body, nullptr, false);
  if (json.is_object()) {
    error_code_ = json.value("error_code", Json()).is_string() ? json["error_code"].get<std::string>() : "";
    if (const auto found = json.find("message"); found != json.end() && found->is_string()) {
      message = found->get<std::string>().substr(0, kMaxMessage);
    }
  }
  const std::string text = fmt::format("{}{} answered {} to {}: {}", base_, prefix_, response.status,
                                       target.substr(0, target.find('?')), message);
  const Code code = code_of(response.status);
  int seconds = 0;
  const std::string_view after = response.headers.get("Retry-After");
  if (code == Code::kUnavailable && std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc() &&
      seconds > 0) {
    throw Later(text, std::chrono::seconds(std::min(seconds, 3600)));
  }
  throw Error(code, text);
}

net::Response MlflowRest::raw(const std::string& method, const std::string& target, std::string_view body,
                              uint64_t expected, const net::Headers& headers) {
  if (std::max<uint64_t>(expected, body.size()) <= kLargeBytes) {
    return ask(client_, method, target, body, headers);
  }
  net::HttpClient client(base_, client_options(ca_file_, std::max<uint64_t>(expected, body.size())));
  return ask(client, method, target, body, headers);
}

Json MlflowRest::get(const std::string& path, const Query& query) {
  std::string target = std::string(kApi) + path;
  char mark = '?';
  for (const auto& [name, value] : query) {
    target += fmt::format("{}{}={}", std::exchange(mark, '&'), name, net::percent_encode(value));
  }
  return base::parse_json(ask(client_, "GET", target, {}, {}).body, path, {size_t{256} << 20, 64});
}

Json MlflowRest::post(const std::string& path, const Json& body) {
  const net::Response response =
      ask(client_, "POST", std::string(kApi) + path, base::dump_json(body), {{"Content-Type", "application/json"}});
  return base::parse_json(response.body, path, {size_t{256} << 20, 64});
}

std::string MlflowRest::artifact_target(const std::string& artifact_uri, const std::string& path) {
  constexpr std::string_view kScheme = "mlflow-artifacts:";
  if (!artifact_uri.starts_with(kScheme)) {
    throw Error(Code::kInvalid,
                fmt::format("the server keeps the run's files at '{}', which it does not carry; start it with --serve-artifacts",
                            artifact_uri));
  }
  std::string_view rest = std::string_view(artifact_uri).substr(kScheme.size());
  if (rest.starts_with("//")) {  // a host of its own; the proxy is asked under the tracking address, as its clients do
    const size_t slash = rest.find('/', 2);
    rest = slash == std::string_view::npos ? "" : rest.substr(slash);
  }
  std::string target = "/api/2.0/mlflow-artifacts/artifacts";
  const std::string whole = fmt::format("{}/{}", rest, path);
  for (size_t at = 0; at < whole.size();) {
    const size_t end = std::min(whole.find('/', at), whole.size());
    if (end > at) {
      target += "/" + net::percent_encode(whole.substr(at, end - at));
    }
    at = end + 1;
  }
  return target;
}

Json number_json(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  return std::isinf(value) ? Json(value > 0 ? "Infinity" : "-Infinity") : Json(value);
}

double number_from_json(const Json& value, std::string_view source) {
  if (value.is_number()) {
    return value.get<double>();
  }
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (text == "NaN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text == "Infinity" || text == "-Infinity") {
    return text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  throw Error(Code::kInvalid, fmt::format("{}: '{}' is not a number", source, text));
}

}  // namespace slipway::track
