// Inside of the PostgreSQL back end: one connection, the statements that are under way on it, and cursors over results. One
// thread at a time.
#pragma once

#include <bit>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/libpq.h"
#include "store/dialect.h"
#include "store/postgres.h"

namespace slipway::store {

using base::libpq;
using Result = base::PostgresResult;

constexpr Oid kPostgresInt8 = 20;
constexpr Oid kPostgresFloat8 = 701;

// Eight bytes as the protocol orders them.
inline std::string big_endian(uint64_t bits) {
  std::string bytes(sizeof bits, '\0');
  for (size_t i = 0; i < sizeof bits; ++i) {
    bytes[i] = static_cast<char>(bits >> (8 * (sizeof bits - 1 - i)));
  }
  return bytes;
}

// A value as it is sent: 64-bit integers and doubles in binary form, of their own type, texts as their bytes, of the type that
// the server finds.
struct Parameter {
  Oid type = 0;
  bool null = true;
  std::string bytes;
};

// A statement's text and what the server knows of it.
struct Prepared {
  PostgresSql text;
  std::string name;      // empty: sent with its text each time
  std::vector<Oid> types;  // that it was prepared for
  uint64_t session = 0;  // the connection it is prepared on; 0: none
};

class PostgresConnection final : public Connection {
 public:
  explicit PostgresConnection(PostgresOptions options);
  ~PostgresConnection() override { libpq().PQfinish(connection_); }
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  std::unique_ptr<Cursor> compile(std::string_view sql, bool once) override;
  void exec(const char* sql) override;
  int64_t changes() override;
  int64_t last_insert_id() override;
  void begin(Access access) override;
  void commit() override;
  bool in_transaction() const override { return in_transaction_; }
  void settle() override;
  void sync() noexcept override {}  // the server does within three times wal_writer_delay, 0.6 s
  bool usable() noexcept override;

  // Sends it; the result comes with settle(), or here when it is `wanted`.
  Result send(const std::shared_ptr<Prepared>& statement, std::vector<Parameter>& parameters, bool wanted);
  const std::string& name() const noexcept { return name_; }

 private:
  struct Pending {
    std::shared_ptr<Prepared> preparing;  // null: executing
    bool wanted = false;
  };
  void connect();
  void ensure();
  [[noreturn]] void lost(const char* why);
  void check_sent(int sent);
  Result send_once(const std::shared_ptr<Prepared>& statement, std::vector<Parameter>& parameters, bool wanted);
  void prepare(const std::shared_ptr<Prepared>& statement, const std::vector<Parameter>& parameters);
  void push(const char* sql);
  Result receive();
  void take(Result result, const Pending& of, Result& wanted, Result& failed);
  [[noreturn]] void fail(const PGresult* result);
  bool was_committed(const std::string& transaction_id);

  const PostgresOptions options_;
  const std::string name_;
  PGconn* connection_ = nullptr;
  uint64_t session_ = 0;
  uint64_t statements_ = 0;
  std::deque<Pending> pending_;
  bool in_transaction_ = false;
  bool writing_ = false;
  std::string transaction_id_;
  int64_t changes_ = 0;
};

}  // namespace slipway::store
