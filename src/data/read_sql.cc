// Tables and queries of databases as rows of a source.
#include <memory>
#include <optional>

#include "data/rows.h"
#include "data/sql_pages.h"
#include "data/sql_pull.h"

namespace slipway::data {
namespace {

// With a key page by page in its order, else as the database gives them.
class Reading {
 public:
  Reading(SqlDatabase& database, const SourceOptions& options) {
    const std::string select = select_of(database, options.table, options.query);
    if (options.key.empty()) {
      rows_ = database.select(select, {});
    } else {
      pages_ = std::make_unique<SqlPages>(database, SqlQuery{select, options.key, options.cursor}, nullptr);
    }
  }
  bool next() { return pages_ != nullptr ? pages_->next() : rows_->next(); }
  const SqlRows& row() const { return pages_ != nullptr ? pages_->row() : *rows_; }

 private:
  std::unique_ptr<SqlPages> pages_;
  std::unique_ptr<SqlRows> rows_;
};

struct Columns {
  size_t text;
  size_t label = SIZE_MAX;  // none
  size_t cursor = SIZE_MAX;
  std::vector<size_t> keep;

  Columns(const SourceOptions& options, const std::vector<std::string>& names, const std::string& file)
      : text(options.text.empty() && names.size() == 1 ? 0 : find_column(options.text.empty() ? "text" : options.text, names, file, "text")) {
    if (const std::string& wanted = options.label_column.empty() ? options.label : options.label_column; !wanted.empty()) {
      label = find_column(wanted, names, file, "label");
    }
    if (!options.cursor.empty()) {
      cursor = find_column(options.cursor, names, file, "cursor");
    }
    for (const std::string& name : options.keep) {
      keep.push_back(find_column(name, names, file, "kept value"));
    }
  }
};

}  // namespace

void read_sql(const SourceOptions& options, const std::string& address, const std::string& now, RowSink& sink) {
  const std::unique_ptr<SqlDatabase> database =
      options.type == "postgres" ? open_postgres(address) : open_sqlite(address, sink.file());
  Reading reading(*database, options);
  std::optional<Columns> columns;
  std::string line;
  for (uint64_t n = 1; !sink.full() && reading.next(); ++n) {
    const SqlRows& row = reading.row();
    if (!columns) {
      columns.emplace(options, row.columns(), sink.file());
    }
    if (n % 1024 == 0) {
      sink.progress(0);
    }
    if (row.bytes() > kMaxRowBytes) {
      sink.bad("row_too_long", n);
      continue;
    }
    if (row.is_null(columns->text)) {
      sink.bad("missing_text", n);
      continue;
    }
    line.clear();
    append_row(row, line);
    Json kept = provenance(options, line, columns->cursor == SIZE_MAX ? now : row_time(row.text(columns->cursor), now));
    for (const size_t column : columns->keep) {
      kept[row.columns()[column]] = std::string(row.text(column));
    }
    RawRow raw{row.text(columns->text), {}, std::move(kept), n};
    if (columns->label != SIZE_MAX) {
      raw.label = row.text(columns->label);
    }
    sink.add(std::move(raw));
  }
  if (!columns && !sink.full()) {  // no row: a column that is not there is still told
    columns.emplace(options, reading.row().columns(), sink.file());
  }
}

}  // namespace slipway::data
