#include "data/dataset.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

// Shard names come from a file: only plain names, so that no path leaves the folder.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
}

Shard parse_shard(const Json& json, const std::string& where) {
  Shard shard{base::get<std::string>(json, "file", where), base::get<std::string>(json, "sha256", where),
              base::get<uint64_t>(json, "size", where), base::get<int64_t>(json, "rows", where)};
  if (!is_plain_name(shard.file)) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is not the plain name of a shard", where, shard.file));
  }
  return shard;
}

SplitInfo parse_split(const Json& json, const std::string& where) {
  SplitInfo info;
  info.rows = base::get<int64_t>(json, "rows", where);
  info.labels = base::get<std::map<std::string, int64_t>>(json, "labels", where);
  const Json shards = base::get<Json>(json, "shards", where);
  int64_t rows = 0;
  for (const Json& item : shards) {
    info.shards.push_back(parse_shard(item, where));
    rows += info.shards.back().rows;
  }
  if (rows != info.rows) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: its shards have {} rows, the split says {}", where, rows, info.rows));
  }
  return info;
}

void check_shard(const std::filesystem::path& folder, const Shard& shard, bool verify) {
  const std::filesystem::path path = folder / shard.file;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) {
    throw Error(Code::kNotFound, fmt::format("dataset '{}': its shard '{}' is missing", folder.string(), shard.file));
  }
  if (size != shard.size || (verify && base::sha256_file(path) != shard.sha256)) {
    throw Error(Code::kIntegrity,
                fmt::format("dataset '{}': shard '{}' is not what the manifest names (size {} of {}{})",
                            folder.string(), shard.file, size, shard.size, verify ? ", digest differs" : ""));
  }
}

}  // namespace

RowReader::RowReader(std::filesystem::path folder, std::vector<Shard> shards)
    : folder_(std::move(folder)), shards_(std::move(shards)) {}

bool RowReader::next(Document& document) {
  while (true) {
    if (!lines_) {
      if (shard_ == shards_.size()) {
        return false;
      }
      lines_ = std::make_unique<base::LineReader>(folder_ / shards_[shard_].file, size_t{256} << 20);
    }
    std::string_view line;
    if (lines_->next(line)) {
      parse_line(line, fmt::format("'{}' line {}", shards_[shard_].file, lines_->line_number()), document);
      return true;
    }
    lines_.reset();
    ++shard_;
  }
}

Dataset::Dataset(std::filesystem::path folder, bool verify) : folder_(std::move(folder)) {
  const std::filesystem::path file = folder_ / "manifest.json";
  const std::string bytes = base::read_file(file, size_t{256} << 20);
  const std::string where = file.string();
  manifest_ = base::parse_json(bytes, where, {.max_bytes = size_t{256} << 20});
  digest_ = base::digest_of(bytes);
  const auto format = base::get<std::string>(manifest_, "format", where);
  if (format != "slipway-dataset/1") {
    throw Error(Code::kInvalid, fmt::format("{}: format '{}'; this version reads slipway-dataset/1", where, format));
  }
  name_ = base::get<std::string>(manifest_, "name", where);
  labels_ = base::get<std::vector<std::string>>(manifest_, "labels", where);
  const Json splits = base::get<Json>(manifest_, "splits", where);
  std::vector<std::string> leaves;
  for (int s = 0; s < kSplits; ++s) {
    const char* name = split_name(static_cast<Split>(s));
    SplitInfo info = parse_split(base::get<Json>(splits, name, where), fmt::format("{}: {}", where, name));
    for (const Shard& shard : info.shards) {
      check_shard(folder_, shard, verify);
      leaves.push_back(shard.sha256);
    }
    splits_[static_cast<size_t>(s)] = std::move(info);
  }
  if (base::merkle_root(leaves) != base::get<std::string>(manifest_, "merkle_root", where)) {
    throw Error(Code::kIntegrity, fmt::format("{}: 'merkle_root' is not that of its shards", where));
  }
}

RowReader Dataset::rows(Split split) const { return {folder_, this->split(split).shards}; }

std::vector<Document> Dataset::load_split(Split split) const {
  std::vector<Document> documents;
  documents.reserve(static_cast<size_t>(std::min<int64_t>(this->split(split).rows, 1 << 20)));
  RowReader reader = rows(split);
  Document document;
  while (reader.next(document)) {
    documents.push_back(std::move(document));
  }
  if (static_cast<int64_t>(documents.size()) != this->split(split).rows) {
    throw Error(Code::kIntegrity, fmt::format("dataset '{}': {} has {} rows, the manifest says {}", folder_.string(),
                                              split_name(split), documents.size(), this->split(split).rows));
  }
  return documents;
}

int Dataset::label_index(std::string_view label) const noexcept {
  const auto found = std::find(labels_.begin(), labels_.end(), label);
  return found == labels_.end() ? -1 : static_cast<int>(found - labels_.begin());
}

}  // namespace slipway::data
