#include "base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {

SharedLibrary::SharedLibrary(const Names& names) : names_(names), handle_(::dlopen(names.file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    const char* why = ::dlerror();  // also says when the file is there and broken, or lacks a library of its own
    throw Error(Code::kFailure, fmt::format("{} needs the library {}, which cannot be loaded: install {} ({})", names.purpose, names.file,
                                            names.package, why == nullptr ? "no reason given" : why));
  }
}

void* SharedLibrary::symbol(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) {
    throw Error(Code::kFailure, fmt::format("the library {} is too old, it has no {}: {} {} or later is needed", names_.file, name,
                                            names_.package, names_.version));
  }
  return found;
}

}  // namespace slipway::base
