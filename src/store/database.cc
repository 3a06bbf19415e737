#include "store/database.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "store/sqlite.h"

namespace slipway::store {
namespace {

constexpr size_t kRecentStatements = 64;  // some 20 kB each

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : own_(std::move(other.own_)),
      cursor_(std::exchange(other.cursor_, nullptr)),
      busy_(std::exchange(other.busy_, nullptr)) {}

Statement::~Statement() {
  if (busy_ != nullptr) {
    cursor_->reset();  // no large texts kept alive
    *busy_ = false;
  }
}

void Statement::bind_one(int index, double value) {
  if (std::isnan(value)) {
    cursor_->bind(index, std::monostate());
  } else {
    cursor_->bind(index, value);
  }
}

void Statement::bind_one(int index, const std::optional<std::string>& value) {
  if (value) {
    cursor_->bind(index, std::string_view(*value));
  } else {
    cursor_->bind(index, std::monostate());
  }
}

Statement& Statement::bind_all(std::span<const Value> values) {
  cursor_->reset();
  int index = 0;
  for (const Value& value : values) {
    std::visit([&](const auto& known) { bind_one(++index, known); }, value);
  }
  return *this;
}

Database::Database(const std::filesystem::path& path, bool create, int busy_timeout_ms)
    : Database(open_sqlite(path, create, busy_timeout_ms), path.string(), path) {}

Database::Database(std::unique_ptr<Connection> connection, std::string name, std::filesystem::path path)
    : connection_(std::move(connection)), name_(std::move(name)), path_(std::move(path)) {}

Database::~Database() = default;

Statement Database::prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_.emplace(sql, Entry{}).first;
  }
  Entry& entry = found->second;
  if (entry.cursor == nullptr) {
    entry.cursor = connection_->compile(sql, false);
  } else if (entry.busy) {
    return prepare_once(sql);
  }
  entry.busy = true;
  return {entry.cursor.get(), &entry.busy};
}

Statement Database::prepare_recent(std::string_view sql) {
  auto found = std::find_if(recent_.begin(), recent_.end(), [&](const auto& one) { return one.first == sql; });
  if (found == recent_.end()) {
    auto cursor = connection_->compile(sql, true);
    if (recent_.size() >= kRecentStatements && !recent_.back().second.busy) {
      recent_.pop_back();
    }
    recent_.emplace_front(sql, Entry{std::move(cursor), false});
    found = recent_.begin();
  } else if (found->second.busy) {
    return prepare_once(sql);
  } else {
    recent_.splice(recent_.begin(), recent_, found);
  }
  Entry& entry = found->second;
  entry.busy = true;
  return {entry.cursor.get(), &entry.busy};
}

std::string Database::scalar(const char* sql) {
  Statement statement = prepare_once(sql);
  return statement.step() ? statement.text(0) : std::string();
}

void Database::roll_back() noexcept {
  try {
    if (connection_->in_transaction()) {
      connection_->exec("ROLLBACK");
    }
  } catch (const std::exception&) {
    // Nothing was committed: what a failed ROLLBACK leaves goes with the connection, or its next BEGIN fails and says why.
  }
}

ReadSnapshot::~ReadSnapshot() {
  try {
    if (database_.in_transaction()) {
      database_.commit();
    }
  } catch (const std::exception&) {
    // Nothing was written; a connection in trouble is told so by its next use.
  }
}

}  // namespace slipway::store
