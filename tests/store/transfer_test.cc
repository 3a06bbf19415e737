#include "store/transfer.h"

#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/input.h"
#include "base/random.h"
#include "fixture.h"
#include "store/schema.h"
#include "store/transfer_format.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;

record::Experiment named(const std::string& name) {
  record::Experiment experiment;
  experiment.name = name;
  return experiment;
}

class Transfer : public StoreTest {
 protected:
  Transfer() {
    record::Tracking& tracking = store_->tracking();
    record::Experiment experiment = named("情感 'quoted' \"x\"");
    experiment.tags = {{"k", "v"}};
    const std::string number = tracking.experiments().create(experiment).id;
    record::ExperimentChange gone;
    gone.deleted = true;
    tracking.experiments().change(tracking.experiments().create(named("gone")).id, gone);
    for (int i = 0; i < 5; ++i) {
      record::TrackedRun run;
      run.id = record::new_id();
      run.experiment_id = number;
      run.name = fmt::format("run {}", i);
      // No UTF-8, which PostgreSQL would refuse.
      run.tags = {{"odd", options_.database_url.empty() ? std::string("\x01\xFF\xFE raw", 7) : "text"}};
      tracking.runs().create(run);
      tracking.runs().log(run.id, {.metrics = {{"loss", 0.1 * i, i, 5}, {"nan", std::nan(""), 0, 5}, {"big", 1.7976931348623157e308, 0, 5}},
                                   .params = {{"lr", "3e-5\n"}},
                                   .tags = {}});
      std::vector<record::MetricPoint> many;
      for (int step = 0; step < 30; ++step) {
        many.push_back({"many", step == 7 ? std::nan("") : 1.0 / (step + 1), step, 1000 + step});
      }
      tracking.runs().log(run.id, {.metrics = many, .params = {}, .tags = {}});
      const auto file = tracking.files().begin(fmt::format("{}/{}/artifacts/a b.txt", number, run.id));
      file->write(fmt::format("content {}", i));
      file->commit();
    }
    base::make_dirs(dir_.path() / "model/sub");
    std::ofstream(dir_.path() / "model/sub/w.bin") << "weights";
    std::ofstream(dir_.path() / "model/c.json") << "{}";
    const auto model = store_->artifacts().put_folder(dir_.path() / "model", "model", "m", {{"a", 1}});
    record::ModelVersion version = this->version("m");
    version.artifacts = {{"model", model.digest}};
    store_->registry().create_version(version);
    store_->registry().create_version(version);
    store_->registry().set_alias("m", "champion", 1, -1);
    store_->registry().set_alias("m", "champion", 2, -1);
    store_->lineage().add_edges(std::vector<record::Edge>{{"dataset:x", "run:y", "used"}});
    store_->events().append("drift_detected", "model:m/1", {{"psi", 0.3}});
    record::Prediction one = prediction("p-1", 7);
    one.scores = {0.25F, 0.75F};
    one.score = std::nan("");
    store_->predictions().append(std::vector{one});
  }

  // Everything of a store, as an export tells it.
  std::map<std::string, std::string> told(const fs::path& store, const fs::path& scratch) {
    fs::remove_all(scratch);
    export_store(store, scratch, {}, store == folder() ? options_ : StoreOptions());
    const auto manifest = base::parse_json(base::read_file(scratch / "manifest.json"), "manifest");
    std::map<std::string, std::string> all;
    const auto tables = manifest.at("tables");
    for (auto it = tables.begin(); it != tables.end(); ++it) {
      all[it.key()] = it.value().dump();
    }
    all["sequences"] = manifest.at("sequences").dump();
    all["blobs"] = manifest.at("blobs").dump();
    return all;
  }
  fs::path at(const std::string& name) const { return dir_.path() / name; }
  void overwrite(const fs::path& path, const std::string& text) {
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << text;
  }
};

TEST_F(Transfer, EveryTableIsExportedOrAboutThisPlace) {
  std::set<std::string> expected;
  const auto rows_of = database();
  if (!rows_of->is_file()) {
    GTEST_SKIP() << "the tables are the same; SQLite's are looked at";
  }
  Statement tables =
      rows_of->prepare_once("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  while (tables.step()) {
    expected.insert(tables.text(0));
  }
  std::set<std::string> exported = {"migrations", "file_stamps", "chunks", "chunk_sources"};
  for (const Table& table : exported_tables(static_cast<int>(migrations().size()))) {
    exported.insert(table.name);
    for (const Column& column : table.columns) {
      EXPECT_TRUE((std::set<std::string>{"INTEGER", "REAL", "TEXT", "BLOB"}.contains(column.type))) << column.type;
    }
  }
  EXPECT_EQ(exported, expected);
}

