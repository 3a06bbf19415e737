#include "base/context.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {

void check_stop(const Context& context, std::string_view what) {
  if (context.stop.stop_requested()) {
    throw Error(Code::kInterrupted, fmt::format("{} was interrupted", what));
  }
}

}  // namespace slipway::base
