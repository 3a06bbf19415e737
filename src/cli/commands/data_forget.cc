// slipway data forget: a document out of every version, with proof.
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "cli/local_change.h"
#include "data/forget.h"
#include "store/erasure.h"
#include "store/store.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;
using data::ForgetTarget;
using record::FolderFile;

constexpr int kAll = 10'000'000;
constexpr int kPredictionsAtOnce = 10'000;
constexpr const char* kMark = "[forgotten]";

// Where the document is.
struct Holding {
  struct File {
    std::string path;
    std::string digest;
    std::vector<data::FoundRow> rows;
    int64_t texts = 0;  // occurrences in a file that has no rows
  };
  struct Held {
    record::Artifact artifact;
    std::vector<File> files;
  };
  std::vector<Held> artifacts;
  struct Named {
    store::NamedContent name;
    File file;
  };
  std::vector<Named> named;              // files in repositories of the hub, and of tracked runs
  std::vector<std::string> predictions;  // ids
  std::map<std::string, int64_t> texts;  // of traces and evaluation sets, by "table of owner"
  int64_t searched_files = 0;
  int64_t searched_predictions = 0;
  int64_t searched_texts = 0;
  bool empty() const { return artifacts.empty() && named.empty() && predictions.empty() && texts.empty(); }
};

class Forgetting {
 public:
  Forgetting(App& app, ForgetTarget& target) : app_(app), store_(app.store()), target_(target), work_(store_) {}

  // Everything that holds it. Texts of the rows that are found are looked for, too, so a search that learned of one begins anew.
  Holding search() {
    while (true) {
      const size_t known = target_.text_digests.size();
      Holding holding = search_once();
      if (target_.text_digests.size() == known) {
        return holding;
      }
    }
  }

  // Rewrites what search() found. Returns what cannot be rewritten.
  Json remove(const Holding& holding);

 private:
  Holding search_once();
  void search_artifact(const record::Artifact& artifact, Holding& holding);
  void search_named(Holding& holding);
  void search_predictions(Holding& holding);
  void search_texts(Holding& holding);
  const Holding::File& look(const std::string& path, const std::string& digest, Holding& holding);
  void remove_named(const Holding& holding, Json& left);
  void remove_texts();
  std::vector<FolderFile> files_of(const record::Artifact& artifact) {
    return artifact.folder ? store_.data().trees().files(artifact.digest) : std::vector<FolderFile>{{artifact.name, artifact.digest, artifact.size}};
  }
  std::optional<fs::path> without(const Holding::File& file, bool manifest, const std::map<std::string, data::RewrittenShard>& shards);
  void remove_from(const Holding::Held& held, Json& left);

  App& app_;
  record::Store& store_;
  ForgetTarget& target_;
  WorkFolder work_;
  int files_ = 0;
  std::map<std::string, Holding::File> looked_at_;  // by digest and name's ending: versions share files
};

Holding Forgetting::search_once() {
  Holding holding;
  looked_at_.clear();
  for (const record::Artifact& artifact : store_.artifacts().list("", kAll)) {
    search_artifact(artifact, holding);
  }
  search_named(holding);
  search_predictions(holding);
  search_texts(holding);
  return holding;
}

// A content once, under each ending of a name.
const Holding::File& Forgetting::look(const std::string& path, const std::string& digest, Holding& holding) {
  base::Context context = app_.context();
  base::check_stop(context, "searching");
  const bool rows = data::row_format(path) != data::RowFormat::kNone;
  const std::string id = digest + (rows ? fs::path(path).filename().string() : "");
  auto it = looked_at_.find(id);
  if (it == looked_at_.end()) {
    Holding::File found{path, digest, {}, 0};
    const fs::path place = store_.artifacts().path_of(digest);
    ++holding.searched_files;
    bool bytes = !rows;
    try {
      found.rows = data::find_rows(place, path, target_);  // none, where the name tells of no rows
    } catch (const Error& error) {
      if (error.code() != Code::kInvalid && error.code() != Code::kIntegrity) {
        throw;
      }
      bytes = true;  // the name lies, or the file is broken
    }
    for (const data::FoundRow& row : found.rows) {
      target_.learn(row.row);
    }
    if (bytes) {
      found.texts = data::count_texts(place, target_);
    }
    it = looked_at_.emplace(id, std::move(found)).first;
  }
  return it->second;
}

