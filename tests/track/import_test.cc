// Files that the real programs wrote (make_fixtures.py), and broken ones.
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "server.h"
#include "store/store.h"
#include "support/support.h"
#include "track/event_file.h"
#include "track/import_mlflow.h"
#include "track/import_tensorboard.h"
#include "track/import_wandb.h"
#include "track/wandb_file.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() : store_(store::open_store(dir_.path() / "record")) {}

  std::map<std::string, record::TrackedRun> runs(const std::string& experiment) {
    record::Query query;
    query.experiment_ids = {store_->tracking().experiments().find_by_name(experiment).value().id};
    std::map<std::string, record::TrackedRun> found;
    for (record::TrackedRun& run : store_->tracking().runs().search(query).items) {
      found.emplace(run.name, std::move(run));
    }
    return found;
  }
  std::vector<record::MetricSample> history(const record::TrackedRun& run, const std::string& key) {
    record::HistoryQuery query;
    query.run_id = run.id;
    query.key = key;
    return store_->tracking().runs().history(query).items;
  }
  static std::string value_of(const std::vector<record::KeyValue>& pairs, const std::string& key) {
    for (const record::KeyValue& pair : pairs) {
      if (pair.key == key) {
        return pair.value;
      }
    }
    return "(none)";
  }
  std::string file_of(const record::TrackedRun& run, const std::string& path) {
    const auto file = store_->tracking().files().find(run.artifact_uri.substr(18) + "/" + path);
    return file ? base::read_file(store_->tracking().files().blob_of(*file)) : "(none)";
  }

  const fs::path data_ = tests::source_dir() / "tests/track/data";
  base::TempDir dir_;
  std::unique_ptr<record::Store> store_;
};

TEST_F(ImportTest, TensorboardRunsComeWithScalarsTextsImagesAndHparams) {
  const ImportReport report = import_tensorboard(*store_, data_ / "tensorboard", {});
  EXPECT_EQ(report.runs, 3);
  EXPECT_EQ(report.experiments, 1);
  EXPECT_EQ(report.points, 50 + 20 + 1);
  EXPECT_EQ(report.skipped.size(), 1U) << "a histogram";
  const auto found = runs("tensorboard");
  const auto first = found.at("first");
  const auto loss = history(first, "train/loss");
  ASSERT_EQ(loss.size(), 50U);
  EXPECT_EQ(loss[3].value, static_cast<double>(0.25F));
  EXPECT_EQ(loss[3].step, 3);
  EXPECT_EQ(loss[3].time_ms, 1'700'000'003'000);
  EXPECT_EQ(file_of(first, "text/note/text_summary/3.md"), "it went **well**");
  EXPECT_TRUE(file_of(first, "images/sample/7.png").starts_with("\x89PNG"));
  const auto trial = found.at("first/trial");
  EXPECT_EQ(value_of(trial.params, "lr"), "0.5");
  EXPECT_EQ(value_of(trial.params, "optimizer"), "adam");
  EXPECT_EQ(history(trial, "hparam/accuracy").at(0).value, 0.75);
  const auto accuracy = history(found.at("second"), "accuracy");
  ASSERT_EQ(accuracy.size(), 20U);
  EXPECT_NEAR(accuracy[19].value, 0.95, 1e-7);
  EXPECT_EQ(accuracy[19].time_ms, 1'700'000'119'000);
}

TEST_F(ImportTest, ImportingAgainChangesNothing) {
  import_tensorboard(*store_, data_ / "tensorboard", {});
  const ImportReport again = import_tensorboard(*store_, data_ / "tensorboard", {});
  EXPECT_EQ(again.runs, 0);
  EXPECT_EQ(again.runs_there, 3);
  EXPECT_EQ(again.files, 0);
  EXPECT_EQ(history(runs("tensorboard").at("first"), "train/loss").size(), 50U);
  EXPECT_EQ(import_wandb(*store_, data_ / "wandb/run.wandb", {}).runs, 1);
  EXPECT_EQ(import_wandb(*store_, data_ / "wandb/run.wandb", {}).runs_there, 1);
  EXPECT_EQ(history(runs("sentiment").at("first"), "loss").size(), 30U);
}

