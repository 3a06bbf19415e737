// Files of others shown in the pages: artifacts of runs, cards, reports. They come from anyone who may log a run, so what
// can run in a browser (HTML, SVG) is served under a policy that gives it an origin of its own and lets nothing in it run.
// Pure, any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "net/http.h"

namespace slipway::api {

// The file, to be looked at; `name` gives its type, `digest` its ETag.
net::Response ui_media(const net::Request& request, std::string_view name, const std::string& digest,
                       const std::filesystem::path& file, uint64_t size);

}  // namespace slipway::api
