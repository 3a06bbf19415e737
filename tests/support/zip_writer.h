// Zip archives of stored entries, as torch.save and numpy.savez write them but for padding.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace slipway::tests {

inline std::string zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  std::string list;
  const auto put = [](std::string& to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      to += static_cast<char>(i < sizeof(value) ? value >> (8 * i) : 0);
    }
  };
  for (const auto& [name, data] : entries) {
    const size_t offset = out.size();
    out += std::string("PK\3\4\24\0\0\0\0\0\0\0\0\0", 14);
    put(out, 0, 4);
    put(out, data.size(), 4);
    put(out, data.size(), 4);
    put(out, name.size(), 2);
    put(out, 0, 2);
    out += name + data;
    list += std::string("PK\1\2\24\0\24\0\0\0\0\0\0\0\0\0", 16);
    put(list, 0, 4);
    put(list, data.size(), 4);
    put(list, data.size(), 4);
    put(list, name.size(), 2);
    put(list, 0, 12);
    put(list, offset, 4);
    list += name;
  }
  const size_t begin = out.size();
  out += list + std::string("PK\5\6\0\0\0\0", 8);
  put(out, entries.size(), 2);
  put(out, entries.size(), 2);
  put(out, list.size(), 4);
  put(out, begin, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace slipway::tests
