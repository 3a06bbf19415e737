// Commits: how files are to be sent, and the commit itself, one transaction.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unordered_map>

#include "api/hub.h"
#include "api/hub_commit_reader.h"
#include "api/spool.h"
#include "base/file.h"
#include "base/ignore.h"

namespace slipway::api {
namespace {

using record::HubRepo;

constexpr uint64_t kMaxCommitBody = uint64_t{4} << 30;  // it waits on the disk until it is read
constexpr uint64_t kMaxRegular = uint64_t{1} << 20;     // bytes of a file that comes within the commit
constexpr size_t kMaxAsked = 10'000;                    // files of one preupload
// What the Hub keeps as large files whatever their size. Clients count on it: `datasets` deletes a .parquet once it is
// uploaded, before the commit.
constexpr std::array<std::string_view, 30> kLargeEndings = {
    ".7z",  ".arrow", ".bin", ".bz2", ".ckpt", ".ftz", ".gguf", ".gz",          ".h5",    ".joblib", ".lz4",      ".mlmodel", ".model", ".msgpack", ".npy",
    ".npz", ".onnx",  ".ot",  ".parquet", ".pb", ".pickle", ".pkl", ".pt", ".pth", ".safetensors", ".tflite", ".tgz", ".xz", ".zip", ".zst"};
constexpr size_t kMaxTitle = 10'000;                    // bytes
constexpr const char* kIgnoreFile = ".gitignore";
constexpr size_t kMaxIgnore = size_t{64} << 10;         // bytes of its rules
constexpr uint64_t kMaxIgnoreWork = 10'000'000'000;     // bytes of rules times bytes of paths: some ten seconds at the very worst

bool is_regular(std::string_view path, uint64_t size) {
  return size <= kMaxRegular &&
         std::none_of(kLargeEndings.begin(), kLargeEndings.end(), [&](std::string_view ending) { return path.ends_with(ending); });
}

// The rules of the .gitignore that is sent along, else of the repository's own.
base::IgnoreRules ignore_rules(const Backend& backend, const HubRepo& repo, const record::HubCommit& commit, const Json& body) {
  base::IgnoreRules rules;
  auto text = base::get_or<std::string>(body, "gitIgnore", "", "the request");
  uint64_t size = text.size();
  record::HubFiles& files = backend.store.hub().files();
  const auto sent = body.find("gitIgnore");
  const auto kept = sent != body.end() && !sent->is_null() ? std::nullopt : files.find(repo.number, commit.id, kIgnoreFile);
  if (kept) {
    size = kept->size;
  }
  if (size > kMaxIgnore) {
    throw HubError(413, "", fmt::format("the .gitignore has {} bytes, {} are the limit", size, kMaxIgnore));
  }
  if (kept) {
    text = base::read_file(files.blob_of(kept->digest), kMaxIgnore);
  }
  uint64_t paths = 0;
  for (const Json& file : body.at("files")) {
    paths += base::get<std::string>(file, "path", "a file of the request").size();
  }
  if (paths * text.size() > kMaxIgnoreWork) {
    throw HubError(413, "", "too many files at once for so long a .gitignore: ask about fewer");
  }
  rules.add("", text);
  return rules;
}

net::Response preupload(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const record::HubCommit commit = hub_commit(backend, repo, request.param("rev"));
  const Json body = hub_body(request);
  const auto files = body.find("files");
  if (files == body.end() || !files->is_array() || files->size() > kMaxAsked) {
    throw HubError(400, "", fmt::format("'files' must be a list of {} at most", kMaxAsked));
  }
  const base::IgnoreRules rules = ignore_rules(backend, repo, commit, body);
  std::unordered_map<std::string, bool> folders;
  Json out = Json::array();
  for (const Json& file : *files) {
    const auto path = base::get<std::string>(file, "path", "a file of the request");
    const bool regular = is_regular(path, base::get<uint64_t>(file, "size", "a file of the request"));
    Json answer = {{"path", path}, {"uploadMode", regular ? "regular" : "lfs"}, {"shouldIgnore", rules.ignores(path, folders)}};
    if (const auto there = backend.store.hub().files().find(repo.number, commit.id, path)) {
      answer["oid"] = there->lfs ? there->digest.substr(7) : there->oid;
    }
    out.push_back(std::move(answer));
  }
  return net::json_response({{"files", std::move(out)}, {"commitOid", commit.id}});
}

net::Response commit(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  if (!request.query_value("create_pr").empty()) {
    throw HubError(501, "", "this server has no pull requests: commit to a branch");
  }
  const base::MappedFile body = Spool::body_of(request);
  const auto draft = backend.store.hub().revisions().begin_commit(repo.number);
  record::HubCommitText text;
  const HubCommitHeader header = read_hub_commit(body.bytes(), [&](const HubOperation& operation) {
    const bool card = operation.path == "README.md";
    switch (operation.kind) {
      case HubOperation::Kind::kFile:
        draft->put(operation.path, operation.content);
        if (card) {
          text.card = hub_card(operation.content);
        }
        break;
      case HubOperation::Kind::kLfsFile: draft->put_lfs(operation.path, operation.digest, operation.size); break;
      case HubOperation::Kind::kDeletedFile:
        draft->remove(operation.path);
        if (card) {
          text.card = Json();
        }
        break;
      case HubOperation::Kind::kDeletedFolder: draft->remove_folder(operation.path); break;
    }
  });
  if (header.summary.empty() || header.summary.size() > kMaxTitle) {
    throw HubError(400, "", fmt::format("the summary must have 1 to {} bytes", kMaxTitle));
  }
  text.title = header.summary;
  text.message = header.description;
  text.parent = header.parent;
  const record::HubCommit made = draft->commit(std::string(request.param("rev")), text);
  return net::json_response({{"success", true},
                             {"commitOid", made.id},
                             {"commitUrl", fmt::format("{}{}{}/commit/{}", origin_of(backend, request), kind.web, repo.name, made.id)},
                             {"hookOutput", ""}});
}

}  // namespace

void add_hub_commit_routes(Routes& routes, Backend& backend) {
  for (const HubKind& kind : kHubKinds) {
    const std::string one = std::string(kind.api) + "/{ns}/{repo}";
    routes.add_at("POST", one + "/preupload/{rev}",
                  [&](const net::Request& request) { return preupload(backend, kind, request); });
    routes.add_upload_at("POST", one + "/commit/{rev}", kMaxCommitBody, Spool::make,
                         [&](const net::Request& request) { return commit(backend, kind, request); });
  }
}

}  // namespace slipway::api
