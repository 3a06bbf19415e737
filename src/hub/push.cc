#include "hub/push.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ignore.h"
#include "base/path.h"
#include "hub/pull.h"

namespace slipway::hub {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kAsked = 256;                           // files of one question
constexpr size_t kSample = 512;                          // bytes of a file that the endpoint looks at
constexpr size_t kCommitFiles = 2000;                    // of one commit
constexpr uint64_t kCommitBytes = uint64_t{64} << 20;    // of the small files of one commit, in memory at once
constexpr uint64_t kMaxRegular = uint64_t{32} << 20;     // of a small file
constexpr const char* kIgnoreFile = ".gitignore";
constexpr size_t kMaxIgnore = size_t{1} << 20;

struct LocalFile {
  std::string path;
  uint64_t size = 0;
  bool lfs = false;
  std::string sha256;  // of a large one
};

struct LocalFolder {
  std::vector<LocalFile> files;
  bool has_rules = false;  // a .gitignore, somewhere
  size_t ignored = 0;      // files, and folders with all that is in them
};

// Collects what is in a folder and meant to be sent.
class Walk {
 public:
  explicit Walk(const fs::path& top) : top_(top) {}

  // `folder` is a path below the top: "", or "a/b".
  void visit(const std::string& folder) {
    const fs::path here = top_ / folder;
    if (const fs::path rules = here / kIgnoreFile; base::is_file(rules)) {
      rules_.add(folder, base::read_file(rules, kMaxIgnore));
      has_rules = true;
    }
    std::vector<std::string> folders;
    for (const auto& entry : fs::directory_iterator(here)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.') && name != ".gitattributes" && name != kIgnoreFile) {
        continue;
      }
      const std::string path = folder.empty() ? name : folder + "/" + name;
      const bool is_folder = entry.is_directory() && !entry.is_symlink();
      if (!is_folder && (!entry.is_regular_file() || name.ends_with(".partial"))) {  // also at the end of a link: that is how caches lay models out
        continue;
      }
      if (rules_.matches(path, is_folder)) {
        ++ignored;
      } else if (is_folder) {
        folders.push_back(path);
      } else {
        base::check_entry_path(path);
        files.push_back({path, entry.file_size(), {}, {}});
      }
    }
    for (const std::string& path : folders) {
      visit(path);
    }
  }

  std::vector<RemoteFile> files;
  bool has_rules = false;
  size_t ignored = 0;

 private:
  const fs::path& top_;
  base::IgnoreRules rules_;
};

LocalFolder local_folder(const Push& what) {
  if (!fs::is_directory(what.folder)) {
    throw Error(fs::exists(what.folder) ? Code::kInvalid : Code::kNotFound, fmt::format("'{}' is not a folder", what.folder.string()));
  }
  Walk walk(what.folder);
  walk.visit("");
  LocalFolder found;
  found.has_rules = walk.has_rules;
  found.ignored = walk.ignored;
  for (RemoteFile& file : matching(std::move(walk.files), what.include)) {
    found.files.push_back({std::move(file.path), file.size, false, ""});
  }
  std::sort(found.files.begin(), found.files.end(), [](const LocalFile& a, const LocalFile& b) { return a.path < b.path; });
  if (found.files.empty()) {
    throw Error(Code::kNotFound, fmt::format("'{}' has no file to push{}", what.folder.string(),
                                             found.ignored > 0 ? ": its .gitignore leaves none" : ""));
  }
  return found;
}

