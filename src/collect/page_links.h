// What a page and its HTTP headers tell a crawler: where it links to, which address it wants to be known by, and what it asks robots
// not to do. Of any bytes; never fails. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/url.h"

namespace slipway::collect {

// What <meta name="robots">, X-Robots-Tag and the TDM Reservation Protocol ask for.
struct RobotsWishes {
  bool no_index = false;   // not to be kept
  bool no_follow = false;  // its links are not to be followed
  bool no_ai = false;      // not for training: noai, or tdm-reservation: 1

  // A list such as "noindex, nofollow"; unknown words mean nothing.
  void add(std::string_view list);
  // A value of X-Robots-Tag, which may begin with the agent it is meant for ("otherbot: noindex").
  void add_header(std::string_view value, std::string_view agent);
};

struct PageLinks {
  std::vector<Url> links;        // in the order of the page, without repeats, at most kMaxLinks
  std::optional<Url> canonical;  // <link rel="canonical">
  RobotsWishes wishes;           // of the page's meta elements
};
inline constexpr size_t kMaxLinks = 10'000;

// Of a page in UTF-8 that was had from `url`: <a>, <area>, <link rel=next|prev|alternate>, <meta http-equiv=refresh>, resolved by
// <base>. Links with rel=nofollow are left out. `agent` is a product token (robots.h): <meta name="AGENT"> counts as robots does.
PageLinks links_of(std::string_view page, const Url& url, std::string_view agent);

}  // namespace slipway::collect
