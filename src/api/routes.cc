#include "api/routes.h"

#include <fmt/format.h>
#include <memory>

namespace slipway::api {
namespace {

void answer(const std::function<net::Response(const net::Request&)>& handle, const Routes::FailureAnswer& failure,
            base::Log& log, const net::Request& request, const net::Responder& responder) {
  try {
    responder.send(handle(request));
  } catch (const std::exception& error) {
    net::Response response = failure(error);
    if (response.status >= 500) {
      log.error("a request failed", {{"route", request.route}, {"error", std::string(error.what())}});
    }
    responder.send(std::move(response));
  }
}

}  // namespace

net::Handler Routes::on_worker(std::function<net::Response(const net::Request&)> handle) {
  return [&workers = workers_, &log = log_, failure = failure_, handle = std::move(handle)](
             net::Request request, const net::Responder& responder) {
    auto shared = std::make_shared<net::Request>(std::move(request));
    if (!workers.post([&log, handle, failure, shared, responder] { answer(handle, failure, log, *shared, responder); })) {
      responder.send(failure(ApiError("RESOURCE_EXHAUSTED", "too many requests are waiting; try again")));
    }
  };
}

void Routes::add_at(std::string_view method, std::string_view address,
                    std::function<net::Response(const net::Request&)> handle) {
  router_.add(method, address, on_worker(std::move(handle)));
}

void Routes::add_upload_at(std::string_view method, std::string_view address, uint64_t max_bytes,
                           const net::SinkMaker& make, std::function<net::Response(const net::Request&)> handle) {
  router_.add_upload(method, address, max_bytes, make, on_worker(std::move(handle)));
}

void Routes::add_upload(std::string_view path, uint64_t max_bytes, const net::SinkMaker& make,
                        const std::function<net::Response(const net::Request&)>& handle) {
  for (const char* prefix : {"/api", "/ajax-api"}) {
    router_.add_upload("PUT", prefix + std::string(path), max_bytes, make, on_worker(handle));
  }
}

void Routes::add_raw(std::string_view method, std::string_view path,
                     std::function<net::Response(const net::Request&)> handle) {
  add_at(method, "/ajax-api" + std::string(path), handle);
  add_at(method, "/api" + std::string(path), std::move(handle));
}

std::string artifact_folder(const std::string& uri) {
  constexpr std::string_view kScheme = "mlflow-artifacts:/";
  if (!uri.starts_with(kScheme)) {
    invalid(fmt::format("the artifacts lie at '{}', which this server does not read; ask that store", uri));
  }
  return uri.substr(kScheme.size());
}

}  // namespace slipway::api
