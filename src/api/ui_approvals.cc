// Policies of models and decisions on their versions: api/openapi.yaml. What they decide is decided in the store.
#include "api/approvals.h"
#include "api/registry.h"
#include "api/registry_messages.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

struct Decide {
  std::string name;
  std::string version;
  std::string decision;
  std::string comment;
  std::string who;
};

}  // namespace

template <>
struct Table<Decide> {
  static constexpr bool kNamesRecord = true;
  using M = Decide;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::version>("version", kRequired),
                                         field<&M::decision>("decision", kRequired), field<&M::comment>("comment"),
                                         field<&M::who>("who")};
};

namespace {

void check_model(Backend& backend, const std::string& name) {
  if (!backend.store.tracking().models().find(name)) {
    throw base::Error(base::Code::kNotFound, "Registered Model with name=" + name + " not found");
  }
}

std::string policy(Backend& backend, const std::string& name) {
  check_model(backend, name);
  return base::dump_json(record::to_json(backend.store.approvals().policy(name)));
}

net::Response set_policy(Backend& backend, const net::Request& request) {
  const std::string name(request.param("name"));
  const record::ModelPolicy wanted = record::policy_from_json(body_object(request), "the policy");
  for (const std::string& alias : wanted.protected_aliases) {
    check_alias(alias);
  }
  backend.store.approvals().set_policy(name, wanted);
  return net::json_response(record::to_json(wanted));
}

std::string decide(Backend& backend, const Decide& message, const net::Request& request) {
  record::Decision decision;
  decision.who = decider_of(request, message.who);
  decision.verdict = record::verdict_named(message.decision);
  decision.comment = message.comment;
  return base::dump_json(
      record::to_json(backend.store.approvals().decide(message.name, version_number(message.version), decision)));
}

}  // namespace

void add_ui_approval_routes(Routes& routes, Backend& backend) {
  routes.add<ModelName>("GET", "/ui/models/{name}/policy",
                        [&backend](const ModelName& message) { return policy(backend, message.name); });
  Permission admin = on([](const net::Request& request) { return Subjects{{std::string(request.param("name"))}, {}, {}}; });
  admin.role = Role::kAdmin;
  routes.add_raw(
      "PUT", "/ui/models/{name}/policy", [&backend](const net::Request& request) { return set_policy(backend, request); }, admin);
  routes.add<Decide>(
      "POST", "/ui/models/{name}/versions/{version}/decisions",
      [&backend](const Decide& message, const net::Request& request) { return decide(backend, message, request); },
      needs(Role::kApprover));
}

}  // namespace slipway::api
