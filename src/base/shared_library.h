// A library of the system that is loaded when what needs it is first used, instead of with the program: who does not use it needs none
// installed, and the program starts without it and the libraries that come with it. Any thread.
#pragma once

#include <string>

namespace slipway::base {

class SharedLibrary {
 public:
  struct Names {
    const char* file;     // "libpq.so.5"
    const char* purpose;  // "a store in PostgreSQL", which needs it
    const char* package;  // "libpq5", which brings it
    const char* version;  // "14", from which on it has all that is asked of it
  };
  // Loads it; it stays for the life of the process. Throws Error(kFailure) when it is not there.
  explicit SharedLibrary(const Names& names);

  // Points `function` at the library's function of that name. Throws Error(kFailure) when it has none.
  template <class Function>
  void find(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(symbol(name));  // NOLINT: what dlsym is for
  }

 private:
  void* symbol(const char* name) const;

  Names names_;
  void* handle_;
};

}  // namespace slipway::base