std::string sample_of(const fs::path& path) {
  std::string bytes(kSample, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return base::base64_encode(bytes);
}

class Pusher {
 public:
  Pusher(const ClientOptions& options, const Push& what, base::Progress& progress)
      : client_(options), what_(what), progress_(progress) {}

  Pushed run() {
    LocalFolder folder = local_folder(what_);
    std::vector<LocalFile>& files = folder.files;
    client_.create_repo(what_.address, what_.hidden);
    ask_how(files, folder.has_rules);
    pushed_.ignored += folder.ignored;
    uint64_t total = 0;
    for (const LocalFile& file : files) {
      total += file.size;
    }
    progress_.start("push", static_cast<int64_t>(total), "bytes");
    std::vector<LocalFile> large;
    std::copy_if(files.begin(), files.end(), std::back_inserter(large), [](const LocalFile& file) { return file.lfs; });
    for (size_t i = 0; i < large.size(); i += kAsked) {
      send_large({large.begin() + static_cast<ptrdiff_t>(i), large.begin() + static_cast<ptrdiff_t>(std::min(i + kAsked, large.size()))});
    }
    commit(files);
    pushed_.files = files.size();
    pushed_.bytes = total;
    if (pushed_.commit.empty()) {
      pushed_.commit = client_.commit_of(what_.address);
    }
    progress_.finish(fmt::format("{} files, {:.1f} MB", pushed_.files, static_cast<double>(total) / 1e6));
    return pushed_;
  }

 private:
  std::string api(const char* verb) const {
    return fmt::format("/api/{}s/{}/{}/{}", what_.address.type, what_.address.name, verb, net::percent_encode(what_.address.revision));
  }

  // How each file is to be sent; those that the branch has already go. So do those that the repository's .gitignore names, unless the
  // folder has rules of its own, which may be newer.
  void ask_how(std::vector<LocalFile>& files, bool has_rules) {
    std::map<std::string, Json> answers;
    for (size_t i = 0; i < files.size(); i += kAsked) {
      Json asked = Json::array();
      for (size_t k = i; k < std::min(i + kAsked, files.size()); ++k) {
        asked.push_back({{"path", files[k].path}, {"size", files[k].size}, {"sample", sample_of(what_.folder / files[k].path)}});
      }
      Json question = {{"files", std::move(asked)}};
      if (has_rules) {
        question["gitIgnore"] = "";
      }
      const Json answer = client_.post(api("preupload"), question);
      const auto told = answer.find("files");
      if (told == answer.end() || !told->is_array()) {
        throw Error(Code::kFailure, "the endpoint does not say how files are to be sent");
      }
      for (const Json& file : *told) {
        answers[base::get<std::string>(file, "path", "the answer")] = file;
      }
    }
    std::erase_if(files, [&](LocalFile& file) {
      const auto told = answers.find(file.path);
      if (told == answers.end()) {
        throw Error(Code::kFailure, fmt::format("the endpoint does not say how '{}' is to be sent", file.path));
      }
      if (!has_rules && base::get_or<bool>(told->second, "shouldIgnore", false, "the answer")) {
        ++pushed_.ignored;
        return true;
      }
      const fs::path path = what_.folder / file.path;
      // An empty file is no object of its own.
      file.lfs = file.size > 0 && base::get<std::string>(told->second, "uploadMode", "the answer") == "lfs";
      if (!file.lfs && file.size > kMaxRegular) {
        throw Error(Code::kInvalid, fmt::format("the endpoint wants '{}' ({} bytes) within the commit, which is too large for that", file.path, file.size));
      }
      const auto there = base::get_or<std::string>(told->second, "oid", "", "the answer");
      const std::string id = file.lfs ? base::sha256_file(path) : base::git_blob_id(base::read_file(path, kMaxRegular));
      if (file.lfs) {
        file.sha256 = id;
      }
      pushed_.unchanged += id == there ? 1 : 0;
      return id == there;
    });
  }

  void send_large(const std::vector<LocalFile>& files) {
    std::map<std::string, const LocalFile*> by_id;
    Json objects = Json::array();
    for (const LocalFile& file : files) {
      by_id[file.sha256] = &file;
      objects.push_back({{"oid", file.sha256}, {"size", file.size}});
    }
    const std::string url = fmt::format("{}/{}{}.git/info/lfs/objects/batch", client_.options().endpoint,
                                        what_.address.type == "dataset" ? "datasets/" : "", what_.address.name);
    const Json answer = client_.post_to(url, {{"operation", "upload"},
                                              {"transfers", {"basic", "multipart"}},
                                              {"hash_algo", "sha256"},
                                              {"ref", {{"name", what_.address.revision}}},
                                              {"objects", std::move(objects)}});
    const auto told = answer.find("objects");
    if (told == answer.end() || !told->is_array()) {
      throw Error(Code::kFailure, "the endpoint does not say where large files are to be sent");
    }
    for (const Json& object : *told) {
      const auto file = by_id.find(base::get<std::string>(object, "oid", "the answer"));
      if (file == by_id.end()) {
        continue;
      }
      if (const auto error = object.find("error"); error != object.end()) {
        throw Error(Code::kFailure, fmt::format("'{}' is refused: {}", file->second->path, base::dump_json(*error).substr(0, 500)));
      }
      if (const auto actions = object.find("actions"); actions != object.end() && actions->is_object()) {
        send_object(*file->second, *actions);
      } else {
        advance(file->second->size);  // it is there
      }
    }
  }

  void send_object(const LocalFile& file, const Json& actions) {
    const auto upload = base::get<Json>(actions, "upload", "the answer");
    const auto href = base::get<std::string>(upload, "href", "the answer");
    const auto header = base::get_or<Json>(upload, "header", Json::object(), "the answer");
    const fs::path path = what_.folder / file.path;
    if (const auto part = header.find("chunk_size"); part == header.end()) {
      client_.put_file(href, {path, 0, file.size}, sending());
    } else {
      const uint64_t size = part->is_string() ? std::strtoull(part->get<std::string>().c_str(), nullptr, 10) : part->get<uint64_t>();
      send_parts(file, header, size, href);
    }
    if (const auto verify = actions.find("verify"); verify != actions.end() && verify->is_object()) {
      client_.post_to(base::get<std::string>(*verify, "href", "the answer"), {{"oid", file.sha256}, {"size", file.size}});
    }
  }

  void send_parts(const LocalFile& file, const Json& header, uint64_t part, const std::string& complete) {
    if (part == 0) {
      throw Error(Code::kFailure, "the endpoint wants parts of no size");
    }
    std::map<uint64_t, std::string> places;
    for (const auto& [name, url] : header.items()) {
      if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos && url.is_string()) {
        places[std::strtoull(name.c_str(), nullptr, 10)] = url.get<std::string>();
      }
    }
    if (places.size() != (file.size + part - 1) / part) {
      throw Error(Code::kFailure, fmt::format("the endpoint takes '{}' in {} parts of {} bytes, which are not its {}", file.path, places.size(), part, file.size));
    }
    Json parts = Json::array();
    uint64_t offset = 0;
    for (const auto& [number, url] : places) {
      const uint64_t size = std::min(part, file.size - offset);
      parts.push_back({{"partNumber", number}, {"etag", client_.put_file(url, {what_.folder / file.path, offset, size}, sending())}});
      offset += size;
    }
    client_.post_to(complete, {{"oid", file.sha256}, {"parts", std::move(parts)}});
  }

  // Small files and names of large ones, as many commits as it takes.
  void commit(const std::vector<LocalFile>& files) {
    size_t next = 0;
    for (int part = 1; next < files.size(); ++part) {
      const std::string summary = part == 1 ? what_.message : fmt::format("{} (part {})", what_.message, part);
      std::string lines = base::dump_json({{"key", "header"}, {"value", {{"summary", summary}, {"description", ""}}}}) + "\n";
      uint64_t small = 0;
      for (size_t count = 0; next < files.size() && count < kCommitFiles && small < kCommitBytes; ++count, ++next) {
        const LocalFile& file = files[next];
        lines += base::dump_json(line_of(file)) + "\n";
        small += file.lfs ? 0 : file.size;
      }
      const Json answer = client_.post(api("commit"), lines, "application/x-ndjson");
      pushed_.commit = base::get_or<std::string>(answer, "commitOid", "", "the answer");
      advance(small);
    }
  }

  Json line_of(const LocalFile& file) const {
    if (file.lfs) {
      return {{"key", "lfsFile"}, {"value", {{"path", file.path}, {"algo", "sha256"}, {"oid", file.sha256}, {"size", file.size}}}};
    }
    const std::string bytes = base::read_file(what_.folder / file.path, kMaxRegular);
    return {{"key", "file"}, {"value", {{"content", base::base64_encode(bytes)}, {"path", file.path}, {"encoding", "base64"}}}};
  }

  std::function<void(uint64_t)> sending() {
    return [this, from = done_](uint64_t sent) {
      done_ = from + sent;
      progress_.update(static_cast<int64_t>(done_), "");
    };
  }
  void advance(uint64_t bytes) {
    done_ += bytes;
    progress_.update(static_cast<int64_t>(done_), "");
  }

  Client client_;
  const Push& what_;
  base::Progress& progress_;
  uint64_t done_ = 0;
  Pushed pushed_;
};

}  // namespace

Pushed push(const ClientOptions& options, const Push& what, base::Progress& progress) {
  return Pusher(options, what, progress).run();
}

}  // namespace slipway::hub
