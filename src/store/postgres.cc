#include "store/postgres.h"

#include <bit>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>

#include "base/error.h"
#include "store/postgres_connection.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;

constexpr Oid kBytea = 17;

// SQLite's functions over JSON texts, as far as statements use them: paths are '$' or '$.a.b', without quoted names.
constexpr const char* kFunctions = R"sql(
CREATE OR REPLACE FUNCTION json_path(path text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT string_to_array(nullif(substr(path, 3), ''), '.') $$;
CREATE OR REPLACE FUNCTION json_extract(doc text, path text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT doc::json #>> coalesce(json_path(path), '{}') $$;
CREATE OR REPLACE FUNCTION json_type(doc text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE json_typeof(doc::json) WHEN 'string' THEN 'text' WHEN 'boolean' THEN btrim(doc)
    WHEN 'number' THEN CASE WHEN doc ~ '[.eE]' THEN 'real' ELSE 'integer' END ELSE json_typeof(doc::json) END $$;
CREATE OR REPLACE FUNCTION json_valid(doc text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
  BEGIN PERFORM doc::json; RETURN true; EXCEPTION WHEN others THEN RETURN false; END $$;
CREATE OR REPLACE FUNCTION json_each(doc text, path text) RETURNS TABLE(key text, value text) LANGUAGE sql IMMUTABLE AS $$
  SELECT e.key, e.value FROM (SELECT doc::json #> coalesce(json_path(path), '{}') AS j) AS d,
    json_each_text(CASE WHEN json_typeof(d.j) = 'object' THEN d.j ELSE '{}' END) AS e
  UNION ALL SELECT (e.n - 1)::text, e.v FROM (SELECT doc::json #> coalesce(json_path(path), '{}') AS j) AS d,
    json_array_elements_text(CASE WHEN json_typeof(d.j) = 'array' THEN d.j ELSE '[]' END) WITH ORDINALITY AS e(v, n) $$;
CREATE OR REPLACE FUNCTION json_each(doc text) RETURNS TABLE(key text, value text) LANGUAGE sql IMMUTABLE AS $$
  SELECT e.key, e.value FROM json_each(doc, '$') AS e $$;
)sql";

class PostgresCursor final : public Cursor {
 public:
  PostgresCursor(PostgresConnection& connection, std::shared_ptr<Prepared> statement)
      : connection_(connection), statement_(std::move(statement)), parameters_(parameters_of(*statement_)) {}

  void reset() noexcept override {
    result_.reset();
    row_ = -1;
    for (Parameter& parameter : parameters_) {
      parameter.null = true;
      parameter.bytes.clear();
    }
  }
  void bind(int index, const Bound& value) override;
  bool step() override {
    if (result_ == nullptr) {
      result_ = connection_.send(statement_, parameters_, true);
      row_ = -1;
    }
    return ++row_ < libpq().PQntuples(result_.get());
  }
  void run() override {
    result_.reset();
    connection_.send(statement_, parameters_, false);
  }
  bool is_null(int column) const override { return libpq().PQgetisnull(result_.get(), row_, column) != 0; }
  int64_t integer(int column) const override { return number<int64_t>(column); }
  double real(int column) const override { return number<double>(column); }
  std::string text(int column) const override;

 private:
  static std::vector<Parameter> parameters_of(const Prepared& statement) {
    return std::vector<Parameter>(static_cast<size_t>(statement.text.parameters));
  }
  std::string_view cell(int column) const {
    return {libpq().PQgetvalue(result_.get(), row_, column), static_cast<size_t>(libpq().PQgetlength(result_.get(), row_, column))};
  }
  // As SQLite reads it: what is no number is 0, a truth 1.
  template <class Number>
  Number number(int column) const {
    const std::string_view shown = cell(column);
    Number value = 0;
    std::from_chars(shown.data(), shown.data() + shown.size(), value);
    return shown == "t" ? 1 : value;
  }

  PostgresConnection& connection_;
  std::shared_ptr<Prepared> statement_;
  std::vector<Parameter> parameters_;
  Result result_;
  int row_ = -1;
};

void PostgresCursor::bind(int index, const Bound& value) {
  const auto at = static_cast<size_t>(index - 1);
  if (index < 1 || at >= parameters_.size()) {
    throw Error(Code::kFailure, fmt::format("a statement has no parameter {}", index));
  }
  Parameter& parameter = parameters_[at];
  parameter.null = false;
  if (const auto* number = std::get_if<int64_t>(&value)) {
    parameter.type = kPostgresInt8;
    parameter.bytes = big_endian(static_cast<uint64_t>(*number));
  } else if (const auto* real = std::get_if<double>(&value)) {
    parameter.type = kPostgresFloat8;
    parameter.bytes = big_endian(std::bit_cast<uint64_t>(*real));
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    parameter.type = 0;
    parameter.bytes = statement_->text.globs[at] ? like_of_glob(*text) : std::string(*text);
  } else {
    parameter.null = true;  // its type stays: the same statement serves
    parameter.bytes.clear();
  }
}

std::string PostgresCursor::text(int column) const {
  const std::string_view shown = cell(column);
  if (libpq().PQftype(result_.get(), column) != kBytea || !shown.starts_with("\\x")) {
    return std::string(shown);
  }
  size_t size = 0;
  unsigned char* bytes = libpq().PQunescapeBytea(reinterpret_cast<const unsigned char*>(shown.data()), &size);  // NOLINT: libpq's
  std::string plain(reinterpret_cast<const char*>(bytes), size);                                        // NOLINT: form
  libpq().PQfreemem(bytes);
  return plain;
}

}  // namespace

bool is_postgres_url(std::string_view text) noexcept {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

std::unique_ptr<Cursor> PostgresConnection::compile(std::string_view sql, bool once) {
  auto statement = std::make_shared<Prepared>();
  statement->text = to_postgres(sql);
  if (!once) {
    statement->name = fmt::format("s{}", ++statements_);
  }
  return std::make_unique<PostgresCursor>(*this, std::move(statement));
}

std::unique_ptr<Database> open_postgres(const PostgresOptions& options) {
  return std::make_unique<Database>(std::make_unique<PostgresConnection>(options), postgres_name(options.url));
}

// The locks' names: "SLWY" and the schema.
void lock_blobs(Database& database, bool shared) {
  database.prepare(shared ? "SELECT pg_advisory_lock_shared(1397512002, hashtext(current_schema()))"
                          : "SELECT pg_advisory_lock(1397512002, hashtext(current_schema()))")
      .step();
}

void unlock_blobs(Database& database, bool shared) noexcept {
  try {
    database
        .prepare(shared ? "SELECT pg_advisory_unlock_shared(1397512002, hashtext(current_schema()))"
                        : "SELECT pg_advisory_unlock(1397512002, hashtext(current_schema()))")
        .step();
  } catch (const std::exception&) {
    // The connection is lost, and the lock with it.
  }
}

std::optional<int> postgres_version(Database& database) {
  if (database.scalar("SELECT current_schema()").empty()) {
    throw Error(Code::kNotFound,
                fmt::format("the store's database '{}' has no schema for its tables; make one (CREATE SCHEMA), or name one "
                            "in the address: ?options=-csearch_path%3DNAME",
                            database.name()));
  }
  constexpr const char* kTables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()";
  if (database.scalar(kTables) == "0") {
    return 0;
  }
  if (database.scalar("SELECT to_regclass(quote_ident(current_schema()) || '.migrations') IS NOT NULL AND "
                      "to_regclass(quote_ident(current_schema()) || '.alias_history') IS NOT NULL") != "t") {
    return std::nullopt;
  }
  return static_cast<int>(std::strtol(database.scalar("SELECT max(version) FROM migrations").c_str(), nullptr, 10));
}

void finish_postgres(Database& database) {
  std::vector<std::string> statements;
  {
    Statement query = database.prepare_once(
        "SELECT format('SELECT setval(%L, max(%I)) FROM %I HAVING max(%I) >= (SELECT last_value FROM %s)', counter, "
        "column_name, table_name, column_name, counter) FROM (SELECT table_name, column_name, "
        "pg_get_serial_sequence(quote_ident(table_name), column_name) AS counter FROM information_schema.columns WHERE "
        "table_schema = current_schema() AND is_identity = 'YES') numbered");
    while (query.step()) {
      statements.push_back(query.text(0));
    }
  }
  for (const std::string& statement : statements) {
    database.prepare_once(statement).step();
  }
}

void prepare_postgres(Database& database, int version) {
  database.exec("SET LOCAL statement_timeout = 0");
  database.exec(kFunctions);
  if (version == 0) {
    return;
  }
  const std::string schema = database.scalar("SELECT current_schema()");
  const std::string copy = fmt::format("{}_v{}_backup", schema, version);
  std::vector<std::string> tables;
  {
    Statement query = database.prepare_once(
        "SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = current_schema() AND "
        "table_type = 'BASE TABLE'");
    while (query.step()) {
      tables.push_back(query.text(0));
    }
  }
  const std::string quoted = "\"" + copy + "\"";
  database.exec(fmt::format("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", quoted).c_str());
  for (const std::string& table : tables) {
    database.exec(fmt::format("CREATE TABLE {0}.{1} AS TABLE \"{2}\".{1}", quoted, table, schema).c_str());
  }
}

}  // namespace slipway::store
