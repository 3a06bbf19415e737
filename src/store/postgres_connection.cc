#include "store/postgres_connection.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <thread>
#include <utility>

#include "base/error.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using base::postgres_words;

// Statements under way at once: their answers, some 50 bytes each, fit the socket's buffers, else both sides would wait for
// each other to read.
constexpr size_t kMaxPending = 256;

struct Advice {
  std::string_view state;  // SQLSTATE, or the class it begins with
  Code code;
  const char* text;  // {0} the name, {1} the server's words
};

// The first that fits.
constexpr std::array<Advice, 18> kAdvice = {{
    {"55P03", Code::kUnavailable,
     "the store's database '{0}' was locked by another server for too long; try again when that has finished"},
    {"57014", Code::kUnavailable, "the store's database '{0}' took too long and was stopped: {1}; ask for less, or try again"},
    {"25P03", Code::kUnavailable, "the store's database '{0}' gave up a transaction that stood still: {1}; try again"},
    {"57P", Code::kUnavailable, "the store's database '{0}' is going down or coming up: {1}; try again"},
    {"53100", Code::kUnavailable,
     "no space left for the store's database '{0}'; free some space on its server and try again, nothing was lost"},
    {"53300", Code::kUnavailable,
     "the store's database '{0}' has too many connections: {1}; raise its max_connections, or stop other programs"},
    {"53", Code::kUnavailable, "the store's database '{0}' lacks resources: {1}; try again"},
    {"40", Code::kUnavailable, "the store's database '{0}' could not do it beside others' work: {1}; try again"},
    {"08", Code::kUnavailable, "the connection to the store's database '{0}' was lost: {1}; try again"},
    {"23", Code::kConflict, "the store's database '{0}' refuses the record: {1}"},
    {"42501", Code::kNotAllowed,
     "the store's database '{0}' does not allow it: {1}; the user must own the tables, and may CREATE in the schema"},
    {"28", Code::kNotAllowed, "the store's database '{0}' does not let this user in: {1}"},
    {"22021", Code::kInvalid, "a text for the store's database '{0}' is not UTF-8, or holds a NUL: {1}"},
    {"22P05", Code::kInvalid, "a text for the store's database '{0}' cannot be kept there: {1}"},
    {"54", Code::kInvalid, "a record is too large for the store's database '{0}': {1}"},
    {"25006", Code::kFailure, "the store's database '{0}' is read-only: {1}; name the primary server"},
    {"XX00", Code::kIntegrity, "the store's database '{0}' is damaged: {1}; restore it from a backup"},
    {"", Code::kFailure, "cannot use the store's database '{0}': {1}"},
}};

}  // namespace

std::string postgres_name(const std::string& url) { return base::postgres_name(url); }

PostgresConnection::PostgresConnection(PostgresOptions options)
    : options_(std::move(options)), name_(postgres_name(options_.url)) {}

void PostgresConnection::connect() {
  libpq().PQfinish(std::exchange(connection_, nullptr));
  pending_.clear();
  in_transaction_ = false;
  ++session_;
  connection_ = base::connect_postgres(options_.url);
  if (connection_ == nullptr || libpq().PQstatus(connection_) != CONNECTION_OK) {
    const bool password = connection_ != nullptr && libpq().PQconnectionNeedsPassword(connection_) != 0;
    const std::string reason = connection_ != nullptr ? postgres_words(libpq().PQerrorMessage(connection_)) : "no memory";
    libpq().PQfinish(std::exchange(connection_, nullptr));
    const bool denied = password || reason.find("authentication failed") != std::string::npos;
    throw Error(denied ? Code::kNotAllowed : Code::kUnavailable,
                fmt::format("cannot connect to the store's database '{}': {}{}", name_, reason,
                            password ? "; give it in PGPASSWORD or a password file" : ""));
  }
  const char* encoding = libpq().PQparameterStatus(connection_, "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    throw Error(Code::kInvalid, fmt::format("the store's database '{}' keeps texts as {}; make one with ENCODING 'UTF8'", name_,
                                            encoding != nullptr ? encoding : "?"));
  }
  // jit: compiling costs more than any statement of ours. Text comes out as its form is known to be read.
  const std::string settings = fmt::format(
      "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET jit = off; "
      "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET standard_conforming_strings = on; "
      "SET client_min_messages = warning; SET synchronous_commit = on",
      options_.statement_timeout_ms, options_.lock_timeout_ms, options_.idle_transaction_ms);
  const Result done(libpq().PQexec(connection_, settings.c_str()));
  if (libpq().PQresultStatus(done.get()) != PGRES_COMMAND_OK) {
    fail(done.get());
  }
}

bool PostgresConnection::usable() noexcept {
  if (connection_ == nullptr) {
    return true;  // it connects when it is used
  }
  if (pending_.empty()) {
    libpq().PQconsumeInput(connection_);  // sees that the server closed it
  }
  return libpq().PQstatus(connection_) == CONNECTION_OK;
}

