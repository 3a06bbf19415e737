// The pages of the web UI: index.html for "/" and every address under /ui/, and the files it asks for under /ui/assets/.
// Pure, any thread.
#pragma once

#include <span>

#include "api/ui_assets.h"
#include "net/http.h"

namespace slipway::api {

// The page. Asked again each time by its ETag; without assets, a plain page that says how to build them.
net::Response ui_page(const net::Request& request, std::span<const UiAsset> assets);
// The file of that name, kept by browsers for a year, for its name changes with its content; 404 when there is none.
net::Response ui_file(const net::Request& request, std::span<const UiAsset> assets, std::string_view name);

}  // namespace slipway::api
