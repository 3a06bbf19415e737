#include "data/file_head.h"

#include <cerrno>
#include <fmt/format.h>
#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace slipway::data {

std::string file_head(const std::filesystem::path& path, size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw base::Error(errno == ENOENT ? base::Code::kNotFound : base::Code::kFailure,
                      fmt::format("cannot read '{}': {}", path.string(), base::errno_text(errno)));
  }
  std::string head(bytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(bytes));
  head.resize(static_cast<size_t>(file.gcount()));
  return head;
}

}  // namespace slipway::data