TEST_F(ImportTest, AnOfflineRunOfWandbComesWhole) {
  const ImportReport report = import_wandb(*store_, data_ / "wandb/run.wandb", {});
  EXPECT_EQ(report.skipped.size(), 1U) << "a text";
  const auto run = runs("sentiment").at("first");
  EXPECT_EQ(run.status, record::RunStatus::kFinished);
  EXPECT_EQ(value_of(run.params, "lr"), "0.1");
  EXPECT_EQ(value_of(run.params, "model.layers"), "2");
  EXPECT_EQ(value_of(run.tags, "mlflow.note.content"), "a try");
  EXPECT_EQ(value_of(run.tags, "wandb.tag.small"), "true");
  const auto loss = history(run, "loss");
  ASSERT_EQ(loss.size(), 30U);
  EXPECT_EQ(loss[4].value, 0.2);
  EXPECT_EQ(loss[4].step, 4);
  EXPECT_GE(loss[4].time_ms, run.started_ms);
  EXPECT_EQ(history(run, "nested.a").at(7).value, 7);
  EXPECT_EQ(history(run, "good").at(1).value, 0);
  EXPECT_TRUE(std::isnan(history(run, "odd").at(0).value));
  EXPECT_EQ(history(run, "best").at(0).value, 0.25);
  EXPECT_NE(file_of(run, "requirements.txt"), "(none)");
}

TEST_F(ImportTest, HistoriesOfWandbComeFromTables) {
  base::write_file_atomic(dir_.path() / "h.csv", "_step,_timestamp,loss,word\n0,1700000000.5,1.5,a\n1,1700000001,0.5,\n2,1700000002,NaN,\n");
  import_wandb(*store_, dir_.path() / "h.csv", {.experiment = "e", .name = {}});
  const auto loss = history(runs("e").at("h"), "loss");
  ASSERT_EQ(loss.size(), 3U);
  EXPECT_EQ(loss[0].time_ms, 1'700'000'000'500);
  EXPECT_TRUE(std::isnan(loss[2].value));
  base::write_file_atomic(dir_.path() / "page.csv",
                          "\"Step\",\"calm-sun-1 - loss\",\"calm-sun-1 - loss__MIN\",\"b - loss\"\n5,0.5,0.1,2\n6,0.25,0.1,\n");
  import_wandb(*store_, dir_.path() / "page.csv", {.experiment = "page", .name = {}});
  EXPECT_EQ(history(runs("page").at("calm-sun-1"), "loss").at(1).step, 6);
  EXPECT_EQ(history(runs("page").at("b"), "loss").size(), 1U);
  base::write_file_atomic(dir_.path() / "h.jsonl", "{\"_step\":3,\"acc\":0.5}\n{\"_step\":4,\"acc\":\"NaN\"}\n");
  import_wandb(*store_, dir_.path() / "h.jsonl", {.experiment = "lines", .name = "x"});
  EXPECT_EQ(history(runs("lines").at("x"), "acc").at(0).step, 3);
  base::write_file_atomic(dir_.path() / "h.json", "[{\"_step\":3,\"acc\":0.5}]");
  import_wandb(*store_, dir_.path() / "h.json", {.experiment = "list", .name = "x"});
  EXPECT_EQ(history(runs("list").at("x"), "acc").size(), 1U);
  base::write_file_atomic(dir_.path() / "bad.csv", "a,b\n1,2\n");
  EXPECT_THROW(import_wandb(*store_, dir_.path() / "bad.csv", {}), base::Error);
}

