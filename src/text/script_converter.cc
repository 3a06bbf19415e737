#include "text/script_converter.h"

#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {

using base::Code;
using base::Error;

// The C interface of opencc.h; handles are void*, and (void*)-1 says that opening failed.
struct ScriptConverter::Library {
  void* object = nullptr;
  void* (*open)(const char* configuration) = nullptr;
  int (*close)(void* handle) = nullptr;
  char* (*convert)(void* handle, const char* input, size_t length) = nullptr;
  void (*free)(char* text) = nullptr;
  const char* (*error)() = nullptr;

  Library() {
    for (const char* name : {"libopencc.so.1.1", "libopencc.so"}) {
      object = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (object != nullptr) {
        break;
      }
    }
    if (object == nullptr) {
      throw Error(Code::kUnavailable, "the library OpenCC is not installed (libopencc.so.1.1); Debian's package libopencc1.1 brings it");
    }
    load(open, "opencc_open");
    load(close, "opencc_close");
    load(convert, "opencc_convert_utf8");
    load(free, "opencc_convert_utf8_free");
    load(error, "opencc_error");
  }
  ~Library() { ::dlclose(object); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  template <class Function>
  void load(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(object, name));
    if (function == nullptr) {
      throw Error(Code::kUnavailable, fmt::format("the library OpenCC has no function {}; version 1.1 is needed", name));
    }
  }
};

ScriptConverter::ScriptConverter(std::string configuration) : library_(std::make_shared<const Library>()), configuration_(std::move(configuration)) {
  if (!configuration_.ends_with(".json")) {
    configuration_ += ".json";
  }
  give_back(borrow());  // an unknown configuration fails here
}

ScriptConverter::~ScriptConverter() {
  for (void* const handle : handles_) {
    library_->close(handle);
  }
}

void* ScriptConverter::borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!handles_.empty()) {
      void* const handle = handles_.back();
      handles_.pop_back();
      return handle;
    }
  }
  void* const handle = library_->open(configuration_.c_str());
  if (handle == reinterpret_cast<void*>(-1) || handle == nullptr) {
    throw Error(Code::kNotFound, fmt::format("OpenCC has no configuration '{}': {}", configuration_, library_->error()));
  }
  return handle;
}

void ScriptConverter::give_back(void* handle) {
  const std::lock_guard lock(mutex_);
  handles_.push_back(handle);
}

std::string ScriptConverter::convert(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  void* const handle = borrow();
  char* const converted = library_->convert(handle, text.data(), text.size());
  const std::string reason = converted == nullptr ? library_->error() : "";
  give_back(handle);
  if (converted == nullptr) {
    throw Error(Code::kFailure, "OpenCC cannot convert the text: " + reason);
  }
  std::string out = converted;
  library_->free(converted);
  return out;
}

}  // namespace slipway::text
