// A version of a dataset whose files lie in a folder of the test, compressed as their names say.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/row_diff.h"

namespace slipway::data {

class TestVersion {
 public:
  explicit TestVersion(const std::vector<std::pair<std::string, std::string>>& files) {
    for (const auto& [name, content] : files) {
      const std::filesystem::path file = dir_->path() / name;
      base::make_dirs(file.parent_path());
      const std::string bytes = name.ends_with(".zst") ? base::zstd_compress(content) : content;
      base::write_file_atomic(file, bytes);
      files_.push_back({name, base::digest_of(bytes), bytes.size()});
    }
  }
  void truncate(const std::string& name) { std::filesystem::resize_file(dir_->path() / name, std::filesystem::file_size(dir_->path() / name) / 2); }
  VersionFiles files() const {
    return {files_, [dir = dir_](const record::FolderFile& file) { return dir->path() / file.path; }};
  }

 private:
  std::shared_ptr<base::TempDir> dir_ = std::make_shared<base::TempDir>();
  std::vector<record::FolderFile> files_;
};

inline TestVersion version_of(const std::vector<std::pair<std::string, std::string>>& files) { return TestVersion(files); }

}  // namespace slipway::data