void Forgetting::search_named(Holding& holding) {
  for (const store::NamedContent& name : store::named_contents(store_)) {
    const Holding::File& file = look(name.path, name.digest, holding);
    if (!file.rows.empty() || file.texts > 0) {
      holding.named.push_back({name, file});
      holding.named.back().file.path = name.path;
    }
  }
}

void Forgetting::search_texts(Holding& holding) {
  store::rewrite_texts(store_, [&](const store::StoredText& where, const std::string& text) -> std::optional<std::string> {
    ++holding.searched_texts;
    std::string copy = text;
    if (const int64_t times = data::scrub_stored_text(copy, target_); times > 0) {
      holding.texts[fmt::format("{} of {}", where.table, where.owner)] += times;
    }
    return std::nullopt;
  });
}

void Forgetting::search_artifact(const record::Artifact& artifact, Holding& holding) {
  Holding::Held held{artifact, {}};
  for (const FolderFile& file : files_of(artifact)) {
    const Holding::File& found = look(file.path, file.digest, holding);
    if (!found.rows.empty() || found.texts > 0) {
      held.files.push_back(found);
      held.files.back().path = file.path;
    }
  }
  if (!held.files.empty()) {
    holding.artifacts.push_back(std::move(held));
  }
}

void Forgetting::search_predictions(Holding& holding) {
  for (int64_t after = -1;;) {
    const std::vector<record::Prediction> page = store_.predictions().list("", after, kPredictionsAtOnce);
    if (page.empty()) {
      return;
    }
    after = page.back().time_ms;
    for (const record::Prediction& prediction : page) {
      ++holding.searched_predictions;
      if (target_.text_digests.contains(base::digest_of(prediction.text))) {
        holding.predictions.push_back(prediction.id);
      }
    }
  }
}

// The file without the document; nullopt: there is no way to take it out of a file of this kind.
std::optional<fs::path> Forgetting::without(const Holding::File& file, bool manifest, const std::map<std::string, data::RewrittenShard>& shards) {
  constexpr size_t kMaxText = size_t{256} << 20;
  const fs::path place = store_.artifacts().path_of(file.digest);
  const fs::path out = work_.path() / fmt::format("{}-{}", files_++, fs::path(file.path).filename().string());
  if (!file.rows.empty()) {
    data::write_without(place, file.path, target_, out);
    return out;
  }
  const std::string ending = fs::path(file.path).extension().string();
  if (manifest || ending == ".json") {
    Json json = base::parse_json(base::read_file(place, kMaxText), file.path, {kMaxText, 128});
    data::scrub_json(json, target_);
    if (manifest) {
      data::rewrite_manifest(json, shards);
      json["forgotten"] = json.value("forgotten", int64_t{0}) + 1;
    }
    base::write_file_atomic(out, base::dump_json_pretty(json));
    return out;
  }
  if (ending == ".html" || ending == ".md" || ending == ".yaml" || ending == ".xml") {
    std::string text = base::read_file(place, kMaxText);
    data::scrub_text(text, target_);
    base::write_file_atomic(out, text);
    return out;
  }
  return std::nullopt;
}

