// What files are called in documents and messages when they were brought here from elsewhere. Plain; any thread may read.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace slipway::data {

class SourceNames {
 public:
  // `local`, a file or a folder, is what others know as `shown`.
  void add(const std::filesystem::path& local, std::string shown) { places_.emplace_back(local.generic_string(), std::move(shown)); }
  // "s3://bucket/a/b.html" of a file that lies in the place of "s3://bucket/a"; of others their path.
  std::string of(const std::filesystem::path& file) const {
    std::string path = file.generic_string();
    for (const auto& [local, shown] : places_) {
      const bool inside = path.starts_with(local) && (path.size() == local.size() || path[local.size()] == '/' || local.ends_with('/'));
      if (inside) {
        const std::string rest = path.substr(local.size());
        return (shown.ends_with('/') && rest.starts_with('/') ? shown.substr(0, shown.size() - 1) : shown) + rest;
      }
    }
    return path;
  }

 private:
  std::vector<std::pair<std::string, std::string>> places_;
};

}  // namespace slipway::data
