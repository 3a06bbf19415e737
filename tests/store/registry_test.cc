#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using Registry = StoreTest;

TEST_F(Registry, NumbersVersionsAndKeepsAllFields) {
  const auto model = store_->artifacts().put_bytes("weights", "model", "model", {});
  record::ModelVersion made = version("sentiment");
  made.run_id = "r1";
  made.dataset = "sha256:" + std::string(64, 'd');
  made.artifacts = {{"model", model.digest}};
  made.metrics = {{"accuracy", {{"value", 0.9}, {"low", 0.88}, {"high", 0.92}, {"n", 1000}}}};
  made.meta = {{"labels", {"negative", "positive"}}};
  const auto first = store_->registry().create_version(made);
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(first.created_ms, 1'000'000);
  EXPECT_EQ(store_->registry().create_version(made).version, 2);
  EXPECT_EQ(store_->registry().create_version(version("other")).version, 1);
  reopen();
  EXPECT_EQ(record::to_json(store_->registry().find_version("sentiment", 1).value()), record::to_json(first));
  EXPECT_FALSE(store_->registry().find_version("sentiment", 3));
  const auto list = store_->registry().list_versions("sentiment");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].version, 2);
  EXPECT_EQ(store_->registry().list_versions("").size(), 3U);
}

TEST_F(Registry, RefusesNamesThatReferencesCannotHoldAndUnknownArtifacts) {
  for (const char* name : {"", "a/b", "a@b", "new\nline"}) {
    EXPECT_EQ(error_of([&] { store_->registry().create_version(version(name)); }).code(), Code::kInvalid) << name;
  }
  record::ModelVersion dangling = version("m");
  dangling.artifacts = {{"model", "sha256:" + std::string(64, '0')}};
  EXPECT_EQ(error_of([&] { store_->registry().create_version(dangling); }).code(), Code::kNotFound);
  record::ModelVersion odd = version("m");
  odd.dataset = "../../etc/passwd";
  EXPECT_EQ(error_of([&] { store_->registry().create_version(odd); }).code(), Code::kInvalid);
}

TEST_F(Registry, AliasMovesAtomicallyAndKeepsHistory) {
  auto& registry = store_->registry();
  registry.create_version(version("m"));
  registry.create_version(version("m"));
  registry.set_alias("m", "champion", 1, 0);
  clock_.advance(1);
  registry.set_alias("m", "champion", 2, 1);
  clock_.advance(1);
  const auto stale = error_of([&] { registry.set_alias("m", "champion", 1, 1); });
  EXPECT_EQ(stale.code(), Code::kConflict);
  EXPECT_NE(std::string(stale.what()).find("version 2"), std::string::npos);
  registry.set_alias("m", "champion", 1, -1);
  EXPECT_EQ(registry.find_alias("m", "champion")->version, 1);
  EXPECT_FALSE(registry.find_alias("m", "shadow"));
  const auto history = registry.alias_history("m", "champion");
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[0].version, 1);
  EXPECT_EQ(history[1].version, 2);
  EXPECT_EQ(history[2].changed_ms, 1'000'000);
  EXPECT_EQ(error_of([&] { registry.set_alias("m", "champion", 9, -1); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { registry.set_alias("m", "a@b", 1, -1); }).code(), Code::kInvalid);
}

TEST_F(Registry, ResolvesReferencesAndSaysWhatThereIs) {
  auto& registry = store_->registry();
  const auto message = [&](const std::string& reference) {
    return std::string(error_of([&] { registry.resolve(reference); }).what());
  };
  EXPECT_NE(message("models:/m/1").find("none is registered yet"), std::string::npos);
  registry.create_version(version("sentiment"));
  registry.create_version(version("sentiment"));
  EXPECT_NE(message("models:/sentiment@champion").find("newest version is 2"), std::string::npos);
  registry.set_alias("sentiment", "champion", 2, -1);
  EXPECT_EQ(registry.resolve("models:/sentiment@champion").version, 2);
  EXPECT_EQ(registry.resolve("models:/sentiment/1").version, 1);
  EXPECT_NE(message("models:/sentiment/7").find("has no version 7; it has 2, 1"), std::string::npos);
  EXPECT_NE(message("models:/sentimnet/1").find("did you mean 'sentiment'"), std::string::npos);
  EXPECT_NE(message("models:/sentiment@champoin").find("did you mean 'champion'"), std::string::npos);
  EXPECT_EQ(error_of([&] { registry.resolve("sentiment"); }).code(), Code::kInvalid);
}

}  // namespace
}  // namespace slipway::store
