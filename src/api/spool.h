// A body that is kept in a file of its own until its handler reads it. Gone with the object.
#pragma once

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "net/http.h"

namespace slipway::api {

class Spool final : public net::BodySink {
 public:
  Spool() : path_(dir_.path() / "body"), file_(path_, std::ios::binary) {}
  void write(std::string_view bytes) noexcept override {
    file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  // All of it; once. Throws Error(kUnavailable) when it did not fit.
  base::MappedFile finish() {
    file_.close();
    if (file_.fail()) {
      throw base::Error(base::Code::kUnavailable, fmt::format("the body does not fit into '{}'; free some space and try again",
                                                              dir_.path().string()));
    }
    return base::MappedFile(path_);
  }
  // For Routes::add_upload_at; null when there is no room for a file.
  static std::shared_ptr<net::BodySink> make(const net::Request&) {
    try {
      return std::make_shared<Spool>();
    } catch (const base::Error&) {
      return nullptr;
    }
  }
  // Of a request whose sink this is. Throws Error(kUnavailable).
  static base::MappedFile body_of(const net::Request& request) {
    auto* spool = dynamic_cast<Spool*>(request.sink.get());
    if (spool == nullptr) {
      throw base::Error(base::Code::kUnavailable, "there is no room for the body; try again");
    }
    return spool->finish();
  }

 private:
  base::TempDir dir_;
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace slipway::api
