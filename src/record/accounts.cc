#include "record/accounts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/secret.h"

namespace slipway::record {
namespace {

using base::Code;
using base::Error;

constexpr std::array<std::string_view, 5> kRoles = {"none", "viewer", "editor", "approver", "admin"};
constexpr std::array<std::string_view, 3> kKinds = {"personal", "service", "session"};
constexpr std::string_view kTokenStart = "slw_";
constexpr size_t kTokenIdHex = 8;
constexpr size_t kTokenSecretBytes = 32;
constexpr size_t kTokenIdLength = kTokenStart.size() + kTokenIdHex;
constexpr size_t kTokenLength = kTokenIdLength + 1 + 2 * kTokenSecretBytes;
constexpr size_t kMaxAccountName = 64;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string_view name_of(Role role) noexcept { return kRoles[static_cast<size_t>(role)]; }

Role role_named(std::string_view name) {
  for (size_t i = 1; i < kRoles.size(); ++i) {
    if (kRoles[i] == name) {
      return static_cast<Role>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("there is no role '{}'; it is viewer, editor, approver or admin",
                                          name.substr(0, kMaxAccountName)));
}

std::string_view name_of_everything() noexcept { return "*"; }

bool covers(std::string_view project, std::string_view name) noexcept {
  if (project == name_of_everything()) {
    return true;
  }
  return !project.empty() && name.starts_with(project) &&
         (name.size() == project.size() || name[project.size()] == '/' || name[project.size()] == '.');
}

void check_account_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool good = !name.empty() && name.size() <= kMaxAccountName && plain(name.front()) &&
                    std::all_of(name.begin(), name.end(), [&](char c) {
                      return plain(c) || c == '.' || c == '_' || c == '-' || c == '@';
                    });
  if (!good) {
    throw Error(Code::kInvalid, fmt::format("an account's name is 1 to {} of a-z 0-9 . _ - @ and begins with a letter or "
                                            "digit; this is not",
                                            kMaxAccountName));
  }
}

std::string_view name_of(TokenKind kind) noexcept { return kKinds[static_cast<size_t>(kind)]; }

TokenKind token_kind_named(std::string_view name) {
  const auto* const found = std::find(kKinds.begin(), kKinds.end(), name);
  if (found == kKinds.end()) {
    throw Error(Code::kInvalid, fmt::format("there is no kind of token '{}'", name.substr(0, kMaxAccountName)));
  }
  return static_cast<TokenKind>(found - kKinds.begin());
}

NewToken make_token() {
  NewToken made;
  made.token.id = std::string(kTokenStart) + base::random_hex(kTokenIdHex / 2);
  made.secret = made.token.id + "_" + base::random_hex(kTokenSecretBytes);
  made.token.digest = token_digest(made.secret);
  return made;
}

bool is_token(std::string_view text) noexcept {
  return text.size() == kTokenLength && text.starts_with(kTokenStart) && text[kTokenIdLength] == '_' &&
         is_hex(text.substr(kTokenStart.size(), kTokenIdHex)) && is_hex(text.substr(kTokenIdLength + 1));
}

std::string token_digest(std::string_view secret) { return base::sha256_hex(secret); }

std::string audit_hash(const AuditEntry& entry) {
  const base::Json fields = base::Json::array({entry.previous, entry.id, entry.time_ms, entry.actor, entry.credential, entry.peer,
                                   entry.action, entry.subject, entry.outcome, entry.request});
  return base::sha256_hex(base::dump_json(fields));
}

base::Json to_json(const AuditEntry& entry) {
  return {{"id", entry.id},           {"time_ms", entry.time_ms},   {"actor", entry.actor},
          {"credential", entry.credential}, {"peer", entry.peer},   {"action", entry.action},
          {"subject", entry.subject}, {"outcome", entry.outcome},   {"request", entry.request},
          {"previous", entry.previous}, {"hash", entry.hash}};
}

}  // namespace slipway::record