void PostgresConnection::ensure() {
  if (connection_ == nullptr || (!in_transaction_ && !usable())) {
    connect();
  }
}

void PostgresConnection::fail(const PGresult* result) {
  const char* state = result != nullptr ? libpq().PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* primary = result != nullptr ? libpq().PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  const std::string words = postgres_words(primary != nullptr ? primary : libpq().PQerrorMessage(connection_));
  if (libpq().PQstatus(connection_) != CONNECTION_OK) {
    lost(words.c_str());
  }
  const std::string_view known = state != nullptr ? state : "";
  for (const Advice& advice : kAdvice) {
    if (known.starts_with(advice.state)) {
      throw Error(advice.code, fmt::format(fmt::runtime(advice.text), name_, words));
    }
  }
  throw Error(Code::kFailure, words);
}

void PostgresConnection::lost(const char* why) {
  pending_.clear();
  in_transaction_ = false;
  throw Error(Code::kUnavailable,
              fmt::format("the connection to the store's database '{}' was lost: {}; try again", name_, why));
}

void PostgresConnection::check_sent(int sent) {
  if (sent == 0) {
    const std::string words = postgres_words(libpq().PQerrorMessage(connection_));
    if (libpq().PQstatus(connection_) != CONNECTION_OK) {
      lost(words.c_str());
    }
    throw Error(Code::kFailure, fmt::format("cannot use the store's database '{}': {}", name_, words));
  }
}

void PostgresConnection::push(const char* sql) {
  libpq().PQenterPipelineMode(connection_);
  check_sent(libpq().PQsendQueryParams(connection_, sql, 0, nullptr, nullptr, nullptr, nullptr, 0));
  pending_.push_back({});
}

void PostgresConnection::prepare(const std::shared_ptr<Prepared>& statement, const std::vector<Parameter>& parameters) {
  std::vector<Oid> types(parameters.size());
  std::transform(parameters.begin(), parameters.end(), types.begin(), [](const Parameter& p) { return p.type; });
  if (statement->session == session_ && statement->types == types) {
    return;
  }
  if (statement->session == session_) {
    statement->name = fmt::format("s{}", ++statements_);  // the one before is known for other types
  }
  statement->types = std::move(types);
  check_sent(libpq().PQsendPrepare(connection_, statement->name.c_str(), statement->text.sql.c_str(),
                           static_cast<int>(statement->types.size()), statement->types.data()));
  statement->session = session_;
  pending_.push_back({statement, false});
}

Result PostgresConnection::send_once(const std::shared_ptr<Prepared>& statement, std::vector<Parameter>& parameters,
                                     bool wanted) {
  const size_t count = parameters.size();
  std::vector<const char*> values(count);
  std::vector<int> lengths(count);
  std::vector<int> formats(count, 1);
  for (size_t i = 0; i < count; ++i) {
    values[i] = parameters[i].null ? nullptr : parameters[i].bytes.data();
    lengths[i] = static_cast<int>(parameters[i].bytes.size());
  }
  libpq().PQenterPipelineMode(connection_);
  if (statement->name.empty()) {
    std::vector<Oid> types(count);
    std::transform(parameters.begin(), parameters.end(), types.begin(), [](const Parameter& p) { return p.type; });
    check_sent(libpq().PQsendQueryParams(connection_, statement->text.sql.c_str(), static_cast<int>(count), types.data(),
                                 values.data(), lengths.data(), formats.data(), 0));
  } else {
    prepare(statement, parameters);
    check_sent(libpq().PQsendQueryPrepared(connection_, statement->name.c_str(), static_cast<int>(count), values.data(),
                                   lengths.data(), formats.data(), 0));
  }
  pending_.push_back({nullptr, wanted});
  if (wanted || !writing_ || !in_transaction_ || pending_.size() >= kMaxPending) {
    return receive();
  }
  return nullptr;
}

Result PostgresConnection::send(const std::shared_ptr<Prepared>& statement, std::vector<Parameter>& parameters, bool wanted) {
  ensure();
  const uint64_t session = session_;
  try {
    return send_once(statement, parameters, wanted);
  } catch (const Error&) {
    // Asking once more what changes nothing does no harm, when it was the connection that failed.
    const bool asks = statement->text.sql.starts_with("SELECT") && wanted && !writing_;
    if (!asks || in_transaction_ || session != session_ || libpq().PQstatus(connection_) == CONNECTION_OK) {
      throw;
    }
  }
  connect();
  return send_once(statement, parameters, wanted);
}

void PostgresConnection::take(Result result, const Pending& of, Result& wanted, Result& failed) {
  const ExecStatusType status = libpq().PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    const std::string_view command = libpq().PQcmdStatus(result.get());
    if (command.starts_with("INSERT") || command.starts_with("UPDATE") || command.starts_with("DELETE")) {
      changes_ = std::atoll(libpq().PQcmdTuples(result.get()));
    }
    if (of.wanted) {
      wanted = std::move(result);
    }
    return;
  }
  if (of.preparing != nullptr) {
    of.preparing->session = 0;
  }
  if (status != PGRES_PIPELINE_ABORTED && failed == nullptr) {
    failed = std::move(result);
  }
}

