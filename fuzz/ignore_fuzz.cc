// Rules of a .gitignore and paths held to them: any text is rules, and what is in an ignored folder is ignored.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/ignore.h"

// The rules, an empty line, then a path.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxBytes = 4096;  // time grows with the product
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, kMaxBytes));
  const size_t end = std::min(bytes.find("\n\n"), bytes.size());
  const std::string path(bytes.substr(std::min(end + 2, bytes.size())));
  slipway::base::IgnoreRules rules;
  rules.add("", bytes.substr(0, end));
  std::unordered_map<std::string, bool> folders;
  const bool ignored = rules.ignores(path, folders);
  if (rules.matches(path, true) && !rules.ignores(path + "/x", folders)) {
    std::abort();
  }
  if (rules.empty() && ignored) {
    std::abort();
  }
  return 0;
}
