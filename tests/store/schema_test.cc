#include "store/schema.h"

#include <array>

#include "base/clock.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr std::array<const char*, 1> kOld = {
    "CREATE TABLE migrations(version INTEGER PRIMARY KEY, applied_ms INTEGER NOT NULL); CREATE TABLE t(a TEXT);"
    "INSERT INTO t VALUES('kept');"};
constexpr std::array<const char*, 2> kNew = {kOld[0], "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7;"};
constexpr std::array<const char*, 2> kBroken = {kOld[0], "ALTER TABLE t ADD COLUMN c; UPDATE no_such_table SET x = 1;"};

class Schema : public ::testing::Test {
 protected:
  base::TempDir dir_;
  fs::path path_ = dir_.path() / "slipway.db";
};

TEST_F(Schema, MigratesInOneTransactionAndKeepsACopy) {
  Database database(path_, true, 1000);
  migrate(database, kOld, 10);
  EXPECT_FALSE(fs::exists(path_.string() + ".v0.backup"));
  migrate(database, kNew, 20);
  EXPECT_EQ(checked_version(database, kNew), 2);
  EXPECT_EQ(database.scalar("SELECT a || b FROM t"), "kept7");
  EXPECT_EQ(database.scalar("SELECT group_concat(version || ':' || applied_ms) FROM migrations"), "1:10,2:20");
  migrate(database, kNew, 30);  // nothing more to do
  Database copy(path_.string() + ".v1.backup", false, 1000);
  EXPECT_EQ(checked_version(copy, kOld), 1);
  EXPECT_EQ(copy.scalar("SELECT a FROM t"), "kept");
}

TEST_F(Schema, AMigrationThatFailsChangesNothing) {
  Database database(path_, true, 1000);
  migrate(database, kOld, 10);
  EXPECT_THROW(migrate(database, kBroken, 20), base::Error);
  EXPECT_EQ(checked_version(database, kOld), 1);
  EXPECT_EQ(database.scalar("SELECT count(*) FROM pragma_table_info('t')"), "1");
}

TEST_F(Schema, ANewerOneAndAnotherProgramsAreRefused) {
  {
    Database database(path_, true, 1000);
    migrate(database, kNew, 10);
    const auto error = error_of([&] { checked_version(database, kOld); });
    EXPECT_EQ(error.code(), Code::kInvalid);
    EXPECT_NE(std::string(error.what()).find("newer"), std::string::npos);
  }
  Database(path_, false, 1000).exec("PRAGMA user_version=1000");  // of ours, long from now
  EXPECT_EQ(error_of([&] { open_store(dir_.path()); }).code(), Code::kInvalid);
  Database other(dir_.path() / "other.db", true, 1000);
  other.exec("CREATE TABLE theirs(x)");
  EXPECT_EQ(error_of([&] { checked_version(other, kOld); }).code(), Code::kInvalid);
}

TEST_F(Schema, OpensInMillisecondsHoweverMuchItHolds) {
  const auto store = open_store(dir_.path());
  std::vector<record::Prediction> many(20000);
  for (size_t i = 0; i < many.size(); ++i) {
    many[i].id = "p-" + std::to_string(i);
    many[i].deployment = "d";
    many[i].time_ms = static_cast<int64_t>(i);
  }
  store->predictions().append(many);
  const double begin = base::monotonic_seconds();
  const auto again = open_store(dir_.path());
  const double opened = base::monotonic_seconds();
  EXPECT_EQ(again->predictions().list("d", 19000, 10).size(), 10U);
  const double listed = base::monotonic_seconds();
  RecordProperty("open_ms", std::to_string((opened - begin) * 1e3));
  EXPECT_LT(opened - begin, 0.5);  // 50 times what it takes: the machine may be busy
  EXPECT_LT(listed - opened, 0.5);
}

}  // namespace
}  // namespace slipway::store
