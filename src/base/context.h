// What long-running work is given. Everything is borrowed and outlives the call.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/progress.h"

namespace slipway::base {

struct Context {
  Pool& pool;
  Log& log;
  const Clock& clock;
  Progress& progress;
  std::stop_token stop;
};

// Throws Error(kInterrupted, "<what> was interrupted") when the stop token says so.
void check_stop(const Context& context, std::string_view what);

}  // namespace slipway::base
