#include "train/options.h"

#include "base/error.h"
#include "support/support.h"

namespace slipway::train {
namespace {

using base::Json;

std::string failure(const Json& object) {
  try {
    options_from_json(object, "slipway.yaml: train");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
  return "";
}

TEST(TrainOptions, AreReadFromJsonOverTheDefaults) {
  const TrainOptions options =
      options_from_json({{"epochs", 3}, {"learning_rate", 3e-5}, {"scheduler", "cosine"}}, "t");
  EXPECT_EQ(options.epochs, 3);
  EXPECT_DOUBLE_EQ(options.learning_rate, 3e-5);
  EXPECT_EQ(options.scheduler, "cosine");
  EXPECT_EQ(options.batch_size, TrainOptions().batch_size);
}

TEST(TrainOptions, SurviveARoundTrip) {
  TrainOptions options;
  options.seed = 9007199254740991ULL;
  options.freeze_layers = 2;
  options.max_grad_norm = 0.5;
  options.group_by_length = false;
  EXPECT_EQ(options_to_json(options_from_json(options_to_json(options), "t")), options_to_json(options));
}

TEST(TrainOptions, NameTheNearestKeyOfAnUnknownOne) {
  EXPECT_NE(failure({{"epocs", 3}}).find("epochs"), std::string::npos);
  EXPECT_NE(failure({{"epocs", 3}}).find("slipway.yaml: train"), std::string::npos);
}

TEST(TrainOptions, RefuseWhatIsOutOfRangeOrOfTheWrongType) {
  EXPECT_NE(failure({{"epochs", 0}}), "");
  EXPECT_NE(failure({{"batch_size", 2.5}}), "");
  EXPECT_NE(failure({{"learning_rate", -1}}), "");
  EXPECT_NE(failure({{"warmup_ratio", 1.5}}), "");
  EXPECT_NE(failure({{"scheduler", "linaer"}}).find("linear"), std::string::npos);
  EXPECT_NE(failure({{"objective", "regression"}}), "");
}

TEST(TrainOptions, RefuseADropoutThatIsNeitherDefaultNorAProbability) {
  EXPECT_NE(failure({{"dropout", -0.5}}).find("dropout"), std::string::npos);
  EXPECT_EQ(failure({{"dropout", -1}}), "");
  EXPECT_EQ(failure({{"dropout", 0}}), "");
}

TEST(TrainOptions, RefuseFreezingRandomWeights) {
  EXPECT_NE(failure({{"from_scratch", true}, {"freeze_layers", 1}}).find("from_scratch"), std::string::npos);
}

}  // namespace
}  // namespace slipway::train
