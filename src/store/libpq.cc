#include "store/libpq.h"

#include "base/shared_library.h"

namespace slipway::store {
namespace {

Libpq load_all() {
  const base::SharedLibrary library({"libpq.so.5", "a store in PostgreSQL", "libpq5", "14"});
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
  library.find("PQgetResult", all.PQgetResult);
  library.find("PQgetisnull", all.PQgetisnull);
  library.find("PQgetlength", all.PQgetlength);
  library.find("PQgetvalue", all.PQgetvalue);
  library.find("PQntuples", all.PQntuples);
  library.find("PQparameterStatus", all.PQparameterStatus);
  library.find("PQpipelineSync", all.PQpipelineSync);
  library.find("PQresultErrorField", all.PQresultErrorField);
  library.find("PQresultStatus", all.PQresultStatus);
  library.find("PQsendPrepare", all.PQsendPrepare);
  library.find("PQsendQueryParams", all.PQsendQueryParams);
  library.find("PQsendQueryPrepared", all.PQsendQueryPrepared);
  library.find("PQsetNoticeProcessor", all.PQsetNoticeProcessor);
  library.find("PQstatus", all.PQstatus);
  library.find("PQtransactionStatus", all.PQtransactionStatus);
  library.find("PQunescapeBytea", all.PQunescapeBytea);
  return all;
}

}  // namespace

const Libpq& libpq() {
  static const Libpq loaded = load_all();
  return loaded;
}

}  // namespace slipway::store
