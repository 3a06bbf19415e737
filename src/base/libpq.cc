#include "base/libpq.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/shared_library.h"

namespace slipway::base {
namespace {

Libpq load_all() {
  const base::SharedLibrary library({"libpq.so.5", "a database in PostgreSQL", "libpq5", "14"});
  Libpq all{};
  library.find("PQclear", all.PQclear);
  library.find("PQcmdStatus", all.PQcmdStatus);
  library.find("PQcmdTuples", all.PQcmdTuples);
  library.find("PQconnectdbParams", all.PQconnectdbParams);
  library.find("PQconnectionNeedsPassword", all.PQconnectionNeedsPassword);
  library.find("PQconninfoFree", all.PQconninfoFree);
  library.find("PQconninfoParse", all.PQconninfoParse);
  library.find("PQconsumeInput", all.PQconsumeInput);
  library.find("PQenterPipelineMode", all.PQenterPipelineMode);
  library.find("PQerrorMessage", all.PQerrorMessage);
  library.find("PQexec", all.PQexec);
  library.find("PQexecParams", all.PQexecParams);
  library.find("PQexitPipelineMode", all.PQexitPipelineMode);
  library.find("PQfinish", all.PQfinish);
  library.find("PQfreemem", all.PQfreemem);
  library.find("PQftype", all.PQftype);
  library.find("PQfname", all.PQfname);
  library.find("PQgetResult", all.PQgetResult);
  library.find("PQgetisnull", all.PQgetisnull);
  library.find("PQgetlength", all.PQgetlength);
  library.find("PQgetvalue", all.PQgetvalue);
  library.find("PQnfields", all.PQnfields);
  library.find("PQntuples", all.PQntuples);
  library.find("PQparameterStatus", all.PQparameterStatus);
  library.find("PQpipelineSync", all.PQpipelineSync);
  library.find("PQresultErrorField", all.PQresultErrorField);
  library.find("PQresultStatus", all.PQresultStatus);
  library.find("PQsendPrepare", all.PQsendPrepare);
  library.find("PQsendQueryParams", all.PQsendQueryParams);
  library.find("PQsendQueryPrepared", all.PQsendQueryPrepared);
  library.find("PQsetNoticeProcessor", all.PQsetNoticeProcessor);
  library.find("PQsetSingleRowMode", all.PQsetSingleRowMode);
  library.find("PQstatus", all.PQstatus);
  library.find("PQtransactionStatus", all.PQtransactionStatus);
  library.find("PQunescapeBytea", all.PQunescapeBytea);
  return all;
}

struct ConnInfoFree {
  void operator()(PQconninfoOption* options) const noexcept { libpq().PQconninfoFree(options); }
};
using ConnInfo = std::unique_ptr<PQconninfoOption, ConnInfoFree>;

ConnInfo parse(const std::string& url) {
  ConnInfo options(libpq().PQconninfoParse(url.c_str(), nullptr));  // libpq's own message may hold a piece of the password
  if (options == nullptr) {
    throw Error(Code::kInvalid,
                "the database's address is not one of PostgreSQL; it looks like "
                "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with % and two hex digits for special characters");
  }
  return options;
}

std::string value_of(const ConnInfo& options, std::string_view key) {
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (key == option->keyword && option->val != nullptr) {
      return option->val;
    }
  }
  return {};
}

}  // namespace

const Libpq& libpq() {
  static const Libpq loaded = load_all();
  return loaded;
}

bool is_postgres_url(std::string_view text) noexcept { return text.starts_with("postgresql://") || text.starts_with("postgres://"); }

std::string postgres_part(const std::string& url, std::string_view part) { return value_of(parse(url), part); }

std::string postgres_name(const std::string& url) {
  const ConnInfo options = parse(url);
  const std::string user = value_of(options, "user");
  const std::string port = value_of(options, "port");
  std::string host = value_of(options, "host");
  host = host.empty() ? value_of(options, "hostaddr") : host;
  return fmt::format("postgresql://{}{}{}{}/{}", user, user.empty() ? "" : "@", host, port.empty() ? "" : ":" + port,
                     value_of(options, "dbname"));
}

std::string postgres_words(const char* message) {
  std::string text = message != nullptr ? message : "";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

PGconn* connect_postgres(const std::string& url) {
  const bool own_timeout = !postgres_part(url, "connect_timeout").empty();
  const std::array<const char*, 5> keys = {"connect_timeout", "application_name", "dbname", "client_encoding", nullptr};
  const std::array<const char*, 5> values = {own_timeout ? nullptr : "10", "slipway", url.c_str(), "UTF8", nullptr};
  PGconn* connection = libpq().PQconnectdbParams(keys.data(), values.data(), 1);  // the address comes later and wins, save the encoding
  if (connection != nullptr) {
    libpq().PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  }
  return connection;
}

}  // namespace slipway::base
