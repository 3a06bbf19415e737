#include "api/guard.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/errors.h"

namespace slipway::api {
namespace {

// Clients tell a wrong address from a record that is not there by its not being JSON.
net::Response page(int status, const char* title, const std::string& text) {
  return {status,
          {{"Content-Type", "text/html; charset=utf-8"}},
          fmt::format("<!doctype html>\n<html lang=en>\n<title>{0} {1}</title>\n<h1>{1}</h1>\n<p>{2}</p>\n", status,
                      title, text)};
}

std::string_view host_of_origin(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

bool is_ipv4_loopback(std::string_view host) {
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

bool is_loopback_host(std::string_view host) noexcept {
  if (host.starts_with("[")) {
    const size_t end = host.find(']');
    return host.substr(0, end == std::string_view::npos ? end : end + 1) == "[::1]";
  }
  host = host.substr(0, host.find(':'));
  return net::equal_ignoring_case(host, "localhost") || is_ipv4_loopback(host);
}

net::Gate make_guard(std::shared_ptr<const net::Router> router) {
  return [router = std::move(router)](const net::Request& request) {
    net::Admission admission;
    const std::string_view origin = request.headers.get("Origin");
    if (!is_loopback_host(request.headers.get("Host"))) {
      admission.refusal = error_answer(
          "PERMISSION_DENIED", "Invalid Host header: the server answers to localhost, 127.0.0.1 and [::1] only");
    } else if (!origin.empty() && !is_loopback_host(host_of_origin(origin))) {
      admission.refusal = error_answer("PERMISSION_DENIED", "Cross-origin request blocked");
    } else if (request.route.empty()) {
      net::Request copy = request;
      const net::Router::Match match = router->find(copy);
      if (match.status == 405) {
        admission.refusal = page(405, "Method Not Allowed", "The method is not allowed for the requested URL.");
        admission.refusal->headers.set("Allow", match.allow);
      } else if (match.status == 400) {
        admission.refusal = page(400, "Bad Request", "The address has a broken %-escape.");
      } else {
        admission.refusal = page(404, "Not Found", "The requested URL was not found on the server.");
      }
    }
    admission.headers = {{"X-Frame-Options", "SAMEORIGIN"}, {"Vary", "Origin"}};
    return admission;
  };
}

}  // namespace slipway::api
