#include "api/ui_files.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/routes.h"
#include "net/encoding.h"

namespace slipway::api {
namespace {

// Nothing from elsewhere, nothing inline, no frames around it; frames in it are artifacts, which come with a stricter one.
constexpr const char* kPolicy =
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

constexpr const char* kNoAssets =
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>Slipway</title>\n<h1>Slipway</h1>\n"
    "<p>This server speaks MLflow's REST protocol under <code>/api/2.0/mlflow/</code>. It was built without its web pages: "
    "they need npm.</p>\n<pre>tools/setup web\ntools/build release</pre>\n<p>builds them in.</p>\n";

const UiAsset* find_asset(std::span<const UiAsset> assets, std::string_view name) {
  const auto found = std::find_if(assets.begin(), assets.end(), [&](const UiAsset& a) { return a.name == name; });
  return found == assets.end() ? nullptr : &*found;
}

net::Response answer(const net::Request& request, const UiAsset& asset, const char* caching) {
  const bool gzip = net::header_lists(request.headers.get("Accept-Encoding"), "gzip");
  const std::string etag = fmt::format("\"{}{}\"", asset.hash, gzip ? "-gzip" : "");
  net::Response response;
  response.headers = {{"Content-Type", std::string(asset.type)},
                      {"ETag", etag},
                      {"Cache-Control", caching},
                      {"Vary", "Accept-Encoding"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Content-Security-Policy", kPolicy}};
  const std::string_view known = request.headers.get("If-None-Match");
  if (known == "*" || known.find(etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  if (gzip) {
    response.headers.set("Content-Encoding", "gzip");
    response.body = asset.gzip;
  } else {
    SLIPWAY_CHECK(net::decode_body("gzip", asset.gzip, asset.size, response.body) == net::Decode::kOk);
  }
  return response;
}

}  // namespace

net::Response ui_page(const net::Request& request, std::span<const UiAsset> assets) {
  if (const UiAsset* page = find_asset(assets, "index.html")) {
    return answer(request, *page, "no-cache");
  }
  return {200,
          {{"Content-Type", "text/html; charset=utf-8"},
           {"Cache-Control", "no-store"},
           {"Content-Security-Policy", "default-src 'none'"}},
          kNoAssets};
}

net::Response ui_file(const net::Request& request, std::span<const UiAsset> assets, std::string_view name) {
  const UiAsset* asset = find_asset(assets, name);
  if (asset == nullptr) {
    return net::text_response("the web pages have no such file; reload the page\n", 404);
  }
  return answer(request, *asset, "public, max-age=31536000, immutable");
}

void add_ui_files(Routes& routes) {
  const auto page = [](const net::Request& request) { return ui_page(request, ui_assets()); };
  for (const char* address : {"/", "/ui", "/ui/{path...}"}) {
    routes.add_at("GET", address, page, for_everybody());
  }
  routes.add_at(
      "GET", "/ui/assets/{name}",
      [](const net::Request& request) { return ui_file(request, ui_assets(), request.param("name")); },
      for_everybody());
}

}  // namespace slipway::api
