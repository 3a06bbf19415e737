// slipway data sql: the rows of a database's query as JSON Lines, what is new with every run.
#include <chrono>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "data/sql_pull.h"

namespace slipway::cli {
namespace {

class DataSqlCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data sql", "rows of SQLite or PostgreSQL as JSON Lines, and later what is new",
            "Reads a table or one SELECT in the order of --key, page by page (WHERE key > the last LIMIT n), and writes a row a\n"
            "line to OUT as shards, with source, digest, time and licence. The next run reads what is new only; with\n"
            "--cursor (the time of the last change, a counter) also what was changed: rows behind the last (cursor, key). A run\n"
            "that was killed goes on behind its last shard. Nothing is ever written to the database. Passwords are given in\n"
            "PGPASSWORD or a password file, and never shown. Rows that are too long are told in OUT/quarantine.",
            "slipway data sql postgres://me@db.example/shop --query 'SELECT id, body AS text, changed FROM reviews' --key id --cursor changed --out reviews\n"
            "slipway data sql sqlite:///forum.db --table posts --key id --out posts"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("DATABASE", options_.address, "postgres://USER@HOST:PORT/DATABASE, sqlite:///FILE or the path of one");
    auto& flags = parameters.flags;
    flags.add("out", out_, "folder for the shards");
    flags.add("query", options_.query, "one SELECT");
    flags.add("table", options_.table, "in place of a query: all of a table");
    flags.add("key", options_.key, "column whose values are unique");
    flags.add("cursor", options_.cursor, "column that only grows as rows are added or changed");
    flags.add("licence", options_.licence, "written into each row");
    flags.add("page_rows", options_.page_rows, "rows of one SELECT", {1, 1e9});
    flags.add("format", format_, "of the shards", {"jsonl.zst", "jsonl"});
    flags.add("shard_size", shard_size_, "of lines in a shard");
    flags.add("max_row", max_row_, "longer rows are quarantined");
  }
  int run(App& app) override {
    if (out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--out is missing: the folder for the rows");
    }
    if (!options_.query.empty() && !options_.table.empty()) {
      throw base::Error(base::Code::kInvalid, "--query and --table exclude each other");
    }
    options_.out = out_;
    options_.compress = format_ == "jsonl.zst";
    options_.shard_bytes = parse_byte_size(shard_size_, "shard-size");
    options_.max_row_bytes = parse_byte_size(max_row_, "max-row");
    base::Context context = app.context();
    const auto begin = std::chrono::steady_clock::now();
    const data::SqlPullSummary summary = data::pull_sql(options_, context);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (app.json()) {
      base::Json json = summary.to_json();
      json["seconds"] = seconds;
      app.print_json(json);
      return 0;
    }
    fmt::print(app.out(), "{} rows in {} shards, {:.1f} s; {} before\n", human_count(summary.rows, ""), summary.shards, seconds,
               human_count(summary.rows_before, ""));
    if (summary.bad > 0) {
      fmt::print(app.out(), "{} rows were too long: {}/quarantine says which\n", summary.bad, out_);
    }
    if (summary.unordered > 0) {
      fmt::print(app.out(), "{} rows were not read: their key or cursor is NULL\n", summary.unordered);
    }
    return 0;
  }

 private:
  data::SqlPullOptions options_;
  std::string out_;
  std::string format_ = "jsonl.zst";
  std::string shard_size_ = "32MiB";
  std::string max_row_ = "16MiB";
};

}  // namespace

std::unique_ptr<Command> make_data_sql() { return std::make_unique<DataSqlCommand>(); }

}  // namespace slipway::cli
