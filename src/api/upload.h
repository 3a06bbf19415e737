// A body on its way into the store, hashed and written as it arrives. What fails is told when the whole body is there.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string_view>

#include "net/http.h"
#include "record/tracking_stores.h"

namespace slipway::api {

class Upload final : public net::BodySink {
 public:
  explicit Upload(const std::function<std::unique_ptr<record::FileWriter>()>& begin) {
    attempt([&] { writer_ = begin(); });
  }
  void write(std::string_view bytes) noexcept override {
    if (!error_) {
      attempt([&] { writer_->write(bytes); });
    }
  }
  // Durable on return. Rethrows what failed.
  record::TreeFile commit() {
    if (error_) {
      std::rethrow_exception(error_);
    }
    return writer_->commit();
  }

 private:
  template <class Work>
  void attempt(const Work& work) noexcept {
    try {
      work();
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  std::unique_ptr<record::FileWriter> writer_;
  std::exception_ptr error_;
};

}  // namespace slipway::api
