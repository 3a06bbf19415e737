#include "train/trainer.h"

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "support/support.h"
#include "train/toy_learner.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Json;
using tests::ToyLearner;

constexpr int kVocab = 40;

// Everything a run of the toy needs, in a folder of its own.
struct Toy {
  Toy() {
    options.epochs = 3;
    options.batch_size = 8;
    options.learning_rate = 0.05;
    options.checkpoint_every = 2;
    options.logging_steps = 5;
    options.seed = 4;
  }

  Outcome run(const std::function<void(const Json&)>& on_event = {}) {
    TrainerInputs inputs = {options, train, with_validation ? &validation : nullptr, folder.path(), "fp", {}, {}};
    inputs.files.write = [&](const fs::path& path) { saved[path.filename().string()] = values(); };
    inputs.files.read = [&](const fs::path& path) {
      const std::vector<float>& from = saved.at(path.filename().string());
      size_t at = 0;
      for (int i = 0; i < learner->parameters().size(); ++i) {
        for (float& value : learner->parameters()[i].value) {
          value = from[at++];
        }
      }
    };
    inputs.event = [&](const Json& event) {
      events.push_back(event);
      if (on_event) {
        on_event(event);
      }
    };
    base::Context context = {pool, log, clock, progress, stop.get_token()};
    Trainer trainer(*learner, inputs, context);
    return trainer.run();
  }

  // As after a kill: the process's memory is gone, the folder stays.
  void forget() {
    learner = std::make_unique<ToyLearner>(kVocab, 6, 2, 1);
    stop = std::stop_source();
    events.clear();
  }

  std::vector<float> values() {
    std::vector<float> all;
    for (int i = 0; i < learner->parameters().size(); ++i) {
      const auto value = learner->parameters()[i].value;
      all.insert(all.end(), value.begin(), value.end());
    }
    return all;
  }

  int count(const char* kind) const {
    return static_cast<int>(
        std::count_if(events.begin(), events.end(), [&](const Json& e) { return e["event"] == kind; }));
  }

  TrainOptions options;
  EncodedSplit train = tests::toy_split(100, kVocab, 1);
  EncodedSplit validation = tests::toy_split(40, kVocab, 2);
  bool with_validation = true;
  std::unique_ptr<ToyLearner> learner = std::make_unique<ToyLearner>(kVocab, 6, 2, 1);
  std::map<std::string, std::vector<float>> saved;
  std::vector<Json> events;
  base::TempDir folder;
  base::Pool pool{2};
  base::Log log;
  base::SystemClock clock;
  base::SilentProgress progress;
  std::stop_source stop;
};

TEST(Trainer, LearnsAndTellsWhatItDoes) {
  Toy toy;
  const Outcome outcome = toy.run();
  EXPECT_EQ(outcome.steps, 39);
  EXPECT_GT(outcome.kept.accuracy, 0.9);
  EXPECT_EQ(toy.count("start"), 1);
  EXPECT_EQ(toy.count("step"), 1 + 7 + 1);  // the first, every fifth, the last
  EXPECT_EQ(toy.count("validation"), 3);
  EXPECT_GT(toy.count("checkpoint"), 3);
  EXPECT_EQ(toy.events[0]["steps"], 39);
  EXPECT_EQ(toy.learner->seeds.size(), 39U);
}

TEST(Trainer, ReachesTheSameBitsWhereverItIsKilled) {
  Toy whole;
  whole.run();
  const std::vector<float> expected = whole.values();
  // Killed at the n-th event, whatever it is: nothing is written on the way out, as with kill -9.
  struct Killed {};
  for (int kill_at = 1; kill_at < static_cast<int>(whole.events.size()); kill_at += 3) {
    Toy toy;
    int seen = 0;
    bool killed = false;
    try {
      toy.run([&](const Json&) {
        if (++seen == kill_at) {
          throw Killed();
        }
      });
    } catch (const Killed&) {
      killed = true;
    }
    ASSERT_TRUE(killed);
    toy.forget();
    toy.run();
    ASSERT_EQ(toy.values(), expected) << "killed at event " << kill_at << ": "
                                      << whole.events[static_cast<size_t>(kill_at) - 1];
  }
}

