#include "api/routes.h"

#include <array>
#include <chrono>
#include <fmt/format.h>
#include <memory>

#include "api/pace.h"

namespace slipway::api {
namespace {

constexpr std::string_view kGitEnding = ".git";  // of a repository's address, none of its name

// What all requests of a route share.
struct Shared {
  Shared(ChangeGuard guard_in, Routes::Guarded handle_in, Routes::FailureAnswer failure_in)
      : guard(std::move(guard_in)), handle(std::move(handle_in)), failure(std::move(failure_in)) {}

  ChangeGuard guard;
  Routes::Guarded handle;
  Routes::FailureAnswer failure;
  mutable Pace pace;
};

void answer(const Shared& route, base::Log& log, const net::Request& request, const net::Responder& responder) {
  const auto start = std::chrono::steady_clock::now();
  net::Response response;
  try {
    response = route.handle(route.guard, request);
  } catch (const std::exception& error) {
    response = route.failure(error);
    if (response.status >= 500) {
      log.error("a request failed", {{"route", request.route}, {"error", std::string(error.what())}});
    }
  }
  route.pace.took(std::chrono::steady_clock::now() - start);
  responder.send(std::move(response));
}

// An address that names its record says so before a body comes: repositories, traces, logged models, uploads.
Permission completed(std::string_view address, Permission permission) {
  struct Place {
    std::string_view pattern;
    std::string_view parameter;
    std::vector<std::string> Subjects::*list;
  };
  static constexpr std::array<Place, 4> kPlaces = {{{"/{trace_id}", "trace_id", &Subjects::traces},
                                                    {"/traces/{request_id}", "request_id", &Subjects::traces},
                                                    {"/{model_id}", "model_id", &Subjects::models},
                                                    {"/{upload_id}", "upload_id", &Subjects::uploads}}};
  for (const Place& place : kPlaces) {
    if (!permission.subjects && address.find(place.pattern) != std::string_view::npos) {
      permission.subjects = [place](const net::Request& request) {
        Subjects subjects;
        (subjects.*place.list).emplace_back(request.param(place.parameter));
        return subjects;
      };
    }
  }
  if (!permission.subjects && address.find("/{ns}/{repo}") != std::string_view::npos) {
    permission.subjects = [](const net::Request& request) {
      std::string name(request.param("repo"));
      if (name.ends_with(kGitEnding)) {
        name.resize(name.size() - kGitEnding.size());
      }
      return Subjects{{std::string(request.param("ns")) + "/" + name}, {}, {}};
    };
  }
  return permission;
}

Routes::Guarded guarded(const Routes::Raw& handle, const Permission& permission) {
  return [handle, subjects = permission.subjects](const ChangeGuard& guard, const net::Request& request) {
    return guard.run(
        request, [&] { return subjects ? subjects(request) : Subjects(); }, [&] { return handle(request); });
  };
}

}  // namespace

net::Handler Routes::handler_of(std::string_view method, std::string_view address, const Permission& permission,
                                Guarded handle, Where where) {
  const Rule rule = rule_of(method, completed(address, permission));
  rules_.add(method, address, rule);
  const auto route = std::make_shared<const Shared>(
      ChangeGuard{server_.authority, server_.store, rule, fmt::format("{} {}", method, address)}, std::move(handle), failure_);
  (*inner_)[fmt::format("{} {}", method, address)] = [route](const net::Request& request) {
    try {
      return route->handle(route->guard, request);
    } catch (const std::exception& error) {
      return route->failure(error);
    }
  };
  const bool here = where == Where::kHereWhileQuick && !server_.store.rows_are_remote();
  // Holds what ask() finds routes in, which themselves hold no more than a weak pointer to it.
  return [&workers = server_.workers, &log = server_.log, route, inner = inner_, here](net::Request request, const net::Responder& responder) {
    if (here && route->pace.quick()) {
      answer(*route, log, request, responder);
      return;
    }
    auto shared = std::make_shared<net::Request>(std::move(request));
    if (!workers.post([&log, route, shared, responder] { answer(*route, log, *shared, responder); })) {
      responder.send(route->failure(ApiError("RESOURCE_EXHAUSTED", "too many requests are waiting; try again")));
    }
  };
}

Routes::Ask Routes::ask() const {
  return [weak = std::weak_ptr<Inner>(inner_)](const net::Request& from, std::string_view method, std::string_view address, const Json& message) {
    net::Request request;
    request.method = "POST";  // its message is in the body
    request.path = request.route = std::string(address);
    request.headers.add("Content-Type", "application/json");
    request.body = base::dump_json(message);
    request.peer = from.peer;
    request.from_loopback = from.from_loopback;
    request.id = from.id;
    request.identity = from.identity;
    return weak.lock()->at(fmt::format("{} {}", method, address))(request);
  };
}

void Routes::add_guarded_at(std::string_view method, std::string_view address, const Permission& permission,
                         Guarded handle) {
  router_.add(method, address, handler_of(method, address, permission, std::move(handle)));
}

void Routes::add_at(std::string_view method, std::string_view address, const Raw& handle,
                    const Permission& permission) {
  add_guarded_at(method, address, permission, guarded(handle, completed(address, permission)));
}

void Routes::add_upload(std::string_view path, uint64_t max_bytes, const net::SinkMaker& make, const Raw& handle,
                        const Permission& permission) {
  for (const char* prefix : {"/api", "/ajax-api"}) {
    add_upload_at("PUT", prefix + std::string(path), max_bytes, make, handle, permission);
  }
}

void Routes::add_upload_at(std::string_view method, std::string_view address, uint64_t max_bytes,
                           const net::SinkMaker& make, const Raw& handle, const Permission& permission) {
  router_.add_upload(method, address, max_bytes, make,
                     handler_of(method, address, permission, guarded(handle, completed(address, permission))));
}

void Routes::add_raw(std::string_view method, std::string_view path, const Raw& handle, const Permission& permission) {
  add_at(method, "/ajax-api" + std::string(path), handle, permission);
  add_at(method, "/api" + std::string(path), handle, permission);
}

void Routes::add_guarded_raw(std::string_view method, std::string_view path, const Guarded& handle,
                             const Permission& permission) {
  add_guarded_at(method, "/ajax-api" + std::string(path), permission, handle);
  add_guarded_at(method, "/api" + std::string(path), permission, handle);
}

std::string artifact_folder(const std::string& uri) {
  constexpr std::string_view kScheme = "mlflow-artifacts:/";
  if (!uri.starts_with(kScheme)) {
    invalid(fmt::format("the artifacts lie at '{}', which this server does not read; ask that store", uri));
  }
  return uri.substr(kScheme.size());
}

}  // namespace slipway::api
