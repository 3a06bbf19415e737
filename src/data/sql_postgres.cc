// PostgreSQL databases, read-only, a row at a time (libpq's single-row mode).
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "base/error.h"
#include "base/libpq.h"
#include "data/document.h"
#include "data/sql_database.h"
#include "data/table_values.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using base::Json;
using base::libpq;
using base::PostgresResult;

// Numbers of types (pg_type.dat).
enum : Oid { kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kOid = 26, kJson = 114, kFloat4 = 700, kFloat8 = 701, kTimestamp = 1114, kTimestamptz = 1184, kJsonb = 3802 };

struct Finish {
  void operator()(PGconn* connection) const noexcept { libpq().PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

// "\x00ff" as bytes.
std::string unhexed(std::string_view text) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  std::string bytes;
  for (size_t i = 2; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  return bytes;
}

// "2024-02-29 12:34:56.5+00" as "2024-02-29T12:34:56.5": the session is in UTC.
std::string timestamp(std::string_view text) {
  std::string out(text.ends_with("+00") ? text.substr(0, text.size() - 3) : text);
  if (const size_t blank = out.find(' '); blank != std::string::npos && out.find("BC") == std::string::npos) {
    out[blank] = 'T';
  }
  return out;
}

[[noreturn]] void fail(PGconn* connection, const PGresult* result, const std::string& name) {
  const char* state = result != nullptr ? libpq().PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* primary = result != nullptr ? libpq().PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  const std::string words = base::postgres_words(primary != nullptr ? primary : libpq().PQerrorMessage(connection));
  const std::string_view known = state != nullptr ? state : "";
  if (libpq().PQstatus(connection) != CONNECTION_OK || known.empty() || known.starts_with("57") || known.starts_with("08")) {
    throw Error(Code::kUnavailable, fmt::format("the connection to '{}' was lost: {}; start again", name, words));
  }
  if (known == "42501") {
    throw Error(Code::kNotAllowed, fmt::format("'{}' does not allow it: {}", name, words));
  }
  if (known == "42P01" || known == "42703") {
    throw Error(Code::kNotFound, fmt::format("'{}': the query does not work: {}", name, words));
  }
  throw Error(Code::kInvalid, fmt::format("'{}': the query does not work: {}", name, words));
}

class Rows final : public SqlRows {
 public:
  Rows(PGconn* connection, const std::string& name) : connection_(connection), name_(name) { fetch(); }
  // What was not read is asked for no more: the connection is free again.
  ~Rows() override {
    while (row_ != nullptr) {
      row_.reset(libpq().PQgetResult(connection_));
    }
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next() override {
    if (!std::exchange(first_, false) && row_ != nullptr) {
      fetch();
    }
    return row_ != nullptr && libpq().PQntuples(row_.get()) == 1;
  }
  const std::vector<std::string>& columns() const override { return columns_; }
  bool is_null(size_t column) const override { return libpq().PQgetisnull(row_.get(), 0, at(column)) != 0; }
  std::string_view text(size_t column) const override {
    return {libpq().PQgetvalue(row_.get(), 0, at(column)), static_cast<size_t>(libpq().PQgetlength(row_.get(), 0, at(column)))};
  }
  void append_json(size_t column, std::string& out) const override {
    const std::string_view value = text(column);
    if (is_null(column)) {
      out += "null";
      return;
    }
    switch (libpq().PQftype(row_.get(), at(column))) {
      case kBool: out += value == "t" ? "true" : "false"; break;
      case kInt2:
      case kInt4:
      case kInt8:
      case kOid: out += value; break;
      case kFloat4:
      case kFloat8: append_float(value, out); break;
      case kJson:
      case kJsonb: append_document(value, out); break;
      case kBytea: append_text_or_bytes(unhexed(value), out); break;
      case kTimestamp:
      case kTimestamptz: append_json_string(timestamp(value), out); break;
      default: append_json_string(value, out); break;
    }
  }
  Json value(size_t column) const override { return is_null(column) ? Json(nullptr) : Json(text(column)); }
  size_t bytes() const override {
    size_t sum = 0;
    for (size_t i = 0; i < columns_.size(); ++i) {
      sum += static_cast<size_t>(libpq().PQgetlength(row_.get(), 0, at(i)));
    }
    return sum;
  }

 private:
  static int at(size_t column) noexcept { return static_cast<int>(column); }

  static void append_float(std::string_view value, std::string& out) {
    double number = std::numeric_limits<double>::quiet_NaN();
    std::from_chars(value.data(), value.data() + value.size(), number);
    append_real(number, out);
  }

  // Documents as such, all their digits kept, on one line; one that is nested too deep as text.
  static void append_document(std::string_view value, std::string& out) {
    try {
      base::parse_json(value, "json");
    } catch (const Error&) {
      append_json_string(value, out);
      return;
    }
    const size_t begin = out.size();
    out += value;
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }

  void fetch() {
    row_.reset(libpq().PQgetResult(connection_));
    const ExecStatusType status = row_ != nullptr ? libpq().PQresultStatus(row_.get()) : PGRES_TUPLES_OK;
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
      const PostgresResult failed = std::move(row_);
      while (PostgresResult(libpq().PQgetResult(connection_)) != nullptr) {
      }
      fail(connection_, failed.get(), name_);
    }
    if (columns_.empty() && row_ != nullptr) {
      for (int i = 0; i < libpq().PQnfields(row_.get()); ++i) {
        columns_.emplace_back(libpq().PQfname(row_.get(), i));
      }
    }
  }

  PGconn* connection_;
  const std::string& name_;
  PostgresResult row_;
  bool first_ = true;
  std::vector<std::string> columns_;
};

class Postgres final : public SqlDatabase {
 public:
  explicit Postgres(const std::string& url) : name_(base::postgres_name(url)), connection_(base::connect_postgres(url)) {
    PGconn* raw = connection_.get();
    if (raw == nullptr || libpq().PQstatus(raw) != CONNECTION_OK) {
      const bool password = raw != nullptr && libpq().PQconnectionNeedsPassword(raw) != 0;
      const std::string words = raw != nullptr ? base::postgres_words(libpq().PQerrorMessage(raw)) : "no memory";
      const bool denied = password || words.find("authentication failed") != std::string::npos;
      throw Error(denied ? Code::kNotAllowed : Code::kUnavailable,
                  fmt::format("cannot connect to '{}': {}{}", name_, words, password ? "; give it in PGPASSWORD or a password file" : ""));
    }
    // Texts come in the forms that Rows knows, and that PostgreSQL reads back to the same value.
    const PostgresResult done(libpq().PQexec(
        raw, "SET default_transaction_read_only = on; SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'iso_8601'; "
             "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET jit = off; SET client_min_messages = warning"));
    if (libpq().PQresultStatus(done.get()) != PGRES_COMMAND_OK) {
      fail(raw, done.get(), name_);
    }
  }

  std::unique_ptr<SqlRows> select(const std::string& sql, const std::vector<Json>& values) override {
    std::vector<std::string> texts;
    for (const Json& value : values) {
      texts.push_back(value.is_string() ? value.get<std::string>() : base::dump_json(value));
    }
    std::vector<const char*> parameters;
    for (const std::string& text : texts) {
      parameters.push_back(text.c_str());
    }
    // The extended protocol takes one statement, whatever the text says.
    PGconn* raw = connection_.get();
    if (libpq().PQsendQueryParams(raw, sql.c_str(), static_cast<int>(parameters.size()), nullptr, parameters.data(), nullptr, nullptr, 0) == 0) {
      fail(raw, nullptr, name_);
    }
    libpq().PQsetSingleRowMode(raw);
    return std::make_unique<Rows>(raw, name_);
  }

  std::vector<std::string> tables() override {
    std::vector<std::string> names;
    const auto rows = select(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ANY(current_schemas(false)) ORDER BY table_name", {});
    while (rows->next()) {
      names.emplace_back(rows->text(0));
    }
    return names;
  }
  const std::string& name() const noexcept override { return name_; }

 private:
  std::string name_;
  Connection connection_;
};

}  // namespace

std::unique_ptr<SqlDatabase> open_postgres(const std::string& url) { return std::make_unique<Postgres>(url); }

}  // namespace slipway::data