void Forgetting::remove_from(const Holding::Held& held, Json& left) {
  const record::Artifact& artifact = held.artifact;
  const std::vector<FolderFile> files = files_of(artifact);
  std::map<std::string, Holding::File> changed;
  std::map<std::string, data::RewrittenShard> shards;
  std::vector<record::DataSource> written;
  int64_t rows = 0;
  for (const Holding::File& file : held.files) {
    rows += static_cast<int64_t>(file.rows.size());
    if (file.path == "manifest.json") {
      changed[file.path] = file;
      continue;  // once its shards are known
    }
    const auto place = without(file, false, {});
    if (!place) {
      left.push_back({{"artifact", artifact.digest}, {"kind", artifact.kind}, {"file", file.path}, {"rows", file.rows.size()}, {"texts", file.texts}});
      continue;
    }
    changed[file.path] = file;
    written.push_back({file.path, *place});
    data::RewrittenShard& shard = shards[file.path];
    shard.place = *place;
    for (const data::FoundRow& row : file.rows) {
      shard.removed.push_back(row.row);
    }
  }
  const auto manifest = std::find_if(files.begin(), files.end(), [](const FolderFile& file) { return file.path == "manifest.json"; });
  const bool dataset = artifact.folder && artifact.kind == "dataset" && manifest != files.end() && !shards.empty();
  if (dataset || changed.contains("manifest.json")) {
    const Holding::File file{"manifest.json", manifest->digest, {}, 0};
    changed[file.path] = file;
    written.push_back({file.path, *without(file, dataset, shards)});
  }
  if (written.empty()) {
    return;
  }
  const Json mark = {{"time_ms", app_.context().clock.unix_ms()}, {"rows", rows}, {"was", artifact.digest}};
  record::Artifact made;
  if (artifact.folder) {
    std::vector<FolderFile> kept;
    std::copy_if(files.begin(), files.end(), std::back_inserter(kept), [&](const FolderFile& file) { return !changed.contains(file.path); });
    if (artifact.kind == "dataset") {
      record::PutCounts counts;
      made = store_.data().trees().put(written, kept, artifact.name, artifact.meta, counts);
    } else {
      const fs::path folder = work_.path() / fmt::format("folder-{}", files_++);
      for (const FolderFile& file : kept) {
        base::make_dirs((folder / file.path).parent_path());
        fs::copy_file(store_.artifacts().path_of(file.digest), folder / file.path);
      }
      for (const record::DataSource& file : written) {
        base::make_dirs((folder / file.path).parent_path());
        fs::copy_file(file.place, folder / file.path);
      }
      made = store_.artifacts().put_folder(folder, artifact.kind, artifact.name, artifact.meta);
    }
  } else {
    made = store_.artifacts().put_file(written[0].place, artifact.kind, artifact.name, artifact.meta);
  }
  store_.data().commits().rewrite(artifact.digest, made.digest, mark);
  if (dataset) {
    for (const FolderFile& file : store_.data().trees().files(made.digest)) {
      if (file.path == "manifest.json") {
        const std::vector<record::Edge> edges = {{"dataset:" + manifest->digest, "dataset:" + file.digest, "rewritten"},
                                                 {"dataset:" + file.digest, "artifact:" + made.digest, "version_of"}};
        store_.lineage().add_edges(edges);
      }
    }
  }
}

Json Forgetting::remove(const Holding& holding) {
  Json left = Json::array();
  for (const Holding::Held& held : holding.artifacts) {
    remove_from(held, left);
  }
  remove_named(holding, left);
  store_.predictions().redact(holding.predictions, kMark);
  if (!holding.texts.empty()) {
    remove_texts();
  }
  return left;
}

// One content has many names: the first under which it can be rewritten does for all.
void Forgetting::remove_named(const Holding& holding, Json& left) {
  std::set<std::string> done;
  for (const Holding::Named& one : holding.named) {
    if (done.contains(one.name.digest)) {
      continue;
    }
    if (const auto place = without(one.file, false, {})) {
      store::replace_content(store_, one.name.digest, *place);
      done.insert(one.name.digest);
    }
  }
  for (const Holding::Named& one : holding.named) {
    if (!done.contains(one.name.digest)) {
      left.push_back({{"artifact", one.name.digest}, {"kind", one.name.where}, {"file", one.name.path}, {"rows", one.file.rows.size()}, {"texts", one.file.texts}});
    }
  }
}

