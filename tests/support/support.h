// What tests share: where the shared datasets are (when they are), and how to skip visibly without them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace slipway::tests {

// The folder of shared data: $SLIPWAY_SHARED, else ../shared beside the source tree; nullopt when there is none.
std::optional<std::filesystem::path> shared_dir();

// The source tree's root (tests run there).
std::filesystem::path source_dir();

// $SLIPWAY_CACHE, else ~/.cache/slipway; ./test fetches the open models there. nullopt when `name` is not in it.
std::optional<std::filesystem::path> cached(const std::string& name);

}  // namespace slipway::tests

// Skips the running test, saying so, when the shared data are not here; defines `shared` otherwise.
#define SLIPWAY_NEEDS_SHARED(shared)                              \
  const auto shared##_optional = ::slipway::tests::shared_dir(); \
  if (!shared##_optional) {                                       \
    GTEST_SKIP() << "skipped: no shared data";                    \
  }                                                               \
  const std::filesystem::path& shared = *shared##_optional
