#include "base/path.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "base/utf8.h"

namespace slipway::base {
namespace {

constexpr size_t kMaxPathBytes = 4096;  // PATH_MAX
constexpr size_t kMaxPartBytes = 255;   // NAME_MAX

void check_parts(std::string_view path) {
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) {
      throw bad_path(path, begin == 0 ? "it is absolute" : "it has an empty part");
    }
    if (part == "." || part == "..") {
      throw bad_path(path, "it has a part '.' or '..'");
    }
    if (part.size() > kMaxPartBytes) {
      throw bad_path(path, "a part is longer than 255 bytes");
    }
    begin = end + 1;
  }
}

}  // namespace

Error bad_path(std::string_view path, std::string_view why) {
  std::string shown;  // escaped: the name may hold anything
  for (const char c : path.substr(0, 200)) {
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
    shown += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return {Code::kInvalid, fmt::format("'{}' cannot be a path in an artifact: {}", shown, why)};
}

void check_entry_path(std::string_view path) {
  if (path.empty()) {
    throw bad_path(path, "it is empty");
  }
  if (path.size() > kMaxPathBytes) {
    throw bad_path(path, "it is longer than 4096 bytes");
  }
  for (size_t i = 0; i < path.size();) {
    const size_t length = utf8_length(path.substr(i));
    if (length == 0) {
      throw bad_path(path, "it is not UTF-8; rename the file");
    }
    if (static_cast<unsigned char>(path[i]) < 0x20 || path[i] == 0x7F) {
      throw bad_path(path, "it has a control character");
    }
    i += length;
  }
  check_parts(path);
}

}  // namespace slipway::base