TEST_F(ImportTest, AnMlrunsFolderComesWithItsModels) {
  TargetOptions source;
  source.uri = (data_ / "mlruns").string();
  const ImportReport report = import_mlflow(*store_, source, {});
  EXPECT_EQ(report.runs, 1);
  EXPECT_EQ(report.skipped, (std::map<std::string, int64_t>{{"deleted runs", 1}, {"deleted versions", 1}}));
  const auto run = runs("sentiment").at("first");
  EXPECT_TRUE(fs::exists(data_ / "mlruns/939942441324538188" / run.id)) << "the id is kept";
  EXPECT_EQ(run.status, record::RunStatus::kFinished);
  EXPECT_EQ(value_of(run.params, "lr"), "0.1");
  EXPECT_EQ(value_of(run.tags, "team"), "nlp");
  EXPECT_EQ(value_of(run.tags, "mlflow.note.content"), "a try");
  const auto loss = history(run, "train/loss");
  ASSERT_EQ(loss.size(), 40U);
  EXPECT_EQ(loss[3].value, 0.25);
  EXPECT_EQ(loss[3].time_ms, 1003);
  EXPECT_TRUE(std::isnan(history(run, "odd").at(0).value));
  EXPECT_EQ(file_of(run, "notes/result.txt"), "it went well");
  const auto model = store_->tracking().models().find("classifier").value();
  EXPECT_EQ(model.description, "tells moods");
  EXPECT_EQ(value_of(model.tags, "task"), "sentiment");
  EXPECT_FALSE(store_->tracking().versions().find("classifier", 2)) << "numbers are kept, with their gaps";
  const auto third = store_->tracking().versions().find("classifier", 3).value();
  EXPECT_EQ(third.run_id, run.id);
  EXPECT_EQ(value_of(third.tags, "checked"), "yes");
  EXPECT_EQ(store_->registry().resolve("models:/classifier@champion").version, 3);
  const ImportReport again = import_mlflow(*store_, source, {});
  EXPECT_EQ(again.runs + again.versions + again.models + again.files, 0);
}

TEST_F(ImportTest, AServerComesOverRestWithItsModels) {
  Server server(dir_.path() / "other");
  TargetOptions folder;
  folder.uri = (data_ / "mlruns").string();
  record::Experiment first;
  first.name = "so that numbers differ";
  server.store().tracking().experiments().create(first);
  import_mlflow(server.store(), folder, {});
  TargetOptions source;
  source.uri = server.url();
  const ImportReport report = import_mlflow(*store_, source, {.experiments = {"sentiment"}, .artifacts = true, .progress = {}});
  EXPECT_EQ(report.runs, 1);
  EXPECT_EQ(report.files, 1);
  EXPECT_EQ(report.versions, 2);
  const auto run = runs("sentiment").at("first");
  EXPECT_EQ(history(run, "train/loss").size(), 40U);
  EXPECT_TRUE(std::isnan(history(run, "odd").at(0).value));
  EXPECT_EQ(value_of(run.params, "epochs"), "3");
  EXPECT_EQ(file_of(run, "notes/result.txt"), "it went well");
  EXPECT_FALSE(store_->tracking().versions().find("classifier", 2));
  EXPECT_EQ(store_->registry().resolve("models:/classifier@champion").version, 3);
  const ImportReport again = import_mlflow(*store_, source, {.experiments = {"sentiment"}, .artifacts = true, .progress = {}});
  EXPECT_EQ(again.runs + again.versions + again.models + again.files, 0);
  source.uri = "http://127.0.0.1:9";
  EXPECT_THROW(import_mlflow(*store_, source, {}), base::Error);
}

