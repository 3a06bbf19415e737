#include "hub/snapshots.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "hub/pull.h"

namespace slipway::hub {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxListing = size_t{256} << 20;
constexpr size_t kMaxRef = 100;

// "models--NS--NAME": no name has "--" or '/', so no two repositories share a folder.
std::string folder_name(const Address& address) {
  std::string name = address.type + "s--";
  for (const char c : address.name) {
    name += c == '/' ? "--" : std::string(1, c);
  }
  return name;
}

Json listing_json(const std::vector<RemoteFile>& files) {
  Json out = Json::array();
  for (const RemoteFile& file : files) {
    out.push_back({{"path", file.path}, {"size", file.size}, {"oid", file.oid}, {"sha256", file.sha256}});
  }
  return {{"format", "slipway.hub-listing/1"}, {"files", std::move(out)}};
}

std::vector<RemoteFile> read_listing(const fs::path& path) {
  const std::string source = path.string();
  const Json json = base::parse_json(base::read_file(path, kMaxListing), source, {kMaxListing, 8});
  const auto files = base::get<Json>(json, "files", source);
  std::vector<RemoteFile> out;
  for (const Json& file : files) {
    out.push_back({base::get<std::string>(file, "path", source), base::get<uint64_t>(file, "size", source),
                   base::get<std::string>(file, "oid", source), base::get<std::string>(file, "sha256", source)});
    base::check_entry_path(out.back().path);
  }
  return out;
}

bool is_there(const fs::path& folder, const RemoteFile& file) {
  std::error_code error;
  const fs::path path = folder / file.path;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == file.size;
}

// The files that are wanted of a commit.
std::vector<RemoteFile> wanted_files(const Address& address, std::vector<RemoteFile> files) {
  if (address.file.empty()) {
    return address.type == "model" ? model_files(std::move(files)) : files;
  }
  std::erase_if(files, [&](const RemoteFile& file) { return file.path != address.file && !file.path.starts_with(address.file + "/"); });
  if (files.empty()) {
    throw Error(Code::kNotFound, fmt::format("{}: the repository has no such file", address.text()));
  }
  return files;
}

bool is_gguf(const RemoteFile& file) { return file.path.ends_with(".gguf"); }

}  // namespace

std::string Snapshots::commit_of(const Address& address, const fs::path& place) const {
  if (is_commit(address.revision)) {
    return address.revision;
  }
  const fs::path ref = place / "refs" / net::percent_encode(address.revision);
  const auto remembered = [&]() -> std::string {
    std::error_code error;
    const std::string commit = fs::is_regular_file(ref, error) ? base::read_file(ref, kMaxRef) : "";
    return is_commit(commit) ? commit : "";
  };
  if (options_.endpoint.empty()) {
    if (std::string commit = remembered(); !commit.empty()) {
      return commit;
    }
  }
  std::string commit;
  try {
    ClientOptions once = options_;
    once.attempts = std::min(once.attempts, remembered().empty() ? once.attempts : 1);
    commit = Client(once).commit_of(address);
  } catch (const net::NoAnswer& error) {
    commit = remembered();
    if (commit.empty()) {
      throw;
    }
    log_.warning("the hub does not answer; the commit known of last time is used",
                 {{"address", address.text()}, {"commit", commit}, {"error", std::string(error.what())}});
    return commit;
  }
  if (commit != remembered()) {
    base::make_dirs(ref.parent_path());
    base::write_file_atomic(ref, commit);
  }
  return commit;
}

std::vector<RemoteFile> Snapshots::files_of(const Address& address, const std::string& commit, const fs::path& place) const {
  const fs::path known = place / (commit + ".json");
  std::error_code error;
  if (fs::is_regular_file(known, error)) {
    return read_listing(known);
  }
  std::vector<RemoteFile> files = Client(options_).list(address, commit);
  base::make_dirs(place);
  base::write_file_atomic(known, base::dump_json(listing_json(files)));
  return files;
}

Snapshot Snapshots::locate(const std::string& text) const {
  const Address address = parse_address(text);
  if (folder_.empty()) {
    throw Error(Code::kInvalid, "hf:// needs a folder for what it fetches: set SLIPWAY_CACHE or HOME");
  }
  const fs::path place = folder_ / folder_name(address);
  Snapshot snapshot;
  snapshot.commit = commit_of(address, place);
  const std::vector<RemoteFile> all = files_of(address, snapshot.commit, place);
  std::vector<RemoteFile> files = wanted_files(address, all);
  const bool weights_of_one = address.type == "model" && address.file.empty() && std::any_of(all.begin(), all.end(), is_gguf) &&
                              std::none_of(all.begin(), all.end(), [](const RemoteFile& file) { return file.path == "config.json"; });
  if (weights_of_one) {
    std::erase_if(files, [](const RemoteFile& file) { return !is_gguf(file); });
    if (files.size() > 1) {
      std::string names;
      for (const RemoteFile& file : files) {
        names += (names.empty() ? "" : ", ") + file.path;
      }
      throw Error(Code::kInvalid, fmt::format("{} has several models; name one of its files, {}/FILE: {}", text, text, names));
    }
  }
  const fs::path folder = place / snapshot.commit;
  std::vector<RemoteFile> missing;
  std::copy_if(files.begin(), files.end(), std::back_inserter(missing), [&](const RemoteFile& file) { return !is_there(folder, file); });
  if (!missing.empty()) {
    pull(options_, {address, snapshot.commit, missing, folder}, progress_);
  }
  snapshot.path = weights_of_one ? folder / files.front().path : address.file.empty() ? folder : folder / address.file;
  return snapshot;
}

ClientOptions options_from_environment(const std::function<const char*(const char*)>& read) {
  const auto value = [&](const char* name) {
    const char* const text = read(name);
    return std::string(text == nullptr ? "" : text);
  };
  ClientOptions options;
  options.endpoint = value("HF_ENDPOINT");
  options.token = value("HF_TOKEN");
  return options;
}

}  // namespace slipway::hub
