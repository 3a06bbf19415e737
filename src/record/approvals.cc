#include "record/approvals.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slipway::record {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxAliases = 100;
constexpr size_t kMaxAliasBytes = 255;
constexpr size_t kMaxGates = 1000;
constexpr size_t kMaxGateText = 2000;  // of a reason: it is shown to people
constexpr std::array<std::string_view, 3> kVerdicts = {"approve", "reject", "withdraw"};
constexpr std::array<std::string_view, 4> kStates = {"not_required", "pending", "approved", "rejected"};
constexpr std::array<std::string_view, 3> kStatuses = {"passed", "failed", "unknown"};
constexpr std::array<std::string_view, 4> kPolicyKeys = {"required_approvals", "protected_aliases", "separate_author", "gates_must_pass"};

template <class Enum, size_t N>
std::string_view text_of(const std::array<std::string_view, N>& names, Enum value) noexcept {
  return names[static_cast<size_t>(value)];
}

[[noreturn]] void wrong(std::string_view source, std::string_view key, std::string_view wanted) {
  throw Error(Code::kInvalid, fmt::format("{}: '{}' is to be {}", source, key, wanted));
}

// A text of an evaluation, which an editor may have uploaded.
std::string short_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>().substr(0, kMaxGateText) : std::string();
}

double number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}

VersionGate gate_of(const Json& json) {
  VersionGate gate;
  const auto passed = json.is_object() ? json.find("passed") : json.end();
  if (!json.is_object() || passed == json.end() || !passed->is_boolean()) {
    gate.gate = json.is_object() ? short_text(json, "text") : "";
    gate.reason = "the evaluation does not say whether it passed";
    return gate;
  }
  gate.gate = short_text(json, "text");
  gate.measured = number(json, "left");
  gate.threshold = number(json, "right");
  gate.reason = short_text(json, "reason");
  const bool measured = std::isfinite(gate.measured) && std::isfinite(gate.threshold);
  gate.status = passed->get<bool>() ? GateStatus::kPassed : measured ? GateStatus::kFailed : GateStatus::kUnknown;
  return gate;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

Json to_json(const ModelPolicy& policy) {
  return {{"required_approvals", policy.required_approvals},
          {"protected_aliases", policy.protected_aliases},
          {"separate_author", policy.separate_author},
          {"gates_must_pass", policy.gates_must_pass}};
}

ModelPolicy policy_from_json(const Json& json, std::string_view source) {
  if (!json.is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: a policy is a JSON object", source));
  }
  ModelPolicy policy;
  for (auto it = json.begin(); it != json.end(); ++it) {
    const Json& value = it.value();
    if (it.key() == kPolicyKeys[0]) {
      if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > kMaxRequiredApprovals) {
        wrong(source, it.key(), fmt::format("a whole number from 0 to {}", kMaxRequiredApprovals));
      }
      policy.required_approvals = value.get<int>();
    } else if (it.key() == kPolicyKeys[1]) {
      if (!value.is_array() || value.size() > kMaxAliases) {
        wrong(source, it.key(), fmt::format("a list of at most {} aliases", kMaxAliases));
      }
      policy.protected_aliases.clear();
      for (const Json& alias : value) {
        if (!alias.is_string() || alias.get_ref<const std::string&>().empty() ||
            alias.get_ref<const std::string&>().size() > kMaxAliasBytes) {
          wrong(source, it.key(), "a list of aliases, texts that are not empty");
        }
        policy.protected_aliases.push_back(alias.get<std::string>());
      }
    } else if (it.key() == kPolicyKeys[2] || it.key() == kPolicyKeys[3]) {
      if (!value.is_boolean()) {
        wrong(source, it.key(), "true or false");
      }
      (it.key() == kPolicyKeys[2] ? policy.separate_author : policy.gates_must_pass) = value.get<bool>();
    } else {
      throw Error(Code::kInvalid, fmt::format("{}: a policy has no '{}'; it has {}", source, it.key(), fmt::join(kPolicyKeys, ", ")));
    }
  }
  return policy;
}

std::string_view name_of(Verdict verdict) noexcept { return text_of(kVerdicts, verdict); }
std::string_view name_of(ApprovalState state) noexcept { return text_of(kStates, state); }
std::string_view name_of(GateStatus status) noexcept { return text_of(kStatuses, status); }

Verdict verdict_named(std::string_view name) {
  for (size_t i = 0; i < kVerdicts.size(); ++i) {
    if (kVerdicts[i] == name) {
      return static_cast<Verdict>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("a decision is one of {}, not '{}'", fmt::join(kVerdicts, ", "), name.substr(0, 100)));
}

Json to_json(const Approval& approval) {
  Json decisions = Json::array();
  for (const Decision& decision : approval.decisions) {
    decisions.push_back({{"who", decision.who},
                         {"decision", name_of(decision.verdict)},
                         {"comment", decision.comment},
                         {"time_ms", decision.time_ms}});
  }
  return {{"state", name_of(approval.state)}, {"required", approval.required}, {"decisions", std::move(decisions)}};
}

Json to_json(const VersionGate& gate) {
  return {{"gate", gate.gate},
          {"status", name_of(gate.status)},
          {"measured", number_or_null(gate.measured)},
          {"threshold", number_or_null(gate.threshold)},
          {"reason", gate.reason}};
}

std::vector<VersionGate> gates_of(const Json& evaluation) {
  std::vector<VersionGate> gates;
  const auto list = evaluation.is_object() ? evaluation.find("gates") : evaluation.end();
  if (!evaluation.is_object() || list == evaluation.end() || list->is_null()) {
    return gates;
  }
  if (!list->is_array() || list->size() > kMaxGates) {
    gates.push_back({"gates", GateStatus::kUnknown, std::nan(""), std::nan(""),
                     fmt::format("the evaluation's gates are no list of at most {}", kMaxGates)});
    return gates;
  }
  for (const Json& json : *list) {
    gates.push_back(gate_of(json));
  }
  return gates;
}

}  // namespace slipway::record
