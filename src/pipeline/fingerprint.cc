#include "pipeline/fingerprint.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using record::FileStamp;

constexpr size_t kMaxDifferences = 8;  // told for each part of the inputs
constexpr size_t kMaxValueBytes = 60;  // of a value shown
constexpr int64_t kSecondNs = 1'000'000'000;

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * kSecondNs + time.tv_nsec; }

FileStamp stamp_of(const fs::path& path, const struct stat& info) {
  FileStamp stamp;
  stamp.path = fs::absolute(path).lexically_normal().string();
  stamp.size = static_cast<uint64_t>(info.st_size);
  stamp.mtime_ns = nanoseconds(info.st_mtim);
  stamp.ctime_ns = nanoseconds(info.st_ctim);
  stamp.inode = info.st_ino;
  return stamp;
}

struct stat state_of(const fs::path& path, const std::string& step) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    throw Error(errno == ENOENT || errno == ENOTDIR ? Code::kNotFound : Code::kFailure,
                fmt::format("step '{}': cannot read '{}': {}", step, path.string(), base::errno_text(errno)));
  }
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    throw Error(Code::kInvalid, fmt::format("step '{}': '{}' is neither a file nor a folder", step, path.string()));
  }
  return info;
}

std::string shown(const Json& value) {
  std::string text = base::dump_json(value);
  if (text.size() > kMaxValueBytes) {
    size_t cut = kMaxValueBytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) {
      --cut;  // not inside a character
    }
    text.resize(cut);
    text += "…";
  }
  return text;
}

// Leaves that differ, by their path: "train.epochs 2 -> 3".
void compare(const std::string& path, const Json& before, const Json& now, std::vector<std::string>& out) {
  if (before == now || base::canonical_json(before) == base::canonical_json(now)) {
    return;
  }
  if (!before.is_object() || !now.is_object()) {
    out.push_back(fmt::format("{} {} -> {}", path.empty() ? "it was" : path, shown(before), shown(now)));
    return;
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const auto& [key, value] : before.items()) {
    if (const auto it = now.find(key); it != now.end()) {
      compare(prefix + key, value, *it, out);
    } else {
      out.push_back(fmt::format("{}{} removed", prefix, key));
    }
  }
  for (const auto& [key, value] : now.items()) {
    if (!before.contains(key)) {
      out.push_back(fmt::format("{}{} added", prefix, key));
    }
  }
}

void compare_needs(const Json& before, const Json& now, std::vector<std::string>& out) {
  for (const auto& [step, outputs] : now.items()) {
    const auto old = before.find(step);
    if (old == before.end()) {
      out.push_back(fmt::format("it now needs '{}'", step));
      continue;
    }
    for (const auto& [name, digest] : outputs.items()) {
      if (old->value(name, Json()) != digest) {
        out.push_back(fmt::format("input {} of '{}' changed", name, step));
      }
    }
    for (const auto& [name, digest] : old->items()) {
      if (!outputs.contains(name)) {
        out.push_back(fmt::format("input {} of '{}' is gone", name, step));
      }
    }
  }
  for (const auto& [step, outputs] : before.items()) {
    if (!now.contains(step)) {
      out.push_back(fmt::format("it no longer needs '{}'", step));
    }
  }
}

void compare_files(const Json& before, const Json& now, std::vector<std::string>& out) {
  for (const auto& [path, digest] : now.items()) {
    const auto old = before.find(path);
    if (old == before.end()) {
      out.push_back(fmt::format("file {} added", path));
    } else if (*old != digest) {
      out.push_back(fmt::format("file {} changed", path));
    }
  }
  for (const auto& [path, digest] : before.items()) {
    if (!now.contains(path)) {
      out.push_back(fmt::format("file {} removed", path));
    }
  }
}

void append(std::vector<std::string>& all, std::vector<std::string> some, const std::string& prefix) {
  const size_t more = some.size() > kMaxDifferences ? some.size() - kMaxDifferences : 0;
  some.resize(some.size() - more);
  for (std::string& text : some) {
    all.push_back(prefix + std::move(text));
  }
  if (more > 0) {
    all.push_back(fmt::format("{}{} more", prefix, more));
  }
}

}  // namespace

