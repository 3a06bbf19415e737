// Failures as MLflow's clients know them: a word, its HTTP status, a message that they may compare literally.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "net/http.h"

namespace slipway::api {

using base::Json;

// A failure with a word of its own, where base::Code says too little.
class ApiError : public base::Error {
 public:
  ApiError(std::string_view word, const std::string& message, int status = 0);
  const std::string& word() const noexcept { return word_; }  // "INVALID_PARAMETER_VALUE"
  int status() const noexcept { return status_; }

 private:
  std::string word_;
  int status_;
};

// INVALID_PARAMETER_VALUE, 400.
[[noreturn]] void invalid(const std::string& message);
// "Missing value for required parameter 'key'. See the API docs …"
[[noreturn]] void missing_parameter(std::string_view name);
// "Invalid value "abc" for parameter 'value' supplied:  Hint: Value was of type 'str'. See the API docs …"
[[noreturn]] void wrong_type(std::string_view name, const Json& value);
// "Invalid value "abc" for parameter 'value' supplied: " and the reason.
[[noreturn]] void bad_value(std::string_view name, const Json& value, std::string_view reason);

// {"error_code", "message", "sqlstate"}. What is not known becomes INTERNAL_ERROR, which tells nothing of what is
// inside.
net::Response error_answer(const std::exception& error);
net::Response error_answer(std::string_view word, const std::string& message);
// Its word alone.
std::string error_word(const std::exception& error);

// As Python writes a text: 'it''s' → "it's". UTF-8 stays as it is.
std::string python_repr(std::string_view text);

}  // namespace slipway::api
