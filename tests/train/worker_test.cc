// The real program slipway-train on a tiny model: its output, its failures, and being killed.
#include "train/worker.h"

#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "model/folder.h"
#include "support/support.h"
#include "support/tiny_bert.h"
#include "train/launcher.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;

class Worker : public ::testing::Test {
 protected:
  Worker() {
    tests::TinyBert tiny;
    tiny.labels = {};
    tiny.pooler = false;
    tests::write_tiny_bert(folder_.path() / "base", tiny);
    base::make_dirs(folder_.path() / "data");
    write_split("train", 90, 1);
    write_split("validation", 30, 2);
    job_.base_model = folder_.path() / "base";
    job_.dataset = folder_.path() / "data";
    job_.labels = {"negative", "positive"};
    job_.options.epochs = 3;
    job_.options.batch_size = 8;
    job_.options.learning_rate = 3e-3;
    job_.options.checkpoint_every = 3;
    job_.options.logging_steps = 1;
    job_.options.threads = 2;
    job_.options.max_length = 32;
    aim("run");
  }

  void aim(const std::string& name) {
    job_.output = folder_.path() / (name + "-model");
    job_.checkpoint = folder_.path() / (name + "-state");
  }

  void write_split(const std::string& name, int rows, uint64_t seed) {
    base::Rng rng(seed);
    const std::vector<std::string> good = {"good", "great", "love"};
    const std::vector<std::string> bad = {"bad", "awful", "hate"};
    const std::vector<std::string> other = {"the", "movie", "is", "very", "plot", "film", "this", "a", "it"};
    std::string text;
    for (int i = 0; i < rows; ++i) {
      const bool positive = rng.below(2) == 1;
      std::string row;
      for (uint64_t j = rng.below(8); j > 0; --j) {
        row += other[rng.below(other.size())] + " ";
      }
      row += (positive ? good : bad)[rng.below(3)];
      text += base::dump_json({{"text", row}, {"label", positive ? "positive" : "negative"}}) + "\n";
    }
    base::write_file_atomic(folder_.path() / "data" / (name + ".jsonl"), text);
  }

  // In the program of its own, as users run it.
  TrainResult launch(const std::function<void(const Json&)>& on_event = {}) {
    return run_worker(job_, context_, on_event, worker());
  }
  // $SLIPWAY_TRAIN: the same tests for a worker of another build, say one with a PyTorch wheel.
  static fs::path worker() {
    if (const char* named = std::getenv("SLIPWAY_TRAIN")) {
      return named;
    }
    return fs::read_symlink("/proc/self/exe").parent_path().parent_path().parent_path() / "slipway-train";
  }

  std::string weights() const { return base::read_file(job_.output / "model.safetensors"); }

  std::pair<Code, std::string> failure() {
    try {
      launch();
    } catch (const base::Error& error) {
      return {error.code(), error.what()};
    }
    return {Code::kFailure, "(none)"};
  }

  base::TempDir folder_;
  base::Pool pool_{1};
  base::Log log_;
  base::SystemClock clock_;
  base::SilentProgress progress_;
  std::stop_source stop_;
  base::Context context_{pool_, log_, clock_, progress_, stop_.get_token()};
  Job job_;
};

TEST_F(Worker, TrainsAModelThatOthersCanLoad) {
  std::vector<Json> events;
  job_.options.epochs = 10;
  job_.options.dropout = 0;
  const TrainResult result = launch([&](const Json& event) { events.push_back(event); });
  EXPECT_EQ(result.steps, 120);
  EXPECT_GT(result.validation_accuracy, 0.9);
  EXPECT_GT(result.peak_rss_bytes, 1 << 20);
  EXPECT_GT(result.first_step_seconds, 0);
  const model::ModelFolder out = model::open_model_folder(job_.output);
  EXPECT_EQ(out.spec.labels, job_.labels);
  EXPECT_TRUE(model::open_float_weights(out).naming.has_head);
  EXPECT_EQ(events.front()["event"], "start");
  EXPECT_TRUE(events.front()["versions"].contains("torch"));
  EXPECT_EQ(events.back()["event"], "done");
  EXPECT_FALSE(fs::exists(job_.checkpoint / "state.safetensors"));
}

