#include "data/sql_pages.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using base::Json;

// As a part of a larger statement: without the semicolon, on lines of its own, for it may end in a comment.
std::string inner(const std::string& select) {
  const size_t end = select.find_last_not_of(" \t\r\n;");
  return "(\n" + select.substr(0, end == std::string::npos ? 0 : end + 1) + "\n) AS slipway_rows";
}

}  // namespace

std::string select_of(SqlDatabase& database, const std::string& table, const std::string& query) {
  if (!query.empty()) {
    return query;
  }
  const std::vector<std::string> tables = database.tables();
  const std::string& name = table.empty() && tables.size() == 1 ? tables[0] : table;
  const std::string_view unqualified = std::string_view(name).substr(name.find('.') == std::string::npos ? 0 : name.find('.') + 1);
  if (std::find(tables.begin(), tables.end(), name) != tables.end()) {
    return "SELECT * FROM " + sql_name(name);
  }
  if (unqualified.size() != name.size()) {
    return fmt::format("SELECT * FROM {}.{}", sql_name(name.substr(0, name.size() - unqualified.size() - 1)), sql_name(unqualified));
  }
  throw Error(Code::kNotFound, fmt::format("'{}': {}; its tables: {}", database.name(),
                                           name.empty() ? "say 'table' or 'query'" : fmt::format("no table '{}'", name), fmt::join(tables, ", ")));
}

SqlPages::SqlPages(SqlDatabase& database, SqlQuery query, Json after)
    : database_(database), query_(std::move(query)), last_(std::move(after)) {}

void SqlPages::find_columns() {
  if (key_ != SIZE_MAX) {
    return;
  }
  const auto rows = database_.select(fmt::format("SELECT * FROM {} LIMIT 0", inner(query_.select)), {});
  const std::vector<std::string>& columns = rows->columns();
  const auto place = [&](const std::string& name) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found == columns.end()) {
      throw Error(Code::kNotFound, fmt::format("'{}': the query has no column '{}'{}; it has {}", database_.name(), name,
                                               base::suggestion(name, columns), fmt::join(columns, ", ")));
    }
    return static_cast<size_t>(found - columns.begin());
  };
  for (size_t i = 0; i < columns.size(); ++i) {
    if (std::find(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(i), columns[i]) != columns.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw Error(Code::kInvalid, fmt::format("'{}': the query has two columns '{}'; name one of them with AS", database_.name(), columns[i]));
    }
  }
  key_ = place(query_.key);
  cursor_ = query_.cursor.empty() ? key_ : place(query_.cursor);
}

void SqlPages::open_page() {
  find_columns();
  const std::string key = sql_name(query_.key);
  const bool two = cursor_ != key_;
  const std::string order = two ? fmt::format("{}, {}", sql_name(query_.cursor), key) : key;
  std::string where = two ? fmt::format("{} IS NOT NULL AND {} IS NOT NULL", sql_name(query_.cursor), key) : key + " IS NOT NULL";
  std::vector<Json> values;
  if (last_.is_array() && last_.size() == 2) {
    where = two ? fmt::format("({}) > ($1, $2)", order) : key + " > $1";
    values = two ? std::vector<Json>{last_[0], last_[1]} : std::vector<Json>{last_[1]};
  }
  // One more than a page, to see that keys are unique where the page ends, too.
  rows_ = database_.select(fmt::format("SELECT * FROM {} WHERE {} ORDER BY {} LIMIT {}", inner(query_.select), where, order, query_.page_rows + 1),
                           values);
  in_page_ = 0;
}

bool SqlPages::next() {
  while (!done_) {
    if (rows_ == nullptr) {
      open_page();
    }
    if (!rows_->next()) {
      done_ = true;
      break;
    }
    Json here = Json::array({rows_->value(cursor_), rows_->value(key_)});
    if (here == last_) {
      throw Error(Code::kInvalid, fmt::format("'{}': '{}' is no key: two rows have {}; name a column whose values are unique", database_.name(),
                                              query_.key, base::dump_json(here[1])));
    }
    if (in_page_ == query_.page_rows) {
      rows_.reset();
      continue;
    }
    ++in_page_;
    last_ = std::move(here);
    return true;
  }
  return false;
}

int64_t SqlPages::unordered() {
  find_columns();
  const std::string cursor = sql_name(query_.cursor.empty() ? query_.key : query_.cursor);
  const auto rows = database_.select(
      fmt::format("SELECT count(*) FROM {} WHERE {} IS NULL OR {} IS NULL", inner(query_.select), sql_name(query_.key), cursor), {});
  int64_t count = 0;
  if (rows->next()) {
    const std::string_view text = rows->text(0);
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  return count;
}

}  // namespace slipway::data