// What MLflow 3 added; from a folder, and from a server that has it of the folder.
TEST_F(ImportTest, LoggedModelsTracesAndPromptsCome) {
  TargetOptions folder;
  folder.uri = (data_ / "mlruns3").string();
  Server server(dir_.path() / "other");
  record::Experiment first;
  first.name = "so that numbers differ";
  server.store().tracking().experiments().create(first);
  const auto check = [&](record::Store& store) {
    record::Tracking& tracking = store.tracking();
    const std::string experiment = tracking.experiments().find_by_name("answers").value().id;
    record::Query query;
    query.experiment_ids = {experiment};
    const auto run = tracking.runs().search(query).items.at(0);
    ASSERT_EQ(run.datasets.size(), 1U);
    EXPECT_EQ(run.datasets[0].dataset.name, "reviews");
    EXPECT_EQ(value_of(run.datasets[0].tags, record::kContextTag), "training");
    record::LoggedModelQuery models;
    models.experiment_ids = {experiment};
    const auto found = tracking.logged_models().search(models).items;
    ASSERT_EQ(found.size(), 1U);
    const record::LoggedModel& model = found[0];
    EXPECT_TRUE(fs::exists(data_ / "mlruns3/184998719329417969/models" / model.id)) << "the id is kept";
    EXPECT_EQ(model.name + "/" + model.type + "/" + model.status, "answerer/agent/LOGGED_MODEL_READY");
    EXPECT_EQ(model.source_run_id, run.id);
    EXPECT_EQ(value_of(model.params, "k"), "3");
    EXPECT_EQ(value_of(model.tags, "team"), "nlp");
    ASSERT_EQ(model.metrics.size(), 2U);
    EXPECT_EQ(model.metrics[1].point.value, 0.75);
    EXPECT_EQ(model.metrics[1].run_id, run.id);
    EXPECT_TRUE(tracking.files().find(model.artifact_uri.substr(18) + "/MLmodel"));
    EXPECT_EQ(run.model_inputs.at(0).model_id, model.id);
    EXPECT_EQ(tracking.versions().find("answerer", 1).value().source, model.artifact_uri);
    EXPECT_EQ(tracking.versions().find("answerer", 1).value().model_id, model.id);
    const auto trace = tracking.traces().traces().find(tracking.traces().traces().search(query).items.at(0).id, true).value();
    EXPECT_EQ(trace.id, "tr-67154feb687dae80996ae4c1ee067a9e");
    EXPECT_EQ(trace.state, "OK");
    EXPECT_EQ(trace.started_ms, 1'795'915'792'932);
    EXPECT_EQ(trace.duration_ms, 328);
    EXPECT_EQ(value_of(trace.tags, "kind"), "test");
    EXPECT_EQ(value_of(trace.metadata, record::kSourceRunKey), run.id);
    EXPECT_EQ(trace.response_preview, "\"yes\"");
    ASSERT_EQ(trace.spans.size(), 2U);
    EXPECT_EQ(trace.spans[0].name + "/" + trace.spans[0].type + "/" + trace.spans[0].status, "answer/LLM/OK");
    EXPECT_EQ(trace.spans[1].parent, trace.spans[0].id);
    ASSERT_EQ(trace.assessments.size(), 2U);
    EXPECT_EQ(trace.assessments[0].value.dump() + trace.assessments[1].value.dump(), "{\"text\":\"yes\"}true");
    EXPECT_EQ(trace.assessments[1].source_id, "ann");
    const auto prompt = tracking.versions().find("asker", 1).value();
    EXPECT_EQ(value_of(prompt.tags, "mlflow.prompt.text"), "Say {{what}}");
    EXPECT_EQ(store.registry().resolve("models:/asker@live").version, 1);
  };
  const ImportReport report = import_mlflow(server.store(), folder, {});
  EXPECT_EQ(report.skipped, (std::map<std::string, int64_t>{}));
  check(server.store());
  TargetOptions source;
  source.uri = server.url();
  const ImportReport over_rest = import_mlflow(*store_, source, {});
  EXPECT_EQ(over_rest.logged_models, 1);
  EXPECT_EQ(over_rest.traces, 1);
  EXPECT_EQ(over_rest.skipped, (std::map<std::string, int64_t>{}));
  check(*store_);
  const ImportReport again = import_mlflow(*store_, source, {});
  EXPECT_EQ(again.logged_models + again.traces + again.files + again.versions, 0);
  EXPECT_EQ(again.traces_there, 1);
  check(*store_);
}

TEST_F(ImportTest, PlacesWithoutRunsAreToldSo) {
  TargetOptions nothing;
  nothing.uri = dir_.path().string();
  EXPECT_THROW(import_mlflow(*store_, nothing, {}), base::Error);
  EXPECT_THROW(import_tensorboard(*store_, dir_.path() / "record", {}), base::Error);
  EXPECT_THROW(import_tensorboard(*store_, dir_.path() / "none", {}), base::Error);
  EXPECT_THROW(import_wandb(*store_, dir_.path() / "none", {}), base::Error);
}

