#include "data/sql_database.h"

#include "base/libpq.h"
#include "data/document.h"

namespace slipway::data {

std::string sqlite_path(const std::string& address) {
  constexpr std::string_view kScheme = "sqlite://";
  if (!address.starts_with(kScheme)) {
    return address;
  }
  const std::string rest = address.substr(kScheme.size());
  return rest.starts_with('/') ? rest.substr(1) : rest;
}

bool is_sql_address(std::string_view text) noexcept { return text.starts_with("sqlite://") || base::is_postgres_url(text); }

std::unique_ptr<SqlDatabase> open_sql(const std::string& address) {
  return base::is_postgres_url(address) ? open_postgres(address) : open_sqlite(sqlite_path(address));
}

std::string sql_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  return quoted + '"';
}

void append_row(const SqlRows& row, std::string& out) {
  out += '{';
  for (size_t i = 0; i < row.columns().size(); ++i) {
    out += i == 0 ? "" : ",";
    append_json_string(row.columns()[i], out);
    out += ':';
    row.append_json(i, out);
  }
  out += '}';
}

}  // namespace slipway::data
