#include "base/error.h"

#include <system_error>

#include <fmt/format.h>

namespace slipway::base {

int exit_code(Code code) noexcept {
  switch (code) {
    case Code::kFailure: return 1;
    case Code::kInvalid: return 2;
    case Code::kNotFound: return 3;
    case Code::kNotAllowed: return 4;
    case Code::kConflict: return 5;
    case Code::kGate: return 6;
    case Code::kUnavailable: return 7;
    case Code::kIntegrity: return 8;
    case Code::kInterrupted: return 130;
  }
  return 1;
}

const char* code_name(Code code) noexcept {
  switch (code) {
    case Code::kFailure: return "failure";
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not_found";
    case Code::kNotAllowed: return "not_allowed";
    case Code::kConflict: return "conflict";
    case Code::kGate: return "gate";
    case Code::kUnavailable: return "unavailable";
    case Code::kIntegrity: return "integrity";
    case Code::kInterrupted: return "interrupted";
  }
  return "failure";
}

std::string errno_text(int number) { return std::generic_category().message(number); }

void check_failed(const char* condition, const char* file, int line) {
  throw std::logic_error(fmt::format("slipway bug: {} does not hold at {}:{}; please report it", condition, file, line));
}

}  // namespace slipway::base
