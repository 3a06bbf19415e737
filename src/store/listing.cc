#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <limits>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/path.h"
#include "store/blobs.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr const char* kFormat = "slipway.folder/1";
constexpr size_t kMaxEntries = 1'000'000;
constexpr base::JsonLimits kListingLimits{size_t{256} << 20, 8};  // a million entries of about 200 bytes

void sort_and_check(std::vector<FolderEntry>& entries) {
  if (entries.size() > kMaxEntries) {
    throw Error(Code::kInvalid,
                fmt::format("a folder artifact holds at most {} files, this has {}", kMaxEntries, entries.size()));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  std::vector<std::string_view> paths;
  paths.reserve(entries.size());
  for (const FolderEntry& entry : entries) {
    base::check_entry_path(entry.path);
    if (!paths.empty() && paths.back() == entry.path) {
      throw base::bad_path(entry.path, "it is there twice");
    }
    paths.push_back(entry.path);
  }
  for (const std::string_view path : paths) {  // "a" and "a/b" cannot both be files
    for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      if (std::binary_search(paths.begin(), paths.end(), path.substr(0, slash))) {
        throw base::bad_path(path, "a part of it is a file");
      }
    }
  }
}

}  // namespace

// As base::canonical_json would have it, without a tree of a million objects.
std::string listing_bytes(std::vector<FolderEntry> entries) {
  sort_and_check(entries);
  std::string bytes = "{\"files\":[";
  for (const FolderEntry& entry : entries) {
    bytes += bytes.back() == '[' ? "{\"digest\":\"" : ",{\"digest\":\"";
    bytes += entry.digest;
    bytes += "\",\"path\":";
    bytes += base::canonical_json(Json(entry.path));
    fmt::format_to(std::back_inserter(bytes), ",\"size\":{}}}", entry.size);
  }
  bytes += fmt::format("],\"format\":\"{}\"}}", kFormat);
  return bytes;
}

std::vector<FolderEntry> parse_listing(std::string_view bytes, std::string_view source) {
  const auto not_one = [&](const char* why) {
    return Error(Code::kInvalid, fmt::format("{} is not a folder: {}", source, why));
  };
  if (!bytes.starts_with("{\"files\":[")) {
    throw not_one("it is a single file");
  }
  const Json json = base::parse_json(bytes, source, kListingLimits);
  if (base::get<std::string>(json, "format", source) != kFormat) {
    throw not_one("its listing has a format that this version does not know");
  }
  std::vector<FolderEntry> entries;
  const auto files = json.find("files");  // a second "files" in the text may be anything
  if (files == json.end() || !files->is_array()) {
    throw not_one("its files are not a list");
  }
  for (const Json& file : *files) {
    FolderEntry entry;
    entry.path = base::get<std::string>(file, "path", source);
    entry.digest = base::get<std::string>(file, "digest", source);
    const auto size = file.find("size");
    if (size == file.end() || !size->is_number_unsigned()) {
      throw not_one("a size is not a number");
    }
    entry.size = size->get<uint64_t>();
    if (!base::is_digest(entry.digest)) {
      throw not_one("a digest is not one");
    }
    entries.push_back(std::move(entry));
  }
  sort_and_check(entries);
  return entries;
}

}  // namespace slipway::store
