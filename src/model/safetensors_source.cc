#include "model/safetensors_source.h"

#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace slipway::model {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxIndexBytes = size_t{64} << 20;

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
}

}  // namespace

std::map<std::string, std::string> read_shard_index(const fs::path& index) {
  const std::string source = index.string();
  const base::Json json =
      base::parse_json(base::read_file(index, kMaxIndexBytes), source, {.max_bytes = kMaxIndexBytes, .max_depth = 8});
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object() || map->empty()) {
    throw Error(Code::kIntegrity, fmt::format("{}: 'weight_map' must be an object of tensor names and files", source));
  }
  std::map<std::string, std::string> shards;
  std::set<std::string> files;
  for (const auto& [name, file] : map->items()) {
    if (!file.is_string() || !is_plain_name(file.get_ref<const std::string&>())) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: the file of '{}' must be the name of a file beside the index", source, name));
    }
    if (!shards.emplace(name, file.get<std::string>()).second) {
      throw Error(Code::kIntegrity, fmt::format("{}: '{}' is listed twice", source, name));
    }
    files.insert(file.get<std::string>());
    if (files.size() > kMaxShards) {
      throw Error(Code::kIntegrity, fmt::format("{}: more than {} shards", source, kMaxShards));
    }
  }
  return shards;
}

std::vector<std::string> shard_names(const std::map<std::string, std::string>& where) {
  std::set<std::string> unique;
  for (const auto& [tensor, file] : where) {
    unique.insert(file);
  }
  return {unique.begin(), unique.end()};
}

void ShardMerger::add(const std::string& shard, const std::map<std::string, TensorView>& tensors) {
  for (const auto& [tensor, view] : tensors) {
    if (!out_.emplace(tensor, view).second) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: tensor '{}' is in '{}' and in '{}'", source_, tensor, found_[tensor], shard));
    }
    found_[tensor] = shard;
  }
}

void ShardMerger::check(const std::map<std::string, std::string>& where) const {
  for (const auto& [tensor, file] : where) {
    const auto it = found_.find(tensor);
    if (it == found_.end() || it->second != file) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: tensor '{}' is not in '{}', where the index has it", source_, tensor, file));
    }
  }
}

SafetensorsSource::SafetensorsSource(const fs::path& path) : source_(path.string()) {
  const bool is_index = path.extension() == ".json";
  const std::map<std::string, std::string> where =
      is_index ? read_shard_index(path) : std::map<std::string, std::string>();
  const std::vector<std::string> names =
      is_index ? shard_names(where) : std::vector<std::string>{path.filename().string()};
  ShardMerger merger(tensors_, source_);
  for (const std::string& name : names) {
    files_.emplace_back(path.parent_path() / name);
    merger.add(name, files_.back().tensors());
  }
  merger.check(where);
}

}  // namespace slipway::model
