#include "store/libpq.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::store {
namespace {

template <class Function>
void load(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));  // NOLINT: what dlsym is for
  if (function == nullptr) {
    throw base::Error(base::Code::kFailure,
                      fmt::format("the library libpq.so.5 is too old, it has no {}: PostgreSQL's 14 or later is needed", name));
  }
}

Libpq load_all() {
  void* library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);  // stays for the life of the process
  if (library == nullptr) {
    throw base::Error(base::Code::kFailure,
                      "a store in PostgreSQL needs its client library, libpq.so.5, which is not here: install libpq5");
  }
  Libpq all{};
  load(library, "PQclear", all.PQclear);
  load(library, "PQcmdStatus", all.PQcmdStatus);
  load(library, "PQcmdTuples", all.PQcmdTuples);
  load(library, "PQconnectdbParams", all.PQconnectdbParams);
  load(library, "PQconnectionNeedsPassword", all.PQconnectionNeedsPassword);
  load(library, "PQconninfoFree", all.PQconninfoFree);
  load(library, "PQconninfoParse", all.PQconninfoParse);
  load(library, "PQconsumeInput", all.PQconsumeInput);
  load(library, "PQenterPipelineMode", all.PQenterPipelineMode);
  load(library, "PQerrorMessage", all.PQerrorMessage);
  load(library, "PQexec", all.PQexec);
  load(library, "PQexecParams", all.PQexecParams);
  load(library, "PQexitPipelineMode", all.PQexitPipelineMode);
  load(library, "PQfinish", all.PQfinish);
  load(library, "PQfreemem", all.PQfreemem);
  load(library, "PQftype", all.PQftype);
  load(library, "PQgetResult", all.PQgetResult);
  load(library, "PQgetisnull", all.PQgetisnull);
  load(library, "PQgetlength", all.PQgetlength);
  load(library, "PQgetvalue", all.PQgetvalue);
  load(library, "PQntuples", all.PQntuples);
  load(library, "PQparameterStatus", all.PQparameterStatus);
  load(library, "PQpipelineSync", all.PQpipelineSync);
  load(library, "PQresultErrorField", all.PQresultErrorField);
  load(library, "PQresultStatus", all.PQresultStatus);
  load(library, "PQsendPrepare", all.PQsendPrepare);
  load(library, "PQsendQueryParams", all.PQsendQueryParams);
  load(library, "PQsendQueryPrepared", all.PQsendQueryPrepared);
  load(library, "PQsetNoticeProcessor", all.PQsetNoticeProcessor);
  load(library, "PQstatus", all.PQstatus);
  load(library, "PQtransactionStatus", all.PQtransactionStatus);
  load(library, "PQunescapeBytea", all.PQunescapeBytea);
  return all;
}

}  // namespace

const Libpq& libpq() {
  static const Libpq loaded = load_all();
  return loaded;
}

}  // namespace slipway::store
