// Paths that others named: checked before anything is made of them. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"

namespace slipway::base {

// Throws kInvalid unless `path` is relative, normal ("a/b", no "." or ".." or empty parts), valid UTF-8 without control
// characters, and at most 4096 bytes with parts of at most 255.
void check_entry_path(std::string_view path);

// Why a path is refused, shown with escapes: it may hold anything.
Error bad_path(std::string_view path, std::string_view why);

}  // namespace slipway::base
