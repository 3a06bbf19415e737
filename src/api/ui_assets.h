// The files of the web UI as they lie in the program: compressed, under names that change with their content. The table is
// written by web/tools/build.mjs, or empty when the program was built without npm (cmake/web.cmake). Constant; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace slipway::api {

struct UiAsset {
  std::string_view name;  // "app-5f3a9c21.js"; "index.html" is the page itself
  std::string_view type;  // Content-Type
  std::string_view hash;  // the first 32 hex digits of the SHA-256 of the plain bytes
  std::string_view gzip;  // the bytes, compressed
  size_t size = 0;        // of the plain bytes
};

// By name.
std::span<const UiAsset> ui_assets() noexcept;

}  // namespace slipway::api
