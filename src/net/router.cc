#include "net/router.h"

#include <algorithm>
#include <stdexcept>

namespace slipway::net {

namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> segments;
  path.remove_prefix(1);  // the leading slash
  while (true) {
    const size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return segments;
    }
    path.remove_prefix(slash + 1);
  }
}

bool is_param(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }
bool is_rest(const std::string& segment) { return is_param(segment) && segment.ends_with("...}"); }

// How much of the pattern is literal, and that nothing of it takes the rest: more wins. -1: no match. An empty segment
// never matches a {name}.
int match_score(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  const bool rest = is_rest(pattern.back());
  if (rest ? pattern.size() > path.size() : pattern.size() != path.size()) {
    return -1;
  }
  int score = rest ? 0 : 1;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (is_param(pattern[i])) {
      if (path[i].empty()) {
        return -1;
      }
    } else if (pattern[i] == path[i]) {
      score += 2;
    } else {
      return -1;
    }
  }
  return score;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  add_route({std::string(method), std::string(pattern), {}, std::move(handler), {}, 0});
}

void Router::add_upload(std::string_view method, std::string_view pattern, uint64_t max_bytes, SinkMaker sink,
                        Handler handler) {
  add_route({std::string(method), std::string(pattern), {}, std::move(handler), std::move(sink), max_bytes});
}

void Router::add_route(Route route) {
  if (route.pattern.empty() || route.pattern.front() != '/' || !route.handler) {
    throw std::logic_error("a route needs a pattern that starts with '/' and a handler: " + route.pattern);
  }
  route.segments = split_path(route.pattern);
  for (const std::string& segment : route.segments) {
    const bool opens = segment.find('{') != std::string::npos;
    const bool closes = segment.find('}') != std::string::npos;
    if ((opens || closes) && !(is_param(segment) && segment.back() == '}')) {
      throw std::logic_error("a {name} must be a whole segment: " + route.pattern);
    }
    if (is_rest(segment) && &segment != &route.segments.back()) {
      throw std::logic_error("only the last segment can be a {name...}: " + route.pattern);
    }
  }
  if (this->handler(route.method, route.pattern) != nullptr) {
    throw std::logic_error("two handlers for " + route.method + " " + route.pattern);
  }
  if (route.pattern.find('{') == std::string::npos) {
    literal_.emplace(route.method + " " + route.pattern, routes_.size());
  }
  routes_.push_back(std::move(route));
}

const Handler* Router::handler(std::string_view method, std::string_view pattern) const noexcept {
  const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) {
    return route.method == method && route.pattern == pattern;
  });
  return found == routes_.end() ? nullptr : &found->handler;
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  all.reserve(routes_.size());
  for (const Route& route : routes_) {
    all.emplace_back(route.method, route.pattern);
  }
  return all;
}

Router::Match Router::find(Request& request) const {
  if (request.path.empty() || request.path.front() != '/') {
    return {nullptr, nullptr, 0, 400, ""};
  }
  const std::string_view wanted = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string whole;
  whole.reserve(wanted.size() + 1 + request.path.size());
  whole.append(wanted).append(" ").append(request.path);
  if (const auto exact = literal_.find(whole); exact != literal_.end()) {
    const Route& route = routes_[exact->second];
    request.route = route.pattern;
    request.params.clear();
    return {&route.handler, route.sink ? &route.sink : nullptr, route.max_bytes, 200, ""};
  }
  std::vector<std::string> segments = split_path(request.path);
  std::string decoded;
  for (std::string& segment : segments) {
    if (!percent_decode(segment, false, decoded)) {
      return {nullptr, nullptr, 0, 400, ""};
    }
    segment.swap(decoded);
  }
  if (segments.size() > 1 && segments.back().empty()) {
    segments.pop_back();  // "/health/" is "/health"
  }
  const Route* best = nullptr;
  int best_score = -1;
  Match missed;
  for (const Route& route : routes_) {
    const int score = match_score(route.segments, segments);
    if (score < 0) {
      continue;
    }
    if (route.method != wanted) {
      missed.status = 405;
      missed.allow += (missed.allow.empty() ? "" : ", ") + route.method;
    } else if (score > best_score) {
      best = &route;
      best_score = score;
    }
  }
  if (best == nullptr) {
    return missed;
  }
  request.route = best->pattern;
  request.params.clear();
  for (size_t i = 0; i < best->segments.size(); ++i) {
    const std::string& name = best->segments[i];
    if (is_rest(name)) {
      std::string rest = std::move(segments[i]);
      for (size_t k = i + 1; k < segments.size(); ++k) {
        rest.append("/").append(segments[k]);
      }
      request.params.emplace_back(name.substr(1, name.size() - 5), std::move(rest));
    } else if (is_param(name)) {
      request.params.emplace_back(name.substr(1, name.size() - 2), std::move(segments[i]));
    }
  }
  return {&best->handler, best->sink ? &best->sink : nullptr, best->max_bytes, 200, ""};
}

}  // namespace slipway::net