TEST_F(Worker, ReachesTheSameBitsThoughItIsKilledAgainAndAgain) {
  launch();
  const std::string expected = weights();
  aim("killed");
  const fs::path file = folder_.path() / "job.json";
  base::write_file_atomic(file, base::dump_json(job_to_json(job_)));
  int kills = 0;
  for (int lines = 3; lines < 60; lines += 9) {
    // kill -9 when the worker has said so many lines: after steps, checkpoints and validations alike.
    FILE* pipe = ::popen(
        ("'" + worker().string() + "' '" + file.string() + "' 2>/dev/null & w=$!; echo $w; wait $w").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char line[65536];
    ASSERT_NE(std::fgets(line, sizeof line, pipe), nullptr);
    const int pid = std::atoi(line);
    int seen = 0;
    while (seen < lines && std::fgets(line, sizeof line, pipe) != nullptr) {
      ++seen;
    }
    if (seen == lines) {
      ::kill(pid, SIGKILL);
      ++kills;
    }
    ::pclose(pipe);
  }
  EXPECT_GE(kills, 2);
  launch();
  EXPECT_EQ(weights(), expected);
}

TEST_F(Worker, StopsWithACheckpointWhenInterruptedAndContinues) {
  launch();
  const std::string expected = weights();
  aim("stopped");
  bool resumed = false;
  try {
    launch([&](const Json& event) {
      if (event["event"] == "step" && event["step"] == 7) {
        stop_.request_stop();
      }
    });
    // The last steps of so small a model may be done before the signal arrives.
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), Code::kInterrupted);
    EXPECT_TRUE(fs::exists(job_.checkpoint / "state.safetensors"));
    base::Context again{pool_, log_, clock_, progress_, {}};
    run_worker(
        job_, again, [&](const Json& event) { resumed |= event["event"] == "start" && event["resumed_step"] >= 7; },
        worker());
    EXPECT_TRUE(resumed);
  }
  EXPECT_EQ(weights(), expected);
}

TEST_F(Worker, TrainsFromScratch) {
  fs::remove(job_.base_model / "model.safetensors");
  job_.options.from_scratch = true;
  job_.options.epochs = 1;
  launch();
  const std::string first = weights();
  aim("again");
  launch();
  EXPECT_EQ(weights(), first);
}

TEST_F(Worker, LeavesFrozenLayersAlone) {
  job_.options.freeze_layers = 1;
  job_.options.epochs = 1;
  launch();
  const auto before = model::open_float_weights(model::open_model_folder(job_.base_model));
  const auto after = model::open_float_weights(model::open_model_folder(job_.output));
  const std::string frozen = "encoder.layer.0.output.dense.weight";
  const std::string free = "encoder.layer.1.output.dense.weight";
  EXPECT_EQ(before.file->find(before.naming.in_file(frozen))->bytes,
            after.file->find(after.naming.in_file(frozen))->bytes);
  EXPECT_NE(before.file->find(before.naming.in_file(free))->bytes, after.file->find(after.naming.in_file(free))->bytes);
}

TEST_F(Worker, SaysWhatIsWrongWithTheBaseModel) {
  const std::string bytes = base::read_file(job_.base_model / "model.safetensors");
  base::write_file_atomic(job_.base_model / "model.safetensors", std::string_view(bytes).substr(0, bytes.size() / 2));
  EXPECT_EQ(failure().first, Code::kIntegrity);
  EXPECT_NE(failure().second.find("model.safetensors"), std::string::npos);
  fs::remove(job_.base_model / "model.safetensors");
  EXPECT_EQ(failure().first, Code::kNotFound);
  job_.base_model = folder_.path() / "nowhere";
  EXPECT_NE(failure().second.find("nowhere"), std::string::npos);
}

TEST_F(Worker, SaysWhatIsWrongWithTheData) {
  job_.labels = {"negative", "postive"};
  EXPECT_EQ(failure().first, Code::kInvalid);
  EXPECT_NE(failure().second.find("train.jsonl:"), std::string::npos) << failure().second;
  job_.train_split = "trian";
  EXPECT_EQ(failure().first, Code::kNotFound);
}

TEST_F(Worker, ChecksItsSetUp) {
  const Json check = check_worker(context_, worker());
  EXPECT_TRUE(check.contains("torch"));
  EXPECT_GT(check["gflops"].get<double>(), 0);
  EXPECT_TRUE(check["warnings"].is_array());
}

}  // namespace
}  // namespace slipway::train