TEST_F(Transfer, AStoreComesBackEqualFromAFolderAndFromAFile) {
  const auto before = told(folder(), at("scratch"));
  const TransferReport made = export_store(folder(), at("all"), {}, options_);
  EXPECT_EQ(made.blobs, 8);  // five contents, a listing and its two files
  export_store(folder(), at("all.tar.zst"), {}, options_);
  for (const char* source : {"all", "all.tar.zst"}) {
    const fs::path copy = at(std::string(source) + ".store");
    const TransferReport report = import_store(at(source), copy);
    EXPECT_EQ(report.rows, made.rows);
    EXPECT_EQ(told(copy, at("scratch")), before) << source;
    EXPECT_TRUE(verify_store(copy).problems.empty());
    const auto store = open_store(copy);
    EXPECT_EQ(store->registry().resolve("models:/m@champion").version, 2);
    EXPECT_EQ(store->registry().alias_history("m", "champion").size(), 2U);
    EXPECT_TRUE(import_store(at(source), copy).already) << "again: nothing to do";
    EXPECT_EQ(store->tracking().experiments().create(named("next")).id, "3") << "numbers are given once";
  }
}

TEST_F(Transfer, VersionsShareBytesAgainInTheNewStore) {
  base::Rng rng(6);
  std::string bytes;
  while (bytes.size() < (2U << 20)) {
    bytes += std::to_string(rng.next());
  }
  for (const char* end : {"", "1", "22"}) {
    store_->artifacts().put_bytes(bytes + end, "file", "n", {});
  }
  ASSERT_EQ(store_stats(folder(), options_).recipes, 2);
  export_store(folder(), at("all.tar.zst"), {}, options_);
  import_store(at("all.tar.zst"), at("again"), {});
  EXPECT_TRUE(verify_store(at("again")).problems.empty());
  const StoreStats stats = store_stats(at("again"));
  EXPECT_EQ(stats.content_bytes, store_stats(folder(), options_).content_bytes);
  EXPECT_EQ(stats.recipes, 2);
  const auto copy = open_store(at("again"));
  const auto fourth = copy->artifacts().put_bytes("0" + bytes, "file", "n", {});
  EXPECT_EQ(store_stats(at("again")).recipes, 3) << "where chunks are came along";
  EXPECT_EQ(base::read_file(copy->artifacts().path_of(fourth.digest)), "0" + bytes);
  EXPECT_TRUE(import_store(at("all.tar.zst"), at("again"), {}).already);
}

TEST_F(Transfer, AFolderGoesOnAndAFileIsNotReplaced) {
  export_store(folder(), at("all"), {}, options_);
  std::vector<fs::path> blobs;
  for (const auto& entry : fs::recursive_directory_iterator(at("all/blobs"))) {
    if (entry.is_regular_file()) {
      blobs.push_back(entry.path());
    }
  }
  fs::remove(blobs.front());
  EXPECT_EQ(export_store(folder(), at("all"), {}, options_).blobs_there, 7);
  export_store(folder(), at("x.tar.zst"), {}, options_);
  EXPECT_EQ(error_of([&] { export_store(folder(), at("x.tar.zst"), {}, options_); }).code(), base::Code::kConflict);
  EXPECT_EQ(error_of([&] { export_store(folder(), at("model"), {}, options_); }).code(), base::Code::kConflict);
  EXPECT_EQ(error_of([&] { export_store(at("none"), at("y")); }).code(), base::Code::kNotFound);
}

TEST_F(Transfer, AnotherStoreIsNeverTouched) {
  export_store(folder(), at("all"), {}, options_);
  import_store(at("all"), at("copy"));
  export_store(folder(), at("later"), {}, options_);
  EXPECT_EQ(error_of([&] { import_store(at("later"), at("copy")); }).code(), base::Code::kConflict);
}

TEST_F(Transfer, AnImportThatIsKilledLeavesNoStoreAndIsGoneOnWith) {
  export_store(folder(), at("all.tar.zst"), {}, options_);
  const auto before = told(folder(), at("scratch"));
  store_.reset();
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      import_store(at("all.tar.zst"), at("copy"));
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(round) * 3000);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (fs::exists(at("copy/slipway.db"))) {
      EXPECT_TRUE(verify_store(at("copy")).problems.empty()) << "whole or absent";
    }
  }
  import_store(at("all.tar.zst"), at("copy"));
  EXPECT_EQ(told(at("copy"), at("scratch")), before);
}