void Forgetting::remove_texts() {
  int64_t number = 0;
  store::rewrite_texts(store_, [&](const store::StoredText& where, const std::string& text) -> std::optional<std::string> {
    std::string other = text;
    if (data::scrub_stored_text(other, target_) == 0) {
      return std::nullopt;
    }
    if (where.column == "inputs") {  // which tell the records of an evaluation set apart
      other = base::dump_json(Json{{"forgotten", fmt::format("{} {}", app_.context().clock.unix_ms(), number++)}});
    }
    return other;
  });
}

// Models that were trained on what holds the document: along the lineage, and by the dataset that a version names.
std::set<std::pair<std::string, int>> models_of(record::Store& store, const Holding& holding) {
  constexpr int kMaxEdges = 100'000;
  std::set<std::pair<std::string, int>> models;
  std::set<std::string> nodes;
  for (const Holding::Held& held : holding.artifacts) {
    nodes.insert("artifact:" + held.artifact.digest);
    nodes.insert("dataset:" + held.artifact.digest);
    if (held.artifact.folder) {
      for (const FolderFile& file : store.data().trees().files(held.artifact.digest)) {
        if (file.path == "manifest.json") {
          nodes.insert("dataset:" + file.digest);
        }
      }
    }
  }
  std::set<std::string> reached = nodes;
  for (const std::string& node : nodes) {
    for (const record::Edge& edge : store.lineage().walk(node, record::Direction::kForward, kMaxEdges)) {
      reached.insert(edge.to);
    }
  }
  for (const record::ModelVersion& version : store.registry().list_versions("")) {
    if (reached.contains(fmt::format("model:{}/{}", version.model, version.version)) || nodes.contains("dataset:" + version.dataset)) {
      models.emplace(version.model, version.version);
    }
  }
  return models;
}

class DataForgetCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data forget", "take a document out of every version, model record and prediction log, and prove it",
            "Finds rows whose --field is KEY, or whose text has a --text-digest, in all artifacts of the store: versions of datasets, documents\n"
            "between steps, what was dropped, reports; in repositories of the hub (every commit), files of tracked runs; copies of their texts\n"
            "under other keys, in predictions, traces and evaluation sets, too. With --yes rows are removed, predictions, traces and reports lose\n"
            "the text, commits keep their ids (versions get a mark), model versions trained on it get the tag\n"
            "slipway.forgotten, results of steps that held it go from the cache, the bytes are collected, and the audit log has an entry.\n"
            "Then everything is searched again: exit code 6 when something is left. Without --yes it only tells.",
            "slipway data forget user-4711 --field author --dry-run\n"
            "slipway data forget user-4711 --field author --yes --report forgotten.json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("KEY", key_, "the value of --field", false);
    parameters.flags.add("field", fields_, "members that hold the key, comma-separated; default: id");
    parameters.flags.add("text_digest", digests_, "SHA-256 of the text (sha256:… or hex), comma-separated");
    parameters.flags.add("text_field", text_field_, "member that holds the text");
    parameters.flags.add("dry_run", dry_run_, "only tell, whatever else is said");
    parameters.flags.add("yes", yes_, "really remove");
    parameters.flags.add("report", report_, "file for the report, JSON");
  }
  int run(App& app) override {
    ForgetTarget target = this->target();
    record::Store& store = app.store();
    Forgetting forgetting(app, target);
    const Holding holding = forgetting.search();
    const auto models = models_of(store, holding);
    Json report = told(store, holding, models, target);
    const bool doing = yes_ && !dry_run_;
    int code = 0;
    if (doing && !holding.empty()) {
      Json left;
      // The subject names no person: the digest of what was asked for.
      const std::string subject = "document:" + base::sha256_hex(key_ + fmt::format("\n{}", fmt::join(digests_, "\n"))).substr(0, 16);
      change_locally(store, "data.forget", subject, [&] {
        left = forgetting.remove(holding);
        for (const auto& [model, version] : models) {
          store.tracking().versions().set_tag(model, version, {"slipway.forgotten", std::to_string(app.context().clock.unix_ms())});
        }
        store.events().append("document_forgotten", subject, {{"artifacts", holding.artifacts.size()}, {"files", holding.named.size()}, {"predictions", holding.predictions.size()}, {"texts", holding.texts.size()}});
      });
      const store::GarbageReport garbage = store::collect_garbage(app.store_path(), {.retention_ms = std::nullopt, .dry_run = false, .every_byte = true}, app.store_options());
      const Holding after = forgetting.search();
      const int64_t bytes_left = texts_in_blobs(app, target);
      report["removed"] = true;
      report["collected"] = {{"blobs", garbage.blobs}, {"bytes", garbage.bytes}};
      report["left"] = left;
      report["second_search"] = told(store, after, {}, target);
      report["second_search"]["texts_in_blobs"] = bytes_left;
      code = after.empty() && bytes_left == 0 ? 0 : base::exit_code(Code::kGate);
    } else {
      report["removed"] = false;
    }
    if (!report_.empty()) {
      base::write_file_atomic(report_, base::dump_json_pretty(report));
    }
    app.json() ? app.print_json(report) : print(app, report, doing);
    return code;
  }

 private:
  ForgetTarget target() const {
    ForgetTarget target;
    target.fields = fields_.empty() ? std::vector<std::string>{"id"} : fields_;
    target.key = key_;
    target.text_field = text_field_;
    for (const std::string& text : digests_) {
      const std::string digest = text.starts_with("sha256:") ? text : "sha256:" + text;
      if (!base::is_digest(digest)) {
        throw Error(Code::kInvalid, fmt::format("--text-digest {}: write the 64 hex digits of the text's SHA-256", text));
      }
      target.text_digests.insert(digest);
    }
    if (key_.empty() && digests_.empty()) {
      throw Error(Code::kInvalid, "name the document: KEY, or --text-digest");
    }
    return target;
  }

  // How often a text is in a file of the store's folder of blobs, whatever names it.
  static int64_t texts_in_blobs(App& app, const ForgetTarget& target) {
    int64_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(app.store_path() / "blobs")) {
      if (entry.is_regular_file()) {
        count += data::count_texts(entry.path(), target);
      }
    }
    return count;
  }

  static Json told(record::Store& store, const Holding& holding, const std::set<std::pair<std::string, int>>& models, const ForgetTarget& target) {
    Json artifacts = Json::array();
    Json versions = Json::array();
    Json sources = Json::array();
    std::set<std::string> seen;
    std::map<std::string, int64_t> rows_of;
    for (const Holding::Held& held : holding.artifacts) {
      Json files = Json::array();
      for (const Holding::File& file : held.files) {
        Json places = Json::array();
        for (const data::FoundRow& row : file.rows) {
          places.push_back(row.at);
          if (const std::string from = row.row.value("at", Json()).is_string() ? row.row.value("at", "") : ""; !from.empty() && seen.insert(from).second) {
            sources.push_back(from);
          }
        }
        files.push_back({{"path", file.path}, {"rows", places}, {"texts", file.texts}});
        rows_of[held.artifact.digest] += static_cast<int64_t>(file.rows.size());
      }
      artifacts.push_back({{"digest", held.artifact.digest}, {"kind", held.artifact.kind}, {"name", held.artifact.name}, {"files", files}});
    }
    for (const record::DataCommit& commit : store.data().commits().list("", kAll)) {
      if (const auto rows = rows_of.find(commit.digest); rows != rows_of.end()) {
        versions.push_back({{"dataset", commit.dataset}, {"id", commit.id}, {"rows", rows->second}});
      }
    }
    Json named = Json::array();
    for (const Holding::Named& one : holding.named) {
      Json places = Json::array();
      for (const data::FoundRow& row : one.file.rows) {
        places.push_back(row.at);
      }
      named.push_back({{"where", one.name.where}, {"path", one.name.path}, {"digest", one.name.digest}, {"commits", one.name.commits}, {"rows", places}, {"texts", one.file.texts}});
    }
    Json names = Json::array();
    for (const auto& [model, version] : models) {
      names.push_back(fmt::format("{}/{}", model, version));
    }
    return {{"versions", versions},
            {"artifacts", artifacts},
            {"models", names},
            {"files", named},
            {"predictions", holding.predictions},
            {"texts", holding.texts},
            {"sources", sources},
            {"text_digests", target.text_digests},
            {"searched", {{"files", holding.searched_files}, {"predictions", holding.searched_predictions}, {"texts", holding.searched_texts}}}};
  }

  static void print(App& app, const Json& report, bool doing) {
    std::ostream& out = app.out();
    for (const Json& version : report.at("versions")) {
      out << fmt::format("version    {} {}  {} rows\n", version.at("dataset").get<std::string>(), short_id(version.at("id").get<std::string>()), version.at("rows").dump());
    }
    for (const Json& artifact : report.at("artifacts")) {
      for (const Json& file : artifact.at("files")) {
        out << fmt::format("artifact   {} {}  {}: {}\n", artifact.at("kind").get<std::string>(), artifact.at("digest").get<std::string>().substr(0, 19), file.at("path").get<std::string>(),
                           file.at("rows").empty() ? fmt::format("{} times its text", file.at("texts").dump()) : fmt::format("{} rows", file.at("rows").size()));
      }
    }
    for (const Json& model : report.at("models")) {
      out << fmt::format("model      {}: trained on it\n", model.get<std::string>());
    }
    for (const Json& file : report.at("files")) {
      out << fmt::format("file       {} {}: {}\n", file.at("where").get<std::string>(), file.at("path").get<std::string>(),
                         file.at("rows").empty() ? fmt::format("{} times its text", file.at("texts").dump()) : fmt::format("{} rows", file.at("rows").size()));
    }
    const Json& texts = report.at("texts");
    for (auto it = texts.begin(); it != texts.end(); ++it) {
      out << fmt::format("text       {}: {} times\n", it.key(), it->dump());
    }
    if (!report.at("predictions").empty()) {
      out << fmt::format("predictions {}\n", report.at("predictions").size());
    }
    for (const Json& source : report.at("sources")) {
      out << fmt::format("source     {}: outside the store; remove it there, or it comes back\n", source.get<std::string>());
    }
    const Json& searched = report.at("searched");
    if (!report.at("removed").get<bool>()) {
      const bool none = report.at("artifacts").empty() && report.at("files").empty() && report.at("predictions").empty() && texts.empty();
      out << (none ? fmt::format("nothing holds it: {} files and {} predictions were searched\n", searched.at("files").dump(), searched.at("predictions").dump())
              : doing ? "" : "nothing was changed: --yes removes it\n");
      return;
    }
    const Json& again = report.at("second_search");
    out << fmt::format("removed; {} blobs collected. A second search of {} files and {} predictions found {}\n", report.at("collected").at("blobs").dump(),
                       again.at("searched").at("files").dump(), again.at("searched").at("predictions").dump(),
                       again.at("artifacts").empty() && again.at("files").empty() && again.at("predictions").empty() && again.at("texts").empty() && again.at("texts_in_blobs") == 0
                             ? "nothing"
                             : fmt::format("{} artifacts, {} files, {} texts, and its text {} times in files of blobs", again.at("artifacts").size(), again.at("files").size(),
                                           again.at("texts").size(), again.at("texts_in_blobs").dump()));
    for (const Json& one : report.at("left")) {
      out << fmt::format("left       {} {}: {} cannot be rewritten; remove it by hand\n", one.at("kind").get<std::string>(), one.at("artifact").get<std::string>(), one.at("file").get<std::string>());
    }
  }

  std::string key_;
  std::vector<std::string> fields_;
  std::vector<std::string> digests_;
  std::string text_field_ = "text";
  std::string report_;
  bool dry_run_ = false;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_data_forget() { return std::make_unique<DataForgetCommand>(); }

}  // namespace slipway::cli
