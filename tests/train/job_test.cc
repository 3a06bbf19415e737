#include "train/job.h"

#include "base/error.h"
#include "base/file.h"
#include "support/support.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Json;

Json good() {
  return {{"base_model", "m"}, {"dataset", "d"},    {"labels", {"negative", "positive"}},
          {"output", "o"},     {"checkpoint", "c"}, {"options", {{"epochs", 1}}}};
}

std::string failure(const Json& json) {
  try {
    job_from_json(json, "job.json");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
  return "";
}

TEST(Job, IsReadAndWritten) {
  const Job job = job_from_json(good(), "job.json");
  EXPECT_EQ(job.options.epochs, 1);
  EXPECT_EQ(job.labels.size(), 2U);
  EXPECT_EQ(job.validation_split, "validation");
  EXPECT_EQ(job_to_json(job_from_json(job_to_json(job), "again")), job_to_json(job));
}

TEST(Job, NamesTheFieldThatIsWrong) {
  for (const char* key : {"base_model", "dataset", "labels", "output", "checkpoint"}) {
    Json json = good();
    json.erase(key);
    EXPECT_NE(failure(json).find(key), std::string::npos) << key;
  }
  Json json = good();
  json["label"] = "x";
  EXPECT_NE(failure(json).find("labels"), std::string::npos);
  json = good();
  json["options"]["epochs"] = "many";
  EXPECT_NE(failure(json).find("epochs"), std::string::npos);
  json = good();
  json["version"] = 99;
  EXPECT_NE(failure(json).find("99"), std::string::npos);
  EXPECT_NE(failure(Json::array()), "");
}

TEST(Job, RefusesLabelsThatCannotBe) {
  Json json = good();
  json["labels"] = {"only"};
  EXPECT_NE(failure(json).find("at least 2"), std::string::npos);
  json["labels"] = {"a", "b", "a"};
  EXPECT_NE(failure(json).find("'a' twice"), std::string::npos);
}

TEST(Job, RefusesToWriteOverItsInput) {
  Json json = good();
  json["output"] = "m";
  EXPECT_NE(failure(json).find("output"), std::string::npos);
}

class Fingerprint : public ::testing::Test {
 protected:
  Fingerprint() {
    base::make_dirs(folder_.path() / "m");
    base::make_dirs(folder_.path() / "d");
    base::write_file_atomic(folder_.path() / "m" / "config.json", "{}");
    base::write_file_atomic(folder_.path() / "m" / "model.safetensors", "weights");
    base::write_file_atomic(folder_.path() / "d" / "train.jsonl", "{}\n");
    base::write_file_atomic(folder_.path() / "d" / "validation.jsonl", "{}\n");
    job_ = job_from_json(good(), "job");
    job_.base_model = folder_.path() / "m";
    job_.dataset = folder_.path() / "d";
  }
  base::TempDir folder_;
  Job job_;
};

TEST_F(Fingerprint, DoesNotDependOnPlacesThreadsAndCadence) {
  const std::string before = job_fingerprint(job_);
  job_.output = "elsewhere";
  job_.checkpoint = "elsewhere too";
  job_.options.threads = 7;
  job_.options.logging_steps = 1;
  job_.options.checkpoint_every = 1;
  EXPECT_EQ(job_fingerprint(job_), before);
}

TEST_F(Fingerprint, DependsOnOptionsLabelsAndContents) {
  const std::string before = job_fingerprint(job_);
  Job other = job_;
  other.options.seed += 1;
  EXPECT_NE(job_fingerprint(other), before);
  other = job_;
  other.labels = {"positive", "negative"};
  EXPECT_NE(job_fingerprint(other), before);
  base::write_file_atomic(folder_.path() / "d" / "train.jsonl", "{ }\n");
  EXPECT_NE(job_fingerprint(job_), before);
  base::write_file_atomic(folder_.path() / "d" / "train.jsonl", "{}\n");
  EXPECT_EQ(job_fingerprint(job_), before);
  base::write_file_atomic(folder_.path() / "m" / "model.safetensors", "other weights");
  EXPECT_NE(job_fingerprint(job_), before);
}

}  // namespace
}  // namespace slipway::train