std::map<std::string, std::string> FileDigests::of(const std::vector<fs::path>& paths, const std::string& step) {
  // Files, and for each path given the files that belong to it: (relative name, index).
  std::vector<Found> files;
  std::map<std::string, std::vector<std::pair<std::string, size_t>>> folders;
  std::map<std::string, size_t> singles;
  const auto add = [&](const fs::path& path, const struct stat& info) {
    files.push_back({path, stamp_of(path, info)});
    return files.size() - 1;
  };
  for (const fs::path& path : paths) {
    const struct stat info = state_of(path, step);
    if (S_ISREG(info.st_mode)) {
      singles[path.string()] = add(path, info);
      continue;
    }
    auto& members = folders[path.string()];
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (!entry.is_directory()) {
        members.emplace_back(entry.path().lexically_relative(path).string(),
                             add(entry.path(), state_of(entry.path(), step)));
      }
    }
  }
  const std::map<std::string, std::string> known = digests(files);
  std::map<std::string, std::string> result;
  for (const auto& [path, index] : singles) {
    result[path] = known.at(files[index].stamp.path);
  }
  for (const auto& [path, members] : folders) {
    Json listing = Json::object();
    for (const auto& [name, index] : members) {
      listing[name] = known.at(files[index].stamp.path);
    }
    result[path] = base::digest_of(base::canonical_json(listing));
  }
  return result;
}

// Absolute path -> digest.
std::map<std::string, std::string> FileDigests::digests(const std::vector<Found>& files) {
  std::vector<std::string> paths;
  for (const Found& file : files) {
    paths.push_back(file.stamp.path);
  }
  std::map<std::string, FileStamp> stamps;
  for (FileStamp& stamp : cache_.stamps(paths)) {
    stamps[stamp.path] = std::move(stamp);
  }
  std::map<std::string, std::string> result;
  std::vector<FileStamp> fresh;
  for (const Found& file : files) {
    FileStamp stamp = file.stamp;
    if (const auto it = stamps.find(stamp.path); it != stamps.end()) {
      stamp.digest = it->second.digest;
      if (stamp == it->second) {
        result[stamp.path] = stamp.digest;
        continue;
      }
    }
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    stamp.digest = "sha256:" + base::sha256_file(file.path);
    bytes_read_ += stamp.size;
    result[stamp.path] = stamp.digest;
    if (std::max(stamp.mtime_ns, stamp.ctime_ns) + settle_ns_ <= nanoseconds(now)) {
      fresh.push_back(std::move(stamp));
    }
  }
  cache_.put_stamps(fresh);
  return result;
}

Fingerprint fingerprint(const Step& step, const Outputs& outputs, const std::map<std::string, std::string>& files) {
  Json needs = Json::object();
  for (const std::string& need : step.needs) {
    needs[need] = outputs.at(need);
  }
  Fingerprint result;
  result.inputs = {{"name", step.name},
                   {"code_version", step.code_version},
                   {"config", step.config},
                   {"needs", std::move(needs)},
                   {"files", files}};
  result.key = base::sha256_hex(base::canonical_json(result.inputs));
  return result;
}

std::vector<std::string> differences(const Json& before, const Json& now, bool whole) {
  std::vector<std::string> all;
  const auto member = [](const Json& json, const char* key) { return json.value(key, Json::object()); };
  if (member(before, "code_version") != member(now, "code_version")) {
    all.push_back(fmt::format("code version {} -> {}", shown(member(before, "code_version")),
                              shown(member(now, "code_version"))));
  }
  std::vector<std::string> some;
  compare("", member(before, "config"), member(now, "config"), some);
  append(all, std::move(some), "configuration changed: ");
  if (whole) {
    some.clear();
    compare_needs(member(before, "needs"), member(now, "needs"), some);
    append(all, std::move(some), "");
  }
  some.clear();
  compare_files(member(before, "files"), member(now, "files"), some);
  append(all, std::move(some), "");
  return all;
}

}  // namespace slipway::pipeline
