#include "data/sql_pull.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/document.h"
#include "data/sql_pages.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr int kFormat = 1;                // stored
constexpr int64_t kProgressRows = 1024;

class Pull {
 public:
  Pull(const SqlPullOptions& options, base::Context& context)
      : options_(options), context_(context), database_(open_sql(options.address)),
        select_(select_of(*database_, options.table, options.query)), state_file_(options.out / ".state.json") {
    base::make_dirs(options.out);
    base::remove_temporaries(options.out);
    run_ = {{"format", kFormat},          {"database", database_->name()}, {"select", select_}, {"key", options.key},
            {"cursor", options.cursor},   {"licence", options.licence},    {"compress", options.compress}};
    read_state();
  }

  SqlPullSummary run() {
    SqlPages pages(*database_, {select_, options_.key, options_.cursor, options_.page_rows}, summary_.position);
    context_.progress.start("sql", 0, "rows");
    if (summary_.position.is_null()) {
      summary_.unordered = pages.unordered();
    }
    while (pages.next()) {
      take(pages);
      if (++summary_.rows % kProgressRows == 0) {
        base::check_stop(context_, "reading the database");
        context_.progress.update(summary_.rows, database_->name());
      }
      if (lines_.size() >= options_.shard_bytes) {
        flush();
      }
    }
    if (!lines_.empty() || !faults_.empty()) {
      flush();
    }
    context_.progress.finish(fmt::format("{} rows", summary_.rows));
    return summary_;
  }

 private:
  void take(const SqlPages& pages) {
    const SqlRows& row = pages.row();
    summary_.position = pages.position();
    const auto& columns = row.columns();
    const auto place = [&](const std::string& name) { return static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin()); };
    const bool too_long = row.bytes() > options_.max_row_bytes;
    row_.clear();
    if (!too_long) {
      append_row(row, row_);  // before text(), which may turn a number of SQLite's into a text
    }
    const std::string where = fmt::format("{}#{}", database_->name(), row.text(place(options_.key)));
    if (too_long) {
      ++summary_.bad;
      faults_ += base::dump_json({{"source", where}, {"reason", "row_too_long"}, {"bytes", row.bytes()}}) + "\n";
      return;
    }
    const std::string time = row_time(options_.cursor.empty() ? "" : row.text(place(options_.cursor)), base::iso8601(context_.clock.unix_ms()));
    const std::string digest = base::digest_of(row_);
    lines_.append(row_, 0, row_.size() - 1);
    const auto member = [&](std::string name, std::string_view value) {
      while (std::find(columns.begin(), columns.end(), name) != columns.end()) {
        name.insert(0, "_");  // the column keeps its name
      }
      lines_ += ',';
      append_json_string(name, lines_);
      lines_ += ':';
      append_json_string(value, lines_);
    };
    member("source", where);
    member("digest", digest);
    member("time", time);
    if (!options_.licence.empty()) {
      member("licence", options_.licence);
    }
    lines_ += "}\n";
  }

  // The shard first, then the state that counts it: a shard that no state counts is written again by the next run.
  void flush() {
    const std::string name = fmt::format("part-{:05}.jsonl{}", parts_, options_.compress ? ".zst" : "");
    const auto write = [&](const fs::path& folder, const std::string& lines) {
      base::write_file_atomic(folder / name, options_.compress ? base::zstd_compress(lines) : lines);
    };
    if (!faults_.empty()) {
      base::make_dirs(options_.out / "quarantine");
      write(options_.out / "quarantine", faults_);
    }
    write(options_.out, lines_);
    ++parts_;
    ++summary_.shards;
    const int64_t rows = summary_.rows_before + summary_.rows;
    base::write_file_atomic(state_file_, base::dump_json({{"run", run_}, {"parts", parts_}, {"rows", rows}, {"position", summary_.position}}) + "\n");
    lines_.clear();
    faults_.clear();
  }

  void read_state() {
    if (!base::is_file(state_file_)) {
      return;
    }
    const std::string where = state_file_.string();
    const Json state = base::parse_json(base::read_file(state_file_), where);
    if (base::get<Json>(state, "run", where) != run_) {
      throw Error(Code::kConflict, fmt::format("'{}' holds rows of another query, key or database; choose another --out or remove it",
                                               options_.out.string()));
    }
    parts_ = base::get<int64_t>(state, "parts", where);
    summary_.rows_before = base::get<int64_t>(state, "rows", where);
    summary_.position = base::get<Json>(state, "position", where);
  }

  const SqlPullOptions& options_;
  base::Context& context_;
  const std::unique_ptr<SqlDatabase> database_;
  const std::string select_;
  const fs::path state_file_;
  Json run_;
  SqlPullSummary summary_;
  int64_t parts_ = 0;
  std::string row_;
  std::string lines_;
  std::string faults_;
};

}  // namespace

std::string row_time(std::string_view cursor, std::string_view now) {
  const bool date = cursor.size() >= 10 && cursor[4] == '-' && cursor[7] == '-' && cursor.substr(0, 4).find_first_not_of("0123456789") == std::string_view::npos;
  return std::string(date ? cursor : now);
}

Json SqlPullSummary::to_json() const {
  return {{"rows", rows}, {"bad", bad}, {"unordered", unordered}, {"shards", shards}, {"rows_before", rows_before}, {"position", position}};
}

SqlPullSummary pull_sql(const SqlPullOptions& options, base::Context& context) {
  if (options.key.empty()) {
    throw Error(Code::kInvalid, "--key is missing: a column whose values are unique, by which the rows are ordered");
  }
  return Pull(options, context).run();
}

}  // namespace slipway::data
