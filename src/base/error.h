// How failures travel: `throw Error(Code::kNotFound, "model 'x' has no version 3; it has 1, 2")`.
// Any thread. Messages say what failed, where, and what to do next.
#pragma once

#include <stdexcept>
#include <string>

namespace slipway::base {

enum class Code {
  kFailure,      // anything without a better code
  kInvalid,      // bad input, flag or configuration
  kNotFound,     // names something that is not there
  kNotAllowed,   // credentials or role missing
  kConflict,     // exists already, locked, precondition failed
  kGate,         // it ran fine and the answer is no
  kUnavailable,  // full, busy, timed out; trying again may help
  kIntegrity,    // digest, format or signature does not hold
  kInterrupted,  // stopped by a signal or stop token
};

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

// The process exit code of a failure: 1 failure, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 gate, 7 unavailable,
// 8 integrity, 130 interrupted.
int exit_code(Code code) noexcept;

// A stable lower-case word for JSON: "invalid", "not_found", ...
const char* code_name(Code code) noexcept;

// The message of errno `number`, thread-safe.
std::string errno_text(int number);

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace slipway::base

// A bug of ours, never bad input: throws std::logic_error naming the place.
#define SLIPWAY_CHECK(condition)                                          \
  do {                                                                    \
    if (!(condition)) {                                                   \
      ::slipway::base::check_failed(#condition, __FILE__, __LINE__);      \
    }                                                                     \
  } while (false)
