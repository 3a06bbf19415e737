#include "model/zip.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "base/error.h"
#include "model/load.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

// APPNOTE 6.3: sizes of the fixed parts.
constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64Bytes = 56;
constexpr size_t kLocator64Bytes = 20;
constexpr size_t kMaxCommentBytes = 65'535;

[[noreturn]] void broken(const std::string& source, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: not a zip archive: {}", source, what));
}

// A little-endian number at `at`, which the caller knows to be inside.
template <class T>
T number(std::string_view bytes, size_t at) noexcept {
  return load<T>(bytes.data() + at);
}

bool inside(std::string_view bytes, uint64_t at, uint64_t size) noexcept {
  return at <= bytes.size() && size <= bytes.size() - at;
}

struct Directory {
  uint64_t entries;
  uint64_t size;
  uint64_t offset;
};

Directory find_directory(std::string_view bytes, const std::string& source) {
  if (bytes.size() < kEndBytes) {
    broken(source, "it is too short");
  }
  const size_t lowest = bytes.size() - std::min(bytes.size(), kEndBytes + kMaxCommentBytes);
  for (size_t at = bytes.size() - kEndBytes + 1; at-- > lowest;) {
    if (bytes.substr(at, 4) != std::string_view("PK\5\6", 4) ||
        number<uint16_t>(bytes, at + 20) != bytes.size() - at - kEndBytes) {
      continue;
    }
    Directory out{number<uint16_t>(bytes, at + 10), number<uint32_t>(bytes, at + 12), number<uint32_t>(bytes, at + 16)};
    const bool large = out.entries == UINT16_MAX || out.size == UINT32_MAX || out.offset == UINT32_MAX;
    if (large && at >= kLocator64Bytes && bytes.substr(at - kLocator64Bytes, 4) == std::string_view("PK\6\7", 4)) {
      const auto end64 = number<uint64_t>(bytes, at - kLocator64Bytes + 8);
      if (!inside(bytes, end64, kEnd64Bytes) || bytes.substr(end64, 4) != std::string_view("PK\6\6", 4)) {
        broken(source, "its zip64 list is not where it says");
      }
      out = {number<uint64_t>(bytes, end64 + 32), number<uint64_t>(bytes, end64 + 40),
             number<uint64_t>(bytes, end64 + 48)};
    }
    if (!inside(bytes, out.offset, out.size) || out.entries > kMaxZipEntries ||
        out.entries * kCentralBytes > out.size) {
      broken(source, "its list of entries does not fit the file");
    }
    return out;
  }
  broken(source, "it has no list of entries: it is cut short");
}

struct Entry {
  std::string name;
  uint64_t size = 0;  // uncompressed
  uint64_t compressed = 0;
  uint64_t offset = 0;  // of the local header
};

// Sizes that do not fit 32 bits are in the extra field 1, in this order, those only that are all ones.
void read_zip64(Entry& entry, std::string_view extra, const std::string& source) {
  while (extra.size() >= 4) {
    const auto kind = number<uint16_t>(extra, 0);
    const auto size = number<uint16_t>(extra, 2);
    if (size > extra.size() - 4) {
      broken(source, fmt::format("'{}' has an extra field that does not fit", entry.name));
    }
    std::string_view field = extra.substr(4, size);
    extra = extra.substr(4 + size);
    if (kind != 1) {
      continue;
    }
    for (uint64_t* value : {&entry.size, &entry.compressed, &entry.offset}) {
      if (*value == UINT32_MAX) {
        if (field.size() < 8) {
          broken(source, fmt::format("'{}' lacks its zip64 size", entry.name));
        }
        *value = number<uint64_t>(field, 0);
        field = field.substr(8);
      }
    }
  }
}

Entry read_entry(std::string_view list, size_t& at, const std::string& source) {
  if (!inside(list, at, kCentralBytes) || list.substr(at, 4) != std::string_view("PK\1\2", 4)) {
    broken(source, "its list of entries is damaged");
  }
  const auto flags = number<uint16_t>(list, at + 8);
  const auto method = number<uint16_t>(list, at + 10);
  const auto name_size = number<uint16_t>(list, at + 28);
  const auto extra_size = number<uint16_t>(list, at + 30);
  const auto comment_size = number<uint16_t>(list, at + 32);
  Entry entry;
  entry.compressed = number<uint32_t>(list, at + 20);
  entry.size = number<uint32_t>(list, at + 24);
  entry.offset = number<uint32_t>(list, at + 42);
  if (!inside(list, at + kCentralBytes, uint64_t{name_size} + extra_size + comment_size) || name_size == 0 ||
      name_size > kMaxZipNameBytes) {
    broken(source, "its list of entries is damaged");
  }
  entry.name = std::string(list.substr(at + kCentralBytes, name_size));
  read_zip64(entry, list.substr(at + kCentralBytes + name_size, extra_size), source);
  if ((flags & 1U) != 0 || method != 0) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is {}; only stored entries are read", source, entry.name,
                                            method != 0 ? "compressed" : "encrypted"));
  }
  if (entry.compressed != entry.size) {
    broken(source, fmt::format("'{}' is stored but has two sizes", entry.name));
  }
  at += kCentralBytes + name_size + extra_size + comment_size;
  return entry;
}

}  // namespace

bool is_zip(std::string_view bytes) noexcept { return bytes.starts_with(std::string_view("PK\3\4", 4)); }

std::map<std::string, std::string_view> read_zip(std::string_view bytes, const std::string& source) {
  const Directory directory = find_directory(bytes, source);
  const std::string_view list = bytes.substr(directory.offset, directory.size);
  std::vector<Entry> entries;
  size_t at = 0;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    entries.push_back(read_entry(list, at, source));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
  std::map<std::string, std::string_view> out;
  uint64_t free_from = 0;
  const std::string_view data = bytes.substr(0, directory.offset);
  for (const Entry& entry : entries) {
    if (entry.offset < free_from || !inside(data, entry.offset, kLocalBytes) ||
        data.substr(entry.offset, 4) != std::string_view("PK\3\4", 4)) {
      broken(source, fmt::format("'{}' overlaps another entry or is not in the file", entry.name));
    }
    const auto name_size = number<uint16_t>(data, entry.offset + 26);
    const auto extra_size = number<uint16_t>(data, entry.offset + 28);
    const uint64_t begin = entry.offset + kLocalBytes + name_size + extra_size;
    if (!inside(data, begin, entry.size)) {
      broken(source, fmt::format("'{}' is larger than the file", entry.name));
    }
    if (data.substr(entry.offset + kLocalBytes, name_size) != entry.name) {
      broken(source, fmt::format("'{}' has another name beside its data", entry.name));
    }
    free_from = begin + entry.size;
    if (!out.emplace(entry.name, data.substr(begin, entry.size)).second) {
      broken(source, fmt::format("'{}' is there twice", entry.name));
    }
  }
  return out;
}

}  // namespace slipway::model
