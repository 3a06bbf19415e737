// Who may use the record, and what was changed by whom: accounts with roles, their tokens, the audit log. Plain values and
// the interfaces that `store` implements; the interfaces are safe from any thread, a write that returned is durable.
// docs/decisions/0006: what a project is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::record {

// What somebody may do in a project; each role may what those before it may. Stored by name.
enum class Role {
  kNone,
  kViewer,    // read
  kEditor,    // log runs, upload, register
  kApprover,  // move aliases and stages: decide what is served
  kAdmin,     // remove what cannot be brought back, accounts, webhooks
};
std::string_view name_of(Role role) noexcept;          // "viewer"; "none"
Role role_named(std::string_view name);                // throws Error(kInvalid) naming those there are
std::string_view name_of_everything() noexcept;        // "*": the project that covers every other

// Does the project cover a record (experiment, registered model, repository) of that name? One of its own name, and those
// that begin with it and '/' or '.'; "*" covers all. O(length).
bool covers(std::string_view project, std::string_view name) noexcept;

struct Grant {
  std::string project;  // "*": everywhere
  Role role = Role::kViewer;
  bool operator==(const Grant&) const = default;
};

struct Account {
  std::string name;      // [a-z0-9][a-z0-9._@-]{0,63}
  std::string password;  // base::hash_password; "": no password opens it (a service, or one that logs in by OIDC)
  bool service = false;
  int64_t created_ms = 0;
  int64_t changed_ms = 0;
  std::vector<Grant> grants;  // by project
};

// A name that an account may have; throws Error(kInvalid) saying what is wrong.
void check_account_name(std::string_view name);

enum class TokenKind { kPersonal, kService, kSession };  // stored by name
std::string_view name_of(TokenKind kind) noexcept;
TokenKind token_kind_named(std::string_view name);

// A secret that stands for an account, as its digest only.
struct Token {
  std::string id;       // its beginning, which may be shown: "slw_1a2b3c4d"
  std::string digest;   // SHA-256 of the whole, 64 hex digits
  std::string account;
  std::string name;     // what it is for, in its owner's words
  TokenKind kind = TokenKind::kPersonal;
  Role role = Role::kAdmin;   // it may no more than this, whatever its account may
  std::string project = "*";  // and only there
  int64_t created_ms = 0;
  int64_t expires_ms = 0;  // 0: never
  int64_t used_ms = 0;     // to a minute; 0: never
};

struct NewToken {
  std::string secret;  // shown once: id, '_' and 64 hex digits from the system's generator
  Token token;         // of which id and digest are set
};
NewToken make_token();
// Does the text have the form of a secret of make_token? Cheap.
bool is_token(std::string_view text) noexcept;
std::string token_digest(std::string_view secret);  // as Token::digest

struct Accounts {
  int64_t version = 0;  // rises with every change of any of them, also by other processes; not with used_ms
  std::vector<Account> accounts;  // by name
  std::vector<Token> tokens;      // newest first
};

class AccountStore {
 public:
  virtual ~AccountStore() = default;
  // All there are; nothing when the version is still `known` (-1: none). Cheap then.
  virtual std::optional<Accounts> read(int64_t known) = 0;
  virtual void add(const Account& account) = 0;  // kConflict when the name is taken
  // Its grants and tokens go with it. Throws kNotFound, as all below.
  virtual void remove(const std::string& name) = 0;
  // Its sessions end.
  virtual void set_password(const std::string& name, const std::string& hash) = 0;
  virtual void grant(const std::string& name, const Grant& grant) = 0;  // kNone takes it away
  virtual void add_token(const Token& token) = 0;
  virtual void remove_token(const std::string& id) = 0;
  // When each was used last, by id; what is not there any more is ignored. On the disk within a second.
  virtual void mark_used(const std::vector<std::pair<std::string, int64_t>>& used) = 0;
};

// A change. What is not known is "".
struct AuditEntry {
  int64_t id = 0;  // 1, 2, 3, … without a gap
  int64_t time_ms = 0;
  std::string actor;       // an account; "local:NAME" of a user at this machine's command line; "anonymous"
  std::string credential;  // the id of its token; "password"
  std::string peer;        // the address it came from
  std::string action;      // "POST /api/2.0/mlflow/runs/create", "users add"
  std::string subject;     // what it was done to
  std::string outcome;     // "ok", or a word for why not: "RESOURCE_DOES_NOT_EXIST"
  std::string request;     // x-request-id
  std::string previous;    // the hash of the entry before; 64 zeros for the first
  std::string hash;        // of all above: docs/formats/store.md
};
// What `hash` must be. Pure.
std::string audit_hash(const AuditEntry& entry);

struct AuditReport {
  int64_t entries = 0;
  std::string head;                   // the hash of the newest; to be kept elsewhere and compared
  std::vector<std::string> problems;  // one sentence each, naming entries; empty: whole. At most 100
};

// The chain of changes. Entries are never altered.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  // Until it goes, changes that its thread makes to the store are of `entry`: the first of them carries it in its own
  // transaction, so that neither is there without the other.
  class Scope {
   public:
    virtual ~Scope() = default;
    // How it ended. Appends the entry when no change carried it; "ok" that a change carried is written already.
    virtual void end(std::string outcome) = 0;
  };
  virtual std::unique_ptr<Scope> begin(AuditEntry entry) = 0;
  virtual std::vector<AuditEntry> list(int64_t after_id, int limit) = 0;  // oldest first
  virtual std::vector<AuditEntry> newest(int limit) = 0;                  // oldest first too
  // Reads all; `until` with an id: that entry must have that hash (what was kept elsewhere).
  virtual AuditReport verify(const std::optional<std::pair<int64_t, std::string>>& until) = 0;
};

base::Json to_json(const AuditEntry& entry);

}  // namespace slipway::record
