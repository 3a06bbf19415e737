#include "api/change_guard.h"

#include "api/errors.h"

namespace slipway::api {
namespace {

// "experiment:3 run:ab…"; the address when the request names nothing else.
std::string text_of(const Subjects& subjects, const net::Request& request) {
  if (subjects.empty()) {
    return request.path;
  }
  std::string text;
  const auto add = [&text](const char* kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      text += (text.empty() ? "" : " ") + std::string(kind) + name;
    }
  };
  add("", subjects.names);
  add("experiment:", subjects.experiments);
  add("run:", subjects.runs);
  add("trace:", subjects.traces);
  add("trace:", subjects.new_traces);
  add("model:", subjects.models);
  add("upload:", subjects.uploads);
  add("", subjects.digests);
  return text;
}

}  // namespace

record::AuditEntry audit_entry(const net::Request& request, std::string action, std::string subject) {
  const Caller* caller = caller_of(request);
  record::AuditEntry entry;
  entry.actor = caller == nullptr || caller->account.empty() ? "anonymous" : caller->account;
  entry.credential = caller == nullptr ? "" : caller->credential;
  entry.peer = request.peer;
  entry.action = std::move(action);
  entry.subject = std::move(subject);
  entry.request = request.id;
  return entry;
}

net::Response ChangeGuard::watched(const net::Request& request, const Subjects& subjects,
                                   const std::function<net::Response()>& work) const {
  if (rule_.role <= Role::kViewer || !authority_.audits()) {
    authority_.require(request, rule_, subjects);
    return work();
  }
  const auto change = store_.audit().begin(audit_entry(request, action_, text_of(subjects, request)));
  try {
    authority_.require(request, rule_, subjects);
    net::Response response = work();
    change->end(response.status < 400 ? "ok" : std::to_string(response.status));
    return response;
  } catch (const std::exception& error) {
    change->end(error_word(error));
    throw;
  }
}

}  // namespace slipway::api