TEST_F(Transfer, DamageIsNoticedAndNothingAppears) {
  export_store(folder(), at("all"), {}, options_);
  const auto refused = [&](base::Code code) {
    fs::remove_all(at("copy"));
    const base::Error error = error_of([&] { import_store(at("all"), at("copy")); });
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_FALSE(fs::exists(at("copy/slipway.db")));
  };
  const std::string table = base::read_file(at("all/tables/runs.jsonl"));
  overwrite(at("all/tables/runs.jsonl"), table + "[]\n");
  refused(base::Code::kIntegrity);
  fs::remove(at("all/tables/runs.jsonl"));
  refused(base::Code::kIntegrity);
  overwrite(at("all/tables/runs.jsonl"), table);

  fs::path blob;
  for (const auto& entry : fs::recursive_directory_iterator(at("all/blobs"))) {
    blob = entry.is_regular_file() ? entry.path() : blob;
  }
  const std::string content = base::read_file(blob);
  overwrite(blob, content + "x");
  refused(base::Code::kIntegrity);
  fs::remove(blob);
  refused(base::Code::kIntegrity);
  overwrite(blob, content);

  const std::string manifest = base::read_file(at("all/manifest.json"));
  for (const char* text : {"", "[]", "{}", "{\"format\":\"slipway.export/9\"}",
                           "{\"format\":\"slipway.export/1\",\"schema\":99}", "{\"format\":\"slipway.export/1\",\"schema\":1}"}) {
    overwrite(at("all/manifest.json"), text);
    refused(base::Code::kInvalid);
  }
  overwrite(at("all/manifest.json"), manifest);
  overwrite(at("all/extra.txt"), "?");
  refused(base::Code::kInvalid);
  fs::remove(at("all/extra.txt"));
  fs::create_symlink("/etc/passwd", at("all/tables/passwd.jsonl"));
  refused(base::Code::kInvalid);
  fs::remove(at("all/tables/passwd.jsonl"));
  fs::remove_all(at("copy"));
  import_store(at("all"), at("copy"));
}

// A table whose digest is right and whose rows are not.
TEST_F(Transfer, RowsThatMakeNoSenseAreRefused) {
  for (const char* row : {"[1]", "{}", "[\"a\",1,2,3]", "[{\"base64\":\"?\"},\"k\",\"v\"]", "[1.5,\"k\",\"v\"]", "nonsense"}) {
    fs::remove_all(at("all"));
    fs::remove_all(at("copy"));
    export_store(folder(), at("all"), {}, options_);
    auto manifest = base::parse_json(base::read_file(at("all/manifest.json")), "manifest");
    const std::string text = std::string(row) + "\n";
    overwrite(at("all/tables/experiment_tags.jsonl"), text);
    manifest["tables"]["experiment_tags"] = {{"rows", 1}, {"digest", base::digest_of(text)}};
    overwrite(at("all/manifest.json"), manifest.dump());
    EXPECT_EQ(error_of([&] { import_store(at("all"), at("copy")); }).code(), base::Code::kInvalid) << row;
    EXPECT_FALSE(fs::exists(at("copy/slipway.db")));
  }
}

TEST_F(Transfer, BrokenFilesAreRefusedInWords) {
  export_store(folder(), at("all.tar.zst"), {}, options_);
  const std::string good = base::read_file(at("all.tar.zst"));
  for (size_t size = 0; size < good.size(); size += 1 + good.size() / 40) {
    fs::remove_all(at("copy"));
    overwrite(at("cut.tar.zst"), good.substr(0, size));
    EXPECT_THROW(import_store(at("cut.tar.zst"), at("copy")), base::Error) << size;
    EXPECT_FALSE(fs::exists(at("copy/slipway.db")));
  }
  for (size_t byte = 0; byte < good.size(); byte += 1 + good.size() / 40) {
    fs::remove_all(at("copy"));
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ 0x10);
    overwrite(at("bad.tar.zst"), bad);
    try {
      import_store(at("bad.tar.zst"), at("copy"));
      // A changed byte that means nothing (padding): then the store must be whole.
      EXPECT_TRUE(verify_store(at("copy")).problems.empty()) << byte;
    } catch (const base::Error&) {
      EXPECT_FALSE(fs::exists(at("copy/slipway.db"))) << byte;
    }
  }
  EXPECT_EQ(error_of([&] { import_store(at("nowhere.tar.zst"), at("copy")); }).code(), base::Code::kNotFound);
}

TEST(TransferNames, OnlyThoseOfAnExportAre) {
  const std::string hex(62, 'a');
  EXPECT_TRUE(is_export_name("manifest.json"));
  EXPECT_TRUE(is_export_name("tables/run_tags.jsonl"));
  EXPECT_TRUE(is_export_name("blobs/ab/ab" + hex));
  for (const std::string& bad : {std::string("../manifest.json"), std::string("tables/../x.jsonl"), std::string("tables/.jsonl"),
                                 std::string("tables/A.jsonl"), "blobs/ac/ab" + hex, "blobs/ab/ab" + hex + "0", std::string("/etc/passwd"),
                                 "blobs/ab/aB" + hex, std::string()}) {
    EXPECT_FALSE(is_export_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace slipway::store