// Every file cut off anywhere, and with any byte changed, is read without harm.
template <class Read>
void break_it(const std::string& good, Read read) {
  for (size_t size = 0; size < good.size(); size += 1 + size / 64) {
    read(good.substr(0, size));
  }
  for (size_t at = 0; at < good.size(); at += 1 + at / 64) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    read(bad);
  }
}

TEST_F(ImportTest, BrokenEventFilesAreReadAsFarAsTheyHold) {
  std::string good;
  for (const auto& entry : fs::directory_iterator(data_ / "tensorboard/first")) {
    if (entry.is_regular_file()) {
      good = base::read_file(entry.path());
    }
  }
  const auto count = [](const std::string& bytes) {
    EventFile file(bytes, "x");
    Event event;
    size_t events = 0;
    while (file.next(event)) {
      ++events;
    }
    return events;
  };
  const size_t all = count(good);
  EXPECT_GE(all, 54U);
  break_it(good, [&](const std::string& bad) { EXPECT_LT(count(bad), all); });
}

TEST_F(ImportTest, BrokenWandbFilesAreReadAsFarAsTheyHold) {
  const std::string good = base::read_file(data_ / "wandb/run.wandb");
  const auto count = [](const std::string& bytes) {
    size_t records = 0;
    try {
      WandbFile file(bytes, "x");
      WandbRecord record;
      while (file.next(record)) {
        ++records;
      }
    } catch (const base::Error&) {
      return records;  // no head
    }
    return records;
  };
  const size_t all = count(good);
  EXPECT_GE(all, 30U);
  break_it(good, [&](const std::string& bad) { EXPECT_LT(count(bad), all); });
}

TEST_F(ImportTest, WandbRecordsGoOnOverBlocks) {
  // A summary item of 80,000 bytes: fragments first, middle and last in blocks of 32 KiB.
  const auto varint = [](size_t value) {
    std::string text;
    for (; value >= 128; value /= 128) {
      text += static_cast<char>(value % 128 | 128);
    }
    return text + static_cast<char>(value);
  };
  const auto field = [&](int number, const std::string& bytes) {
    return varint(static_cast<size_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
  };
  const std::string item = field(1, "long") + field(16, '"' + std::string(80'000, 'x') + '"');
  const std::string record = field(3, field(1, item));
  std::string file("\x3AW&B\xE1\xBE\0", 7);
  for (size_t at = 0; at < record.size();) {
    const size_t room = std::min(record.size() - at, 32768 - file.size() % 32768 - 7);
    const int type = at == 0 ? 2 : at + room == record.size() ? 4 : 3;
    const std::string content = static_cast<char>(type) + record.substr(at, room);
    const auto check = static_cast<uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
    file.append(reinterpret_cast<const char*>(&check), 4);
    file += static_cast<char>(room % 256);
    file += static_cast<char>(room / 256);
    file += content;
    at += room;
  }
  WandbFile reader(file, "x");
  WandbRecord found;
  ASSERT_TRUE(reader.next(found));
  ASSERT_EQ(found.summary.size(), 1U);
  EXPECT_EQ(found.summary[0].second.size(), 80'002U);
  EXPECT_FALSE(reader.next(found));
  EXPECT_EQ(reader.damaged(), 0U);
  file[40'000] = '?';  // in the middle fragment
  WandbFile damaged(file, "x");
  EXPECT_FALSE(damaged.next(found));
  EXPECT_GE(damaged.damaged(), 1U);
  EXPECT_THROW(WandbFile("SQLite", "x"), base::Error);
}

TEST(ImportKeys, AreMadeFitForTheRecord) {
  EXPECT_EQ(clean_key("loss (val)"), "loss _val_");
  EXPECT_EQ(clean_key("/a//b/"), "a/b");
  EXPECT_EQ(clean_key("../x"), "__/x");
  EXPECT_EQ(clean_key(""), "_");
  EXPECT_EQ(clean_path("../../etc\n"), "__/__/etc_");
  EXPECT_EQ(masked_crc32c(std::string_view("\0\0\0\0", 4)), std::rotr(0x48674BC7U, 15) + 0xA282EAD8U);
}

}  // namespace
}  // namespace slipway::track