// All that is under way; returns what the last one wanted.
Result PostgresConnection::receive() {
  Result wanted;
  Result failed;
  if (pending_.empty()) {
    return wanted;
  }
  check_sent(libpq().PQpipelineSync(connection_));
  while (!pending_.empty()) {
    Result result(libpq().PQgetResult(connection_));
    if (result == nullptr) {
      if (libpq().PQstatus(connection_) != CONNECTION_OK) {
        lost(postgres_words(libpq().PQerrorMessage(connection_)).c_str());
      }
      continue;  // between the results of two statements
    }
    const Pending of = std::move(pending_.front());
    pending_.pop_front();
    take(std::move(result), of, wanted, failed);
    if (libpq().PQstatus(connection_) != CONNECTION_OK) {
      if (failed != nullptr) {
        fail(failed.get());
      }
      lost(postgres_words(libpq().PQerrorMessage(connection_)).c_str());
    }
  }
  while (true) {  // to the end of the pipeline
    const Result result(libpq().PQgetResult(connection_));
    if (result != nullptr && libpq().PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      break;
    }
    if (libpq().PQstatus(connection_) != CONNECTION_OK) {
      lost(postgres_words(libpq().PQerrorMessage(connection_)).c_str());
    }
  }
  libpq().PQexitPipelineMode(connection_);
  if (failed != nullptr) {
    fail(failed.get());
  }
  return wanted;
}

void PostgresConnection::settle() {
  if (!pending_.empty()) {
    receive();
  }
}

void PostgresConnection::exec(const char* sql) {
  settle();
  ensure();
  const Result done(libpq().PQexec(connection_, to_postgres(sql).sql.c_str()));
  const ExecStatusType status = libpq().PQresultStatus(done.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
    fail(done.get());
  }
  if (libpq().PQtransactionStatus(connection_) == PQTRANS_IDLE) {
    in_transaction_ = false;  // it was ROLLBACK
  }
}

int64_t PostgresConnection::changes() {
  settle();
  return changes_;
}

int64_t PostgresConnection::last_insert_id() {
  auto statement = std::make_shared<Prepared>();
  statement->text = {"SELECT lastval()", 0, {}};
  std::vector<Parameter> none;
  const Result result = send(statement, none, true);
  return std::atoll(libpq().PQgetvalue(result.get(), 0, 0));
}

void PostgresConnection::begin(Access access) {
  ensure();
  const auto start = [&] {
    writing_ = access != Access::kRead;
    in_transaction_ = true;
    push(writing_ ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (access == Access::kWriteSoon) {
      push("SET LOCAL synchronous_commit = off");
    }
    if (writing_) {
      push("SELECT pg_advisory_xact_lock(1397512025, hashtext(current_schema()))");
      push("SELECT pg_current_xact_id()");
      pending_.back().wanted = true;
    }
    return receive();
  };
  Result id;
  try {
    id = start();
  } catch (const Error&) {
    if (connection_ != nullptr && libpq().PQstatus(connection_) == CONNECTION_OK) {
      exec("ROLLBACK");
      throw;
    }
    connect();  // it was lost while it stood idle: nothing had begun
    id = start();
  }
  transaction_id_ = id != nullptr ? libpq().PQgetvalue(id.get(), 0, 0) : "";
}

void PostgresConnection::commit() {
  settle();
  const bool writing = writing_;
  try {
    push("COMMIT");
    pending_.back().wanted = true;
    const Result done = receive();
    in_transaction_ = false;
    if (std::string_view(libpq().PQcmdStatus(done.get())) != "COMMIT") {
      throw Error(Code::kFailure, fmt::format("the store's database '{}' rolled back what it was to keep", name_));
    }
  } catch (const Error&) {
    if (!writing || libpq().PQstatus(connection_) == CONNECTION_OK) {
      throw;
    }
    const std::string id = transaction_id_;
    if (!was_committed(id)) {
      throw;
    }
  }
}

// After a connection was lost at its commit.
bool PostgresConnection::was_committed(const std::string& transaction_id) {
  constexpr int kTries = 20;  // a second: the server may still be at it
  for (int i = 0; i < kTries; ++i) {
    try {
      ensure();
      const char* value = transaction_id.c_str();
      const Result result(
          libpq().PQexecParams(connection_, "SELECT pg_xact_status($1::xid8)", 1, nullptr, &value, nullptr, nullptr, 0));
      if (libpq().PQresultStatus(result.get()) == PGRES_TUPLES_OK && libpq().PQgetisnull(result.get(), 0, 0) == 0) {
        const std::string_view status = libpq().PQgetvalue(result.get(), 0, 0);
        if (status != "in progress") {
          return status == "committed";
        }
      }
    } catch (const Error&) {
      // It may come back.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw CommitUnknown(
      fmt::format("the connection to the store's database '{}' was lost at the last moment: it is not known whether the record was "
                  "kept; look, then try again",
                  name_));
}

}  // namespace slipway::store
