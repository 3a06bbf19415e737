#include "api/caller.h"

#include <algorithm>
#include <optional>

#include "api/permission.h"

namespace slipway::api {

Role Caller::role_for(std::string_view name) const noexcept {
  Role role = Role::kNone;
  for (const record::Grant& grant : grants) {
    if (record::covers(grant.project, name)) {
      role = std::max(role, grant.role);
    }
  }
  return role;
}

Role Caller::everywhere() const noexcept {
  Role role = Role::kNone;
  for (const record::Grant& grant : grants) {
    if (grant.project == record::name_of_everything()) {
      role = std::max(role, grant.role);
    }
  }
  return role;
}

Role Caller::best() const noexcept {
  Role role = Role::kNone;
  for (const record::Grant& grant : grants) {
    role = std::max(role, grant.role);
  }
  return role;
}

std::vector<record::Grant> narrowed(const std::vector<record::Grant>& grants, Role role, std::string_view project) {
  std::vector<record::Grant> left;
  for (const record::Grant& grant : grants) {
    const Role lower = std::min(role, grant.role);
    if (record::covers(project, grant.project)) {
      left.push_back({grant.project, lower});
    } else if (record::covers(grant.project, project)) {
      left.push_back({std::string(project), lower});
    }
  }
  return left;
}

const Caller* caller_of(const net::Request& request) noexcept {
  return dynamic_cast<const Caller*>(request.identity.get());
}

bool may_see(const net::Request& request, std::string_view name) noexcept {
  const Caller* caller = caller_of(request);
  return caller == nullptr || caller->role_for(name) >= Role::kViewer;
}

Rule rule_of(std::string_view method, Permission permission) {
  const Role usual = method == "GET" ? Role::kViewer : method == "DELETE" ? Role::kAdmin : Role::kEditor;
  return {permission.role.value_or(usual), permission.filtered, std::move(permission.subjects)};
}

void Rules::add(std::string_view method, std::string_view pattern, Rule rule) {
  rules_.insert_or_assign(std::string(method) + " " + std::string(pattern), std::move(rule));
}

const Rule* Rules::find(std::string_view method, std::string_view pattern) const {
  const auto found = rules_.find(std::string(method == "HEAD" ? "GET" : method) + " " + std::string(pattern));
  return found == rules_.end() ? nullptr : &found->second;
}

}  // namespace slipway::api
