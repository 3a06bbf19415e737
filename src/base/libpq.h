// PostgreSQL's client library, loaded when a database of it is first named: who uses none needs none installed, and the program
// starts without it and the 20 libraries that come with it (3 ms). Any thread.
#pragma once

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>  // where Debian has it
#endif

#include <memory>
#include <string>
#include <string_view>

namespace slipway::base {

struct Libpq {
  decltype(&::PQclear) PQclear;
  decltype(&::PQcmdStatus) PQcmdStatus;
  decltype(&::PQcmdTuples) PQcmdTuples;
  decltype(&::PQconnectdbParams) PQconnectdbParams;
  decltype(&::PQconnectionNeedsPassword) PQconnectionNeedsPassword;
  decltype(&::PQconninfoFree) PQconninfoFree;
  decltype(&::PQconninfoParse) PQconninfoParse;
  decltype(&::PQconsumeInput) PQconsumeInput;
  decltype(&::PQenterPipelineMode) PQenterPipelineMode;
  decltype(&::PQerrorMessage) PQerrorMessage;
  decltype(&::PQexec) PQexec;
  decltype(&::PQexecParams) PQexecParams;
  decltype(&::PQexitPipelineMode) PQexitPipelineMode;
  decltype(&::PQfinish) PQfinish;
  decltype(&::PQfreemem) PQfreemem;
  decltype(&::PQftype) PQftype;
  decltype(&::PQfname) PQfname;
  decltype(&::PQgetResult) PQgetResult;
  decltype(&::PQgetisnull) PQgetisnull;
  decltype(&::PQgetlength) PQgetlength;
  decltype(&::PQgetvalue) PQgetvalue;
  decltype(&::PQnfields) PQnfields;
  decltype(&::PQntuples) PQntuples;
  decltype(&::PQparameterStatus) PQparameterStatus;
  decltype(&::PQpipelineSync) PQpipelineSync;
  decltype(&::PQresultErrorField) PQresultErrorField;
  decltype(&::PQresultStatus) PQresultStatus;
  decltype(&::PQsendPrepare) PQsendPrepare;
  decltype(&::PQsendQueryParams) PQsendQueryParams;
  decltype(&::PQsendQueryPrepared) PQsendQueryPrepared;
  decltype(&::PQsetNoticeProcessor) PQsetNoticeProcessor;
  decltype(&::PQsetSingleRowMode) PQsetSingleRowMode;
  decltype(&::PQstatus) PQstatus;
  decltype(&::PQtransactionStatus) PQtransactionStatus;
  decltype(&::PQunescapeBytea) PQunescapeBytea;
};

// Throws Error(kFailure) when it is not installed.
const Libpq& libpq();

struct PostgresResultFree {
  void operator()(PGresult* result) const noexcept { libpq().PQclear(result); }
};
using PostgresResult = std::unique_ptr<PGresult, PostgresResultFree>;

// "postgresql://…" or "postgres://…".
bool is_postgres_url(std::string_view text) noexcept;
// A part of an address ("user", "password", "connect_timeout", …), "" when it does not say. Throws Error(kInvalid) for what is no address
// of PostgreSQL; the message holds nothing of it, for that may be a piece of the password.
std::string postgres_part(const std::string& url, std::string_view part);
// What may be shown of an address: "postgresql://USER@HOST:PORT/DATABASE". Throws as postgres_part.
std::string postgres_name(const std::string& url);
// libpq's words on one line.
std::string postgres_words(const char* message);
// A connection, made or not (PQstatus), to be given to PQfinish; texts are UTF-8; 10 s unless the address says connect_timeout. Null: no
// memory. Notices are not printed.
PGconn* connect_postgres(const std::string& url);

}  // namespace slipway::base