TEST(Trainer, WritesACheckpointWhenAskedToStopAndContinuesExactly) {
  Toy whole;
  const Outcome expected = whole.run();
  Toy toy;
  toy.options.checkpoint_every = 0;
  try {
    toy.run([&](const Json& event) {
      if (event["event"] == "step" && event["step"] == 20) {
        toy.stop.request_stop();
      }
    });
    FAIL() << "it did not stop";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInterrupted);
    EXPECT_NE(std::string(error.what()).find("step 20 of 39"), std::string::npos) << error.what();
  }
  toy.forget();
  const Outcome outcome = toy.run();
  EXPECT_EQ(toy.events[0]["resumed_step"], 20);
  EXPECT_EQ(toy.values(), whole.values());
  EXPECT_EQ(outcome.train_loss, expected.train_loss);
  EXPECT_EQ(outcome.kept.accuracy, expected.kept.accuracy);
}

TEST(Trainer, KeepsTheBestEpochAndStopsEarly) {
  Toy toy;
  toy.options.epochs = 50;
  toy.options.learning_rate = 0.5;  // at its best soon
  toy.options.early_stopping_patience = 2;
  const Outcome outcome = toy.run();
  EXPECT_LT(toy.count("validation"), 50);
  double best = -1;
  int best_epoch = 0;
  for (const Json& event : toy.events) {
    if (event["event"] == "validation" && event["accuracy"] > best) {
      best = event["accuracy"];
      best_epoch = event["epoch"];
    }
  }
  EXPECT_EQ(outcome.kept.accuracy, best);
  EXPECT_EQ(outcome.kept.epoch, best_epoch);
  EXPECT_EQ(toy.values(), toy.saved.at("best-" + std::to_string(best_epoch) + ".safetensors"));
}

TEST(Trainer, EndsAtMaxSteps) {
  Toy toy;
  toy.options.max_steps = 5;
  const Outcome outcome = toy.run();
  EXPECT_EQ(outcome.steps, 5);
  EXPECT_EQ(toy.count("validation"), 1);
}

TEST(Trainer, WorksWithoutValidation) {
  Toy toy;
  toy.with_validation = false;
  const Outcome outcome = toy.run();
  EXPECT_FALSE(outcome.has_validation);
  EXPECT_EQ(outcome.kept.epoch, 3);
  EXPECT_TRUE(toy.saved.empty());
}

TEST(Trainer, NamesTheStepOfALossThatIsNotFinite) {
  Toy toy;
  toy.learner->fail_at_step = 16;
  try {
    toy.run();
    FAIL() << "it went on";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kFailure);
    EXPECT_NE(std::string(error.what()).find("nan at step 16 (epoch 2, batch 3"), std::string::npos) << error.what();
  }
}

TEST(Trainer, RefusesTheCheckpointOfAnotherJob) {
  Toy toy;
  toy.options.max_steps = 3;
  toy.run();
  toy.forget();
  AdamW optimizer(toy.learner->parameters(), {}, toy.pool);
  try {
    load_checkpoint(toy.folder.path(), toy.learner->parameters(), optimizer, "another");
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kConflict);
  }
}

TEST(Checkpoint, RefusesDamageAndChangesNothing) {
  Toy toy;
  toy.options.max_steps = 3;
  toy.run();
  const fs::path file = toy.folder.path() / "state.safetensors";
  const std::string bytes = base::read_file(file);
  base::write_file_atomic(file, std::string_view(bytes).substr(0, bytes.size() / 2));
  toy.forget();
  const std::vector<float> before = toy.values();
  AdamW optimizer(toy.learner->parameters(), {}, toy.pool);
  EXPECT_THROW(load_checkpoint(toy.folder.path(), toy.learner->parameters(), optimizer, "fp"), base::Error);
  EXPECT_EQ(toy.values(), before);
}

TEST(Checkpoint, IsLockedByOneRunAtATime) {
  base::TempDir folder;
  const CheckpointLock lock(folder.path(), 0);
  try {
    const CheckpointLock second(folder.path(), 0);
    FAIL() << "two runs share a checkpoint";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kConflict);
  }
}

TEST(Checkpoint, RemovesOnlyItsOwnFiles) {
  Toy toy;
  toy.options.max_steps = 3;
  toy.run();
  base::write_file_atomic(toy.folder.path() / "note.txt", "mine");
  base::write_file_atomic(best_weights_path(toy.folder.path(), 1), "weights");
  remove_checkpoint(toy.folder.path());
  EXPECT_TRUE(fs::exists(toy.folder.path() / "note.txt"));
  EXPECT_FALSE(fs::exists(best_weights_path(toy.folder.path(), 1)));
  EXPECT_FALSE(fs::exists(toy.folder.path() / "state.safetensors"));
}

}  // namespace
}  // namespace slipway::train
