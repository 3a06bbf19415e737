// A page of runs: the same from SQLite, which is asked run by run, and from a server, which is asked a few times for all of them.
#include "store/run_reader.h"

#include <cmath>
#include <gtest/gtest.h>
#include <utility>

#include "base/file.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace slipway::store {
namespace {

// Counts how often a statement is run.
class CountingCursor final : public Cursor {
 public:
  CountingCursor(std::unique_ptr<Cursor> cursor, int& runs) : cursor_(std::move(cursor)), runs_(runs) {}
  void reset() noexcept override {
    begun_ = false;
    cursor_->reset();
  }
  void bind(int index, const Bound& value) override { cursor_->bind(index, value); }
  bool step() override {
    runs_ += std::exchange(begun_, true) ? 0 : 1;
    return cursor_->step();
  }
  void run() override {
    ++runs_;
    cursor_->run();
  }
  bool is_null(int column) const override { return cursor_->is_null(column); }
  int64_t integer(int column) const override { return cursor_->integer(column); }
  double real(int column) const override { return cursor_->real(column); }
  std::string text(int column) const override { return cursor_->text(column); }

 private:
  std::unique_ptr<Cursor> cursor_;
  int& runs_;
  bool begun_ = false;
};

// SQLite behind it; a Database without a path takes it for a server.
class CountingConnection final : public Connection {
 public:
  CountingConnection(std::unique_ptr<Connection> connection, int& runs) : connection_(std::move(connection)), runs_(runs) {}
  std::unique_ptr<Cursor> compile(std::string_view sql, bool once) override {
    return std::make_unique<CountingCursor>(connection_->compile(sql, once), runs_);
  }
  void exec(const char* sql) override { connection_->exec(sql); }
  int64_t changes() override { return connection_->changes(); }
  int64_t last_insert_id() override { return connection_->last_insert_id(); }
  void begin(Access access) override { connection_->begin(access); }
  void commit() override { connection_->commit(); }
  bool in_transaction() const override { return connection_->in_transaction(); }
  void settle() override { connection_->settle(); }
  void sync() noexcept override { connection_->sync(); }
  bool usable() noexcept override { return connection_->usable(); }

 private:
  std::unique_ptr<Connection> connection_;
  int& runs_;
};

TEST(RunReader, AsksAServerAFewTimesHoweverManyRunsThereAre) {
  const base::TempDir dir;
  const auto store = open_store(dir.path());
  auto& runs = store->tracking().runs();
  std::vector<int64_t> numbers;
  for (int i = 0; i < 40; ++i) {
    record::TrackedRun run;
    run.id = std::string(31, 'a') + static_cast<char>('0' + i);
    run.name = i % 3 == 0 ? "" : "run " + std::to_string(i);
    run.tags = {{"z", "1"}, {"b", std::to_string(i)}};
    runs.create(run);
    record::RunBatch batch;
    for (int k = 0; k < i % 5; ++k) {
      batch.metrics.push_back({"m" + std::to_string(9 - k), k == 2 ? std::nan("") : i + k, i, 1});
      batch.params.push_back({"p" + std::to_string(9 - k), std::to_string(i * k)});
    }
    runs.log(run.id, batch);
    if (i % 4 == 1) {
      runs.add_inputs(run.id, {{{{"d", "x", "local", "{}", "schema", std::nullopt}, {{"k", "v"}}}}, {{"m-1", 0}}, {{"m-2", i}}});
    }
    numbers.insert(numbers.begin(), i + 1);  // another order than that of the rows
  }
  Database file(dir.path() / "slipway.db", false, 1000);
  int asked = 0;
  Database server(std::make_unique<CountingConnection>(open_sqlite(dir.path() / "slipway.db", false, 1000), asked), "a server");
  const auto few = read_runs(server, std::span(numbers).first(2));
  EXPECT_EQ(few.size(), 2U);
  const int times = std::exchange(asked, 0);
  EXPECT_LE(times, 6);
  const auto all = read_runs(server, numbers);
  EXPECT_EQ(asked, times);
  const auto one_by_one = read_runs(file, numbers);
  ASSERT_EQ(all.size(), one_by_one.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const record::TrackedRun& a = all[i];
    const record::TrackedRun& b = one_by_one[i];
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.artifact_uri, b.artifact_uri);
    EXPECT_EQ(a.params, b.params);
    EXPECT_EQ(a.tags, b.tags);
    ASSERT_EQ(a.metrics.size(), b.metrics.size());
    for (size_t m = 0; m < a.metrics.size(); ++m) {
      EXPECT_EQ(a.metrics[m].key, b.metrics[m].key);
      EXPECT_EQ(std::isnan(a.metrics[m].value), std::isnan(b.metrics[m].value));
    }
    EXPECT_EQ(a.datasets.size(), b.datasets.size());
    EXPECT_EQ(a.model_inputs.size(), b.model_inputs.size());
    EXPECT_EQ(a.model_outputs.size(), b.model_outputs.size());
  }
  EXPECT_EQ(all.back().id, std::string(31, 'a') + '0');
  EXPECT_TRUE(read_runs(server, {}).empty());
  const int64_t missing = 1000;
  EXPECT_THROW(read_runs(server, {&missing, 1}), base::Error);
}

}  // namespace
}  // namespace slipway::store
