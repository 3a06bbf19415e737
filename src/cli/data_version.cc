#include "cli/data_version.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kMaxFilesOnDisk = 1'000'000;
constexpr const char* kWorkPrefix = "data-";

NamedVersion of_artifact(App& app, const std::string& text, const std::string& digest) {
  NamedVersion version;
  version.text = text;
  version.digest = digest;
  record::Store& store = app.store();
  version.files.files = store.data().trees().files(digest);
  version.files.place = [&store](const record::FolderFile& file) { return store.artifacts().path_of(file.digest); };
  return version;
}

NamedVersion of_disk(const std::string& text) {
  NamedVersion version;
  version.text = text;
  const fs::path root = fs::path(text);
  const bool folder = fs::is_directory(root);
  const auto add = [&](const fs::path& file, const std::string& name) {
    if (version.files.files.size() >= kMaxFilesOnDisk) {
      throw Error(Code::kInvalid, fmt::format("'{}' has more than a million files", text));
    }
    version.files.files.push_back({name, "sha256:" + base::sha256_file(file), fs::file_size(file)});
  };
  if (folder) {
    for (fs::recursive_directory_iterator it(root), end; it != end; ++it) {
      if (it->path().filename() == ".git" || fs::exists(it->path() / "slipway.db")) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file() && !it->is_symlink()) {
        add(it->path(), it->path().lexically_relative(root).string());
      }
    }
  } else {
    add(root, root.filename().string());
  }
  version.files.place = [root, folder](const record::FolderFile& file) { return folder ? root / file.path : root; };
  return version;
}

std::string known_datasets(record::Store& store) {
  std::set<std::string> names;
  for (const record::DataRef& ref : store.data().commits().refs("")) {
    names.insert(ref.dataset);
  }
  return names.empty() ? "none yet: 'slipway data commit' makes one" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string NamedVersion::shown() const {
  return commit ? fmt::format("{} {}", commit->dataset, short_id(commit->id)) : digest.empty() ? text : digest;
}

VersionText split_version(const std::string& text) {
  if (const size_t at = text.find('@'); at != std::string::npos) {
    return {text.substr(0, at), at + 1 < text.size() ? text.substr(at + 1) : record::kMainDataBranch};
  }
  const size_t tilde = text.find('~');
  return {text.substr(0, tilde), record::kMainDataBranch + (tilde == std::string::npos ? "" : text.substr(tilde))};
}

NamedVersion find_version(App& app, const std::string& text, bool disk) {
  if (disk && (text.find('/') != std::string::npos || text == "." || text == "..") && fs::exists(text)) {
    return of_disk(text);
  }
  if (base::is_digest(text)) {
    return of_artifact(app, text, text);
  }
  record::DataCommits& commits = app.store().data().commits();
  const VersionText wanted = split_version(text);
  std::optional<record::DataCommit> commit = commits.find(wanted.dataset, wanted.revision);
  if (!commit && text.find('@') == std::string::npos) {
    commit = commits.find("", text);
  }
  if (!commit) {
    if (disk && fs::exists(text)) {
      return of_disk(text);
    }
    std::vector<std::string> names;
    for (const record::DataRef& ref : commits.refs(wanted.dataset)) {
      names.push_back(ref.name);
    }
    throw Error(Code::kNotFound,
                names.empty() ? fmt::format("there is no dataset version '{}'; datasets: {}", text, known_datasets(app.store()))
                              : fmt::format("'{}' has no version '{}'; it has the branches and tags {}, and ids that 'slipway data log {}' lists",
                                            wanted.dataset, wanted.revision, fmt::join(names, ", "), wanted.dataset));
  }
  NamedVersion version = of_artifact(app, text, commit->digest);
  for (const record::DataRef& ref : commits.refs(commit->dataset)) {
    if (!ref.tag && ref.name == wanted.revision) {
      version.branch = ref.name;
    }
  }
  version.commit = std::move(commit);
  return version;
}

data::VersionFiles table_files(App& app, const std::string& text) {
  if (!fs::exists(text)) {
    return find_version(app, text).files;
  }
  data::VersionFiles files;
  if (!fs::is_directory(text)) {
    files.files.push_back({fs::path(text).filename().string(), "", 0});
    files.place = [path = fs::path(text)](const record::FolderFile&) { return path; };
    return files;
  }
  for (const auto& entry : fs::recursive_directory_iterator(text)) {
    if (entry.is_regular_file()) {
      files.files.push_back({entry.path().lexically_relative(text).string(), "", 0});
    }
  }
  std::sort(files.files.begin(), files.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  files.place = [root = fs::path(text)](const record::FolderFile& file) { return root / file.path; };
  return files;
}

record::DataCommit find_commit(App& app, const std::string& text) {
  NamedVersion version = find_version(app, text);
  if (!version.commit) {
    throw Error(Code::kInvalid, fmt::format("'{}' is no commit: name a dataset's version, NAME@REVISION", text));
  }
  return *version.commit;
}

std::vector<std::string> key_of(const std::vector<std::string>& flag, const std::optional<record::DataCommit>& commit) {
  if (!flag.empty() || !commit) {
    return flag;
  }
  std::vector<std::string> key;
  if (const auto known = commit->meta.find("key"); known != commit->meta.end() && known->is_array()) {
    for (const base::Json& field : *known) {
      key.push_back(field.get<std::string>());
    }
  }
  return key;
}

std::optional<record::DataCommit> commit_version(record::Store& store, record::DataCommit commit, const std::string& branch) {
  record::DataCommits& commits = store.data().commits();
  if (commit.parents.empty()) {
    // A new branch goes on from main.
    auto head = commits.find(commit.dataset, branch);
    if (!head) {
      head = commits.find(commit.dataset, record::kMainDataBranch);
    } else if (head->digest == commit.digest) {
      return std::nullopt;
    }
    if (head) {
      commit.parents.push_back(head->id);
    }
  }
  std::vector<record::Edge> edges;
  for (const std::string& id : commit.parents) {
    const auto parent = commits.find("", id);
    if (parent && parent->digest != commit.digest) {
      edges.push_back({"artifact:" + parent->digest, "artifact:" + commit.digest, "revised"});
    }
  }
  record::DataCommit made = commits.commit(std::move(commit), branch);
  store.lineage().add_edges(edges);
  return made;
}

base::Json to_json(const record::DataCommit& commit) {
  return {{"id", commit.id},           {"dataset", commit.dataset}, {"digest", commit.digest},         {"parents", commit.parents},
          {"message", commit.message}, {"author", commit.author},   {"created_ms", commit.created_ms}, {"meta", commit.meta}};
}

WorkFolder::WorkFolder(record::Store& store) {
  const fs::path folder = store.steps().work_folder();
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    pid_t process = 0;
    if (name.starts_with(kWorkPrefix) &&
        std::from_chars(name.data() + std::char_traits<char>::length(kWorkPrefix), name.data() + name.size(), process).ec == std::errc() &&
        process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }
  path_ = folder / fmt::format("{}{}-{}", kWorkPrefix, ::getpid(), record::new_id());
  base::make_dirs(path_);
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace slipway::cli
