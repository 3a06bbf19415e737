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

// The name of a Host header or an origin, without its port.
std::string_view name_of_host(std::string_view host) {
  return host.starts_with("[") ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
}

bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed, bool accounts) {
  if (allowed.empty()) {
    return accounts ? !host.empty() : is_loopback_host(host);
  }
  return std::any_of(allowed.begin(), allowed.end(), [name = name_of_host(host)](const std::string& one) {
    return net::equal_ignoring_case(one, name);
  });
}

// Pages of this server, under the name that it was asked by, and pages on this machine.
bool is_allowed_origin(std::string_view origin, std::string_view host) {
  const std::string_view from = host_of_origin(origin);
  return origin.empty() || net::equal_ignoring_case(from, host) || (is_loopback_host(from) && is_loopback_host(host));
}

net::Response no_such_address(const net::Router& router, const net::Request& request) {
  net::Request copy = request;
  const net::Router::Match match = router.find(copy);
  if (match.status == 405) {
    net::Response response = page(405, "Method Not Allowed", "The method is not allowed for the requested URL.");
    response.headers.set("Allow", match.allow);
    return response;
  }
  if (match.status == 400) {
    return page(400, "Bad Request", "The address has a broken %-escape.");
  }
  return page(404, "Not Found", "The requested URL was not found on the server.");
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

net::Gate make_guard(std::shared_ptr<const net::Router> router, std::shared_ptr<const Rules> rules, Authority& authority,
                     GuardOptions options) {
  return [router = std::move(router), rules = std::move(rules), &authority,
          options = std::move(options)](const net::Request& request) {
    static const net::Headers kAlways = {{"X-Frame-Options", "SAMEORIGIN"}, {"Vary", "Origin"}};
    net::Admission admission;
    const std::string_view host = request.headers.get("Host");
    if (!is_allowed_host(host, options.allowed_hosts, authority.active())) {
      admission.refusal =
          error_answer("PERMISSION_DENIED",
                       options.allowed_hosts.empty()
                           ? "Invalid Host header: the server answers to localhost, 127.0.0.1 and [::1] only"
                           : "Invalid Host header: it is none of --allowed-hosts");
    } else if (!is_allowed_origin(request.headers.get("Origin"), host)) {
      admission.refusal = error_answer("PERMISSION_DENIED", "Cross-origin request blocked");
    } else {
      const Rule* rule = request.route.empty() ? nullptr : rules->find(request.method, request.route);
      admission = authority.admit(request, rule);
      if (admission.later) {
        admission.later = [later = std::move(admission.later)](const std::function<void(net::Admission)>& done) {
          later([done](net::Admission decision) {
            decision.headers = kAlways;
            done(std::move(decision));
          });
        };
        return admission;
      }
      if (request.route.empty() && (!admission.refusal || admission.refusal->status == 403)) {
        admission.refusal = no_such_address(*router, request);
      }
    }
    admission.headers = kAlways;
    return admission;
  };
}

}  // namespace slipway::api
