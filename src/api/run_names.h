// Names for runs that were given none: "calm-harbor-417".
#pragma once

#include <string>

namespace slipway::api {

// From the operating system's generator. Any thread.
std::string random_run_name();

}  // namespace slipway::api
