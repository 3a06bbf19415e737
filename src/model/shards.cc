#include "model/shards.h"

#include <fmt/format.h>
#include <set>
#include <utility>

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

// Keys of an index's "weight_map" with the shard each names, checked.
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

}  // namespace

std::map<std::string, TensorView> read_shards(const fs::path& path, const ReadShard& read) {
  const std::string source = path.string();
  std::map<std::string, std::string> where;
  std::set<std::string> names = {path.filename().string()};
  if (path.extension() == ".json") {
    where = read_shard_index(path);
    names.clear();
    for (const auto& [tensor, file] : where) {
      names.insert(file);
    }
  }
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> found;  // tensor -> its shard
  for (const std::string& name : names) {
    for (auto& [tensor, view] : read(path.parent_path() / name)) {
      if (!tensors.emplace(tensor, std::move(view)).second) {
        throw Error(Code::kIntegrity,
                    fmt::format("{}: tensor '{}' is in '{}' and in '{}'", source, tensor, found[tensor], name));
      }
      found[tensor] = name;
    }
  }
  for (const auto& [tensor, file] : where) {
    const auto it = found.find(tensor);
    if (it == found.end() || it->second != file) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: tensor '{}' is not in '{}', where the index has it", source, tensor, file));
    }
  }
  return tensors;
}

}  // namespace slipway::model
