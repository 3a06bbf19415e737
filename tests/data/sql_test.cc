// Databases as sources: SQLite in a file, and a PostgreSQL that the tests start.
#include "data/sql_pull.h"

#include <csignal>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/input.h"
#include "base/libpq.h"
#include "data/helpers.h"
#include "data/sql_pages.h"
#include "store/postgres.h"
#include "support/postgres.h"

namespace slipway::data {
namespace {

using base::Code;

void run_sqlite(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << (message != nullptr ? message : "");
  sqlite3_close(db);
}

// The same tests over both: a database that statements are run on, and its address.
struct Place {
  std::string address;
  std::function<void(const std::string&)> exec;
};

class Sql : public testing::TestWithParam<const char*> {
 protected:
  // Skips the test, visibly, where there is no server to start.
  void SetUp() override {
    if (std::string_view(GetParam()) == "sqlite") {
      const std::filesystem::path file = dir_.path() / "a.db";
      place_ = {"sqlite:///" + file.string(), [file](const std::string& sql) { run_sqlite(file, sql); }};
      return;
    }
    tests::PostgresServer* server = tests::PostgresServer::shared();
    if (server == nullptr) {
      GTEST_SKIP() << "skipped: no PostgreSQL server";
    }
    const std::string url = server->fresh_schema();
    place_ = {url, [url](const std::string& sql) { store::open_postgres({.url = url})->exec(sql.c_str()); }};
  }
  void fill(int from, int to, int changed) {
    std::string sql = "INSERT INTO r VALUES ";
    for (int i = from; i < to; ++i) {
      sql += fmt::format("{}({}, 'text {} of é', '2024-01-{:02} 00:00:00')", i == from ? "" : ",", i, i, changed);
    }
    place_.exec(sql);
  }
  SqlPullOptions options() const {
    SqlPullOptions o;
    o.address = place_.address;
    o.table = "r";
    o.key = "id";
    o.out = dir_.path() / "out";
    o.compress = false;
    o.page_rows = 7;
    return o;
  }
  static SqlPullSummary pull(const SqlPullOptions& options) {
    TestContext test;
    return pull_sql(options, test.context);
  }
  std::vector<Json> rows() const {
    std::vector<Json> all;
    for (int part = 0;; ++part) {
      const auto file = dir_.path() / "out" / fmt::format("part-{:05}.jsonl", part);
      if (!base::is_file(file)) {
        return all;
      }
      base::LineReader reader(file);
      for (std::string_view line; reader.next(line);) {
        all.push_back(base::parse_json(line, file.string()));
      }
    }
  }

  base::TempDir dir_;
  Place place_;
};

constexpr const char* kTable = "CREATE TABLE r(id BIGINT PRIMARY KEY, text TEXT, changed TIMESTAMP)";

TEST_P(Sql, LaterRunsReadOnlyWhatIsNewOrChanged) {
  place_.exec(kTable);
  fill(0, 40, 1);
  SqlPullOptions with = options();
  with.cursor = "changed";
  with.licence = "CC-BY-4.0";
  EXPECT_EQ(pull(with).rows, 40);
  EXPECT_EQ(pull(with).rows, 0);
  fill(40, 45, 2);
  place_.exec("UPDATE r SET changed = '2024-01-03 00:00:00', text = 'new' WHERE id < 3");
  const SqlPullSummary third = pull(with);
  EXPECT_EQ(third.rows, 8);
  EXPECT_EQ(third.rows_before, 40);
  const std::vector<Json> all = rows();
  ASSERT_EQ(all.size(), 48U);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(all[static_cast<size_t>(i)].at("id"), i);
  }
  const Json& last = all.back();
  EXPECT_EQ(last.at("id"), 2);
  EXPECT_EQ(last.at("text"), "new");
  EXPECT_EQ(last.at("licence"), "CC-BY-4.0");
  EXPECT_EQ(last.at("time").get<std::string>().substr(0, 10), "2024-01-03");
  EXPECT_TRUE(last.at("source").get<std::string>().ends_with("#2")) << last.at("source");
  EXPECT_EQ(last.at("digest"), base::digest_of(fmt::format(R"({{"id":2,"text":"new","changed":{}}})", last.at("changed").dump())));
}

// A page ends anywhere, a shard too: no row is lost, none is there twice.
TEST_P(Sql, PagesAndShardsEndAnywhere) {
  place_.exec(kTable);
  fill(0, 100, 1);
  for (const int page : {1, 3, 99, 100, 101}) {
    SqlPullOptions with = options();
    with.out = dir_.path() / "out";
    std::filesystem::remove_all(with.out);
    with.page_rows = page;
    with.shard_bytes = 700;
    const SqlPullSummary summary = pull(with);
    EXPECT_EQ(summary.rows, 100) << page;
    EXPECT_GT(summary.shards, 5);
    const std::vector<Json> all = rows();
    ASSERT_EQ(all.size(), 100U) << page;
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(all[static_cast<size_t>(i)].at("id"), i);
    }
  }
}

