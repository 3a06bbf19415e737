#include <cstdlib>

#include "support/support.h"

namespace slipway::tests {

namespace fs = std::filesystem;

fs::path source_dir() { return fs::current_path(); }

std::optional<fs::path> shared_dir() {
  if (const char* named = std::getenv("SLIPWAY_SHARED")) {
    return fs::is_directory(named) ? std::optional<fs::path>(named) : std::nullopt;
  }
  const fs::path beside = source_dir().parent_path() / "shared";
  return fs::is_directory(beside / "data") ? std::optional<fs::path>(beside) : std::nullopt;
}

std::optional<fs::path> cached(const std::string& name) {
  fs::path root;
  if (const char* named = std::getenv("SLIPWAY_CACHE")) {
    root = named;
  } else if (const char* home = std::getenv("HOME")) {
    root = fs::path(home) / ".cache" / "slipway";
  }
  return fs::exists(root / name) ? std::optional<fs::path>(root / name) : std::nullopt;
}

}  // namespace slipway::tests

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
