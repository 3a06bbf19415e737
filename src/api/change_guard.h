// What stands between a route and its handler on a worker: that the caller may do this to the records that the request
// names, and that a change is in the audit log with it. Immutable; any thread.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "api/authority.h"
#include "api/permission.h"
#include "record/stores.h"

namespace slipway::api {

class ChangeGuard {
 public:
  // Borrows authority and store.
  ChangeGuard(Authority& authority, record::Store& store, Rule rule, std::string action)
      : authority_(authority), store_(store), rule_(std::move(rule)), action_(std::move(action)) {}

  // Runs `work` if the caller may; throws ApiError (403) if not, and what `work` throws. `subjects` gives what the request
  // names; it is not asked on a server without accounts.
  template <class Names, class Work>
  net::Response run(const net::Request& request, const Names& subjects, const Work& work) const {
    return authority_.audits() || request.identity ? watched(request, subjects(), work) : work();
  }

 private:
  net::Response watched(const net::Request& request, const Subjects& subjects,
                        const std::function<net::Response()>& work) const;
  Authority& authority_;
  record::Store& store_;
  const Rule rule_;
  const std::string action_;  // "POST /api/2.0/mlflow/runs/create"
};

// What the audit log says of a request: who, from where.
record::AuditEntry audit_entry(const net::Request& request, std::string action, std::string subject);

}  // namespace slipway::api