// Told to die by its own progress, at a row in the middle.
struct Deadly final : base::Progress {
  void start(std::string_view, int64_t, std::string_view) override {}
  void update(int64_t done, std::string_view) override {
    if (done >= 3000) {
      ::kill(::getpid(), SIGKILL);
    }
  }
  void finish(std::string_view) override {}
};

TEST_P(Sql, AKilledRunGoesOn) {
  place_.exec(kTable);
  fill(0, 5000, 1);
  SqlPullOptions with = options();
  with.page_rows = 1000;
  with.shard_bytes = 50'000;
  const pid_t child = ::fork();
  if (child == 0) {
    TestContext test;
    Deadly deadly;
    base::Context context{test.pool, test.log, test.clock, deadly, test.stop.get_token()};
    pull_sql(with, context);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const SqlPullSummary second = pull(with);
  EXPECT_GT(second.rows_before, 0);
  EXPECT_EQ(second.rows + second.rows_before, 5000);
  const std::vector<Json> all = rows();
  ASSERT_EQ(all.size(), 5000U);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(all[static_cast<size_t>(i)].at("id"), i);
  }
}

TEST_P(Sql, WhatCannotBeIsTold) {
  place_.exec("CREATE TABLE r(id BIGINT, text TEXT, changed TIMESTAMP)");
  fill(0, 10, 1);
  const auto fails = [&](Code code, const std::function<void(SqlPullOptions&)>& change) {
    SqlPullOptions with = options();
    change(with);
    return error_of(code, [&] { pull(with); });
  };
  EXPECT_HAS(fails(Code::kNotFound, [](auto& o) { o.key = "ids"; }), "no column 'ids'");
  EXPECT_HAS(fails(Code::kNotFound, [](auto& o) { o.table = "rr"; }), "its tables: r");
  EXPECT_HAS(fails(Code::kInvalid, [](auto& o) { o.key = ""; }), "--key is missing");
  EXPECT_HAS(fails(Code::kInvalid, [](auto& o) { o.table = ""; o.query = "DELETE FROM r"; }), "");
  EXPECT_HAS(fails(Code::kInvalid, [](auto& o) { o.table = ""; o.query = "SELECT id FROM r; DELETE FROM r"; }), "");
  if (std::string_view(GetParam()) == "postgresql") {  // SQLite gives the second one another name
    EXPECT_HAS(fails(Code::kInvalid, [](auto& o) { o.table = ""; o.query = "SELECT id, text, text FROM r"; }), "AS");
  }
  place_.exec("INSERT INTO r VALUES (3, 'again', NULL), (NULL, 'none', NULL)");
  for (const int page : {2, 4, 5}) {
    EXPECT_HAS(fails(Code::kInvalid, [page](auto& o) { o.page_rows = page; }), "two rows have") << page;
    std::filesystem::remove_all(options().out);
  }
  place_.exec("DELETE FROM r WHERE text = 'again'");
  EXPECT_EQ(pull(options()).unordered, 1);
  EXPECT_EQ(rows().size(), 10U);
  EXPECT_HAS(fails(Code::kConflict, [](auto& o) { o.table = ""; o.query = "SELECT id FROM r"; }), "another query");
}

TEST_P(Sql, ARowThatIsTooLongIsToldAndTheRestRead) {
  place_.exec(kTable);
  fill(0, 3, 1);
  place_.exec("UPDATE r SET text = '" + std::string(5000, 'x') + "' WHERE id = 1");
  SqlPullOptions with = options();
  with.max_row_bytes = 1000;
  const SqlPullSummary summary = pull(with);
  EXPECT_EQ(summary.bad, 1);
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_HAS(base::read_file(with.out / "quarantine" / "part-00000.jsonl"), "#1\"");
}

TEST_P(Sql, ColumnsKeepTheirNames) {
  place_.exec("CREATE TABLE r(id TEXT PRIMARY KEY, source TEXT)");
  place_.exec("INSERT INTO r VALUES ('a', 'mine')");
  pull(options());
  EXPECT_EQ(rows().at(0).at("source"), "mine");
  EXPECT_TRUE(rows().at(0).at("_source").get<std::string>().ends_with("#a"));
}

