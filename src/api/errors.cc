#include "api/errors.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "record/approvals.h"

namespace slipway::api {
namespace {

using base::Code;

constexpr const char* kRefusedByPolicy = "RESOURCE_CONFLICT";  // 409: its clients do not repeat it
constexpr const char* kSeeDocs = " See the API docs for more information about request parameters.";

struct Word {
  std::string_view word;
  int status;
};
// RESOURCE_ALREADY_EXISTS and INVALID_PARAMETER_VALUE are 400, whatever their names suggest: clients go by that. A
// client repeats every request that was answered 429 or 5xx, so a mistake of a user is never one of these.
constexpr std::array<Word, 18> kWords = {{{"INTERNAL_ERROR", 500},
                                          {"NOT_IMPLEMENTED", 501},
                                          {"TEMPORARILY_UNAVAILABLE", 503},
                                          {"DEADLINE_EXCEEDED", 504},
                                          {"REQUEST_LIMIT_EXCEEDED", 429},
                                          {"RESOURCE_EXHAUSTED", 429},
                                          {"CANCELLED", 499},
                                          {"ABORTED", 409},
                                          {"RESOURCE_CONFLICT", 409},
                                          {"ENDPOINT_NOT_FOUND", 404},
                                          {"NOT_FOUND", 404},
                                          {"RESOURCE_DOES_NOT_EXIST", 404},
                                          {"PERMISSION_DENIED", 403},
                                          {"UNAUTHENTICATED", 401},
                                          {"BAD_REQUEST", 400},
                                          {"RESOURCE_ALREADY_EXISTS", 400},
                                          {"INVALID_STATE", 400},
                                          {"INVALID_PARAMETER_VALUE", 400}}};

int status_of_word(std::string_view word) {
  const auto* const found = std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return w.word == word; });
  return found == kWords.end() ? 500 : found->status;
}

std::string_view word_of(Code code) {
  switch (code) {
    case Code::kInvalid: return "INVALID_PARAMETER_VALUE";
    case Code::kNotFound: return "RESOURCE_DOES_NOT_EXIST";
    case Code::kNotAllowed: return "PERMISSION_DENIED";
    case Code::kConflict: return "RESOURCE_ALREADY_EXISTS";
    case Code::kUnavailable:
    case Code::kInterrupted: return "TEMPORARILY_UNAVAILABLE";
    default: return "INTERNAL_ERROR";
  }
}

const char* python_type(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string: return "str";
    case Json::value_t::boolean: return "bool";
    case Json::value_t::number_float: return "float";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return "int";
    case Json::value_t::array: return "list";
    case Json::value_t::object: return "dict";
    default: return "NoneType";
  }
}

// As json.dumps(value, sort_keys=True, separators=(",", ":")): ASCII.
std::string python_json(const Json& value) {
  constexpr size_t kMaxShown = 2000;
  std::string text = nlohmann::json(value).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kMaxShown) {
    text = text.substr(0, kMaxShown) + "…";
  }
  return text;
}

}  // namespace

ApiError::ApiError(std::string_view word, const std::string& message, int status)
    : base::Error(Code::kInvalid, message), word_(word), status_(status != 0 ? status : status_of_word(word)) {}

void invalid(const std::string& message) { throw ApiError("INVALID_PARAMETER_VALUE", message); }

void missing_parameter(std::string_view name) {
  invalid(fmt::format("Missing value for required parameter '{}'.{}", name, kSeeDocs));
}

void wrong_type(std::string_view name, const Json& value) {
  invalid(fmt::format("Invalid value {} for parameter '{}' supplied:  Hint: Value was of type '{}'.{}",
                      python_json(value), name, python_type(value), kSeeDocs));
}

void bad_value(std::string_view name, const Json& value, std::string_view reason) {
  invalid(fmt::format("Invalid value {} for parameter '{}' supplied: {}", python_json(value), name, reason));
}

net::Response error_answer(std::string_view word, const std::string& message) {
  net::Response response =
      net::json_response({{"error_code", word}, {"message", message}, {"sqlstate", "KAM00"}}, status_of_word(word));
  if (response.status == 429 || response.status == 503) {
    response.headers.set("Retry-After", "1");
  }
  return response;
}

std::string error_word(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const ApiError*>(&error)) {
    return ours->word();
  }
  if (dynamic_cast<const record::PolicyRefusal*>(&error) != nullptr) {
    return kRefusedByPolicy;
  }
  const auto* known = dynamic_cast<const base::Error*>(&error);
  return std::string(known == nullptr ? "INTERNAL_ERROR" : word_of(known->code()));
}

net::Response error_answer(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const ApiError*>(&error)) {
    net::Response response = error_answer(ours->word(), ours->what());
    response.status = ours->status();
    return response;
  }
  if (const auto* known = dynamic_cast<const base::Error*>(&error)) {
    return error_answer(error_word(error), known->what());
  }
  return error_answer("INTERNAL_ERROR", "the server failed on this request; its log says why");
}

std::string python_repr(std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = single ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += quote;
  return out;
}

}  // namespace slipway::api