TEST_P(Sql, IsASourceOfAProject) {
  place_.exec(kTable);
  fill(0, 25, 4);
  const ReadResult result = read_all({{"id", "db"}, {"path", place_.address}, {"table", "r"}, {"key", "id"}, {"cursor", "changed"}, {"licence", "MIT"}, {"keep", {"id"}}}, "/");
  ASSERT_EQ(result.documents.size(), 25U);
  EXPECT_EQ(result.documents[7].text, "text 7 of é");
  EXPECT_EQ(result.documents[7].meta.at("id"), "7");
  EXPECT_EQ(result.documents[7].meta.at("licence"), "MIT");
  EXPECT_TRUE(base::is_digest(result.documents[7].meta.at("digest").get<std::string>()));
  EXPECT_EQ(result.documents[7].meta.at("time").get<std::string>().substr(0, 10), "2024-01-04");
}

INSTANTIATE_TEST_SUITE_P(Both, Sql, testing::Values("sqlite", "postgresql"), [](const auto& test) { return std::string(test.param); });

TEST(SqlTypes, OfPostgresqlAreThoseOfTables) {
  tests::PostgresServer* server = tests::PostgresServer::shared();
  if (server == nullptr) {
    GTEST_SKIP() << "skipped: no PostgreSQL server";
  }
  const auto database = open_postgres(server->fresh_schema());
  const auto rows = database->select(
      "SELECT 1::bigint AS i, 0.1::real AS f, 'NaN'::float8 AS n, true AS b, 12.340::numeric AS d, '{\"a\": [1.50,\n2]}'::json AS j, "
      "'\\xff00'::bytea AS x, '\\x61'::bytea AS t, '2024-02-29 12:34:56.5+02'::timestamptz AS z, '2024-02-29'::date AS day, "
      "NULL::text AS none, ARRAY[1,2] AS list, 'a\"b'::text AS q", {});
  ASSERT_TRUE(rows->next());
  std::string line;
  append_row(*rows, line);
  EXPECT_EQ(line, R"({"i":1,"f":0.1,"n":null,"b":true,"d":"12.340","j":{"a": [1.50, 2]},"x":"/wA=","t":"a","z":"2024-02-29T10:34:56.5",)"
                  R"("day":"2024-02-29","none":null,"list":"{1,2}","q":"a\"b"})");
  EXPECT_FALSE(rows->next());
}

TEST(SqlTypes, OfSqliteKeepTheirKindsAcrossPages) {
  base::TempDir dir;
  run_sqlite(dir.path() / "a.db", "CREATE TABLE r(k); INSERT INTO r VALUES (1), (2.5), ('x'), (x'00ff'), (9007199254740993);");
  const auto database = open_sqlite((dir.path() / "a.db").string());
  std::vector<std::string> keys;
  Json position;
  for (bool more = true; more;) {  // each page by a reader of its own, from what a state file would say
    SqlPages pages(*database, {"SELECT k FROM r", "k", "", 1}, position);
    more = pages.next();
    if (more) {
      std::string line;
      append_row(pages.row(), line);
      keys.push_back(line);
      position = base::parse_json(base::dump_json(pages.position()), "state");
    }
  }
  EXPECT_EQ(keys, (std::vector<std::string>{R"({"k":1})", R"({"k":2.5})", R"({"k":9007199254740993})", R"({"k":"x"})", R"({"k":"AP8="})"}));
}

TEST(SqlAddress, PasswordsAreNotShown) {
  SqlPullOptions with;
  with.address = "postgres://me:s3cret@127.0.0.1:1/d";
  with.table = "t";
  with.key = "id";
  base::TempDir dir;
  with.out = dir.path() / "out";
  TestContext test;
  const std::string message = error_of(Code::kUnavailable, [&] { pull_sql(with, test.context); });
  EXPECT_HAS(message, "postgresql://me@127.0.0.1:1/d");
  EXPECT_EQ(message.find("s3cret"), std::string::npos) << message;
  const std::string refused = error_of(Code::kInvalid, [&] {
    parse_source_options({{"id", "a"}, {"path", with.address}, {"key", "id"}}, "f");
  });
  EXPECT_HAS(refused, "PGPASSWORD");
  EXPECT_EQ(refused.find("s3cret"), std::string::npos);
  EXPECT_HAS(error_of(Code::kInvalid, [&] { parse_source_options({{"id", "a"}, {"path", "postgres://me@h/d"}}, "f"); }), "needs 'key'");
}

TEST(SqlAddress, SqliteIsWrittenAsSqlalchemyDoes) {
  EXPECT_EQ(sqlite_path("sqlite:///a/b.db"), "a/b.db");
  EXPECT_EQ(sqlite_path("sqlite:////a/b.db"), "/a/b.db");
  EXPECT_EQ(sqlite_path("sqlite://b.db"), "b.db");
  EXPECT_EQ(sqlite_path("a.db"), "a.db");
}

}  // namespace
}  // namespace slipway::data
