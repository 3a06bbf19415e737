#include "api/authority.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "api/credentials.h"
#include "api/errors.h"
#include "api/jwt.h"
#include "api/password_check.h"
#include "api/project_role.h"
#include "base/secret.h"
#include "net/token_bucket.h"
#include "net/workers.h"

namespace slipway::api {
namespace {

constexpr int kPasswordThreads = 1;          // 32 MiB and a core each
constexpr size_t kMaxWaitingPasswords = 64;  // more are told to come back
constexpr int kLookupThreads = 2;            // for the head of requests about one project
constexpr size_t kMaxWaitingLookups = 4096;
constexpr std::chrono::seconds kReadEvery{1};
constexpr int64_t kUsedEveryMs = 60'000;  // how exact Token::used_ms is
constexpr double kAddressShare = 10;      // failures of an address, in those of an account
constexpr double kMsPerHour = 3.6e6;
constexpr int64_t kTicketMs = 3'600'000;
constexpr size_t kTicketSecretBytes = 32;
constexpr const char* kByPassword = "password";  // Caller::credential

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

net::Admission refusal(std::string_view word, const std::string& message) {
  net::Admission admission;
  admission.refusal = error_answer(word, message);
  return admission;
}

net::Admission refusal(const std::exception& error) {
  net::Admission admission;
  admission.refusal = error_answer(error);
  return admission;
}

// A browser opens a window of its own for "Basic", which the pages do not want; it tells itself by Sec-Fetch-Mode.
net::Admission unauthenticated(const net::Request& request, const std::string& message) {
  net::Admission admission = refusal("UNAUTHENTICATED", message);
  admission.refusal->headers.set("WWW-Authenticate", request.headers.has("Sec-Fetch-Mode")
                                                         ? "Bearer realm=\"slipway\""
                                                         : "Basic realm=\"slipway\", charset=\"UTF-8\"");
  return admission;
}

net::Admission too_many(const std::string& message, double wait) {
  net::Admission admission = refusal("REQUEST_LIMIT_EXCEEDED", message);
  admission.refusal->headers.set("Retry-After", fmt::format("{}", std::max(1L, std::lround(std::ceil(wait)))));
  return admission;
}

struct KnownToken {
  KnownToken(record::Token token_in, std::shared_ptr<const Caller> caller_in)
      : token(std::move(token_in)), caller(std::move(caller_in)), used_ms(token.used_ms) {}
  const record::Token token;
  const std::shared_ptr<const Caller> caller;
  std::atomic<int64_t> used_ms;
};

struct KnownAccount {
  std::string password;
  std::shared_ptr<const Caller> caller;
};

// A copy of all accounts, as of a version; constant but for the times of use.
struct Snapshot {
  int64_t version = -1;
  std::unordered_map<std::string, std::unique_ptr<KnownToken>> tokens;  // by digest
  std::unordered_map<std::string, const KnownToken*> by_id;
  std::unordered_map<std::string, KnownAccount> accounts;

  explicit Snapshot(const record::Accounts& all) : version(all.version) {
    for (const record::Account& account : all.accounts) {
      accounts[account.name] = {account.password, std::make_shared<Caller>(account.name, kByPassword, account.grants)};
    }
    for (const record::Token& token : all.tokens) {
      if (const auto owner = accounts.find(token.account); owner != accounts.end()) {
        auto& known = tokens[token.digest] = std::make_unique<KnownToken>(
            token, std::make_shared<Caller>(token.account, token.id,
                                            narrowed(owner->second.caller->grants, token.role, token.project)));
        by_id[token.id] = known.get();
      }
    }
  }
};

}  // namespace

void AuthorityOptions::describe(base::FieldTable& table) {
  table.add("audit", audit, "audit changes also where no accounts are asked for");
  table.add("requests_per_minute", requests_per_minute, "requests a minute of one account; 0: no limit", {0, 1e9});
  table.add("login_failures_per_minute", failures_per_minute,
            "wrong passwords a minute of one account from one address; ten times that of one address", {1, 1e6});
  table.add("session_hours", session_hours, "how long a login of the pages lasts", {0.01, 8760});
}

struct Authority::Impl {
  Impl(AuthorityOptions options_in, record::Store& store_in, const base::Clock& clock_in, base::Log& log_in)
      : options(options_in),
        store(store_in),
        clock(clock_in),
        log(log_in),
        account_failures(options.failures_per_minute),
        address_failures(options.failures_per_minute * kAddressShare) {}

  std::shared_ptr<Snapshot> current() const {
    const std::lock_guard lock(mutex);
    return snapshot;
  }
  void read_again();
  void watch();
  void save_used(const Snapshot& of);
  net::Admission admit_token(const net::Request& request, const Rule& rule, const Credentials& shown);
  net::Admission admit_password(const net::Request& request, const Rule& rule, const Credentials& shown);
  net::Admission admit_ticket(const net::Request& request, const Rule& rule, const Credentials& shown);
  std::string signature_of(std::string_view ticket) const;
  net::Admission admit_caller(const net::Request& request, const Rule& rule, std::shared_ptr<const Caller> caller);
  net::Admission over_rate(const std::string& account);
  double blocked(const std::string& account, const std::string& peer) {
    const double now = base::monotonic_seconds();
    return std::max(account.empty() ? 0 : account_failures.wait(account + '\0' + peer, now),
                    address_failures.wait(peer, now));
  }
  void failed(const std::string& account, const std::string& peer) {
    const double now = base::monotonic_seconds();
    if (!account.empty()) {
      account_failures.failed(account + '\0' + peer, now);
    }
    address_failures.failed(peer, now);
  }
  void check_password(const std::string& account, const std::string& password, const std::string& peer);
  bool allows(const Caller& caller, const Rule& rule, const Subjects& subjects) const;
  void require(const Caller& caller, const Rule& rule, const Subjects& subjects) const;

  const AuthorityOptions options;
  record::Store& store;
  const base::Clock& clock;
  base::Log& log;
  const std::string ticket_secret = base::random_hex(kTicketSecretBytes);  // of this process
  PasswordCheck passwords;
  FailureLimit account_failures;
  FailureLimit address_failures;
  std::atomic<bool> active{false};
  std::mutex reading;                  // one reads accounts at a time
  mutable std::mutex mutex;            // guards snapshot
  std::shared_ptr<Snapshot> snapshot;  // never null once constructed
  std::mutex rate_mutex;               // guards rates
  std::unordered_map<std::string, net::TokenBucket> rates;
  std::mutex stop_mutex;  // guards stopping
  std::condition_variable stopped;
  bool stopping = false;
  std::unique_ptr<net::Workers> password_workers;  // for what the gate decides later; they end before the rest
  std::unique_ptr<net::Workers> lookups;
  std::thread watcher;
};

void Authority::Impl::read_again() {
  const std::lock_guard one(reading);
  const std::shared_ptr<Snapshot> before = current();
  const auto all = store.accounts().read(before ? before->version : -1);
  if (!all) {
    return;
  }
  if (before) {
    save_used(*before);
  }
  auto next = std::make_shared<Snapshot>(*all);
  active.store(options.required || !next->accounts.empty());
  const std::lock_guard lock(mutex);
  snapshot.swap(next);
}

void Authority::Impl::save_used(const Snapshot& of) {
  std::vector<std::pair<std::string, int64_t>> used;
  for (const auto& [digest, known] : of.tokens) {
    if (const int64_t now = known->used_ms.load(); now != known->token.used_ms) {
      used.emplace_back(known->token.id, now);
    }
  }
  if (!used.empty()) {
    store.accounts().mark_used(used);
  }
}

void Authority::Impl::watch() {
  auto saved = std::chrono::steady_clock::now();
  bool told = false;
  std::unique_lock lock(stop_mutex);
  while (!stopped.wait_for(lock, kReadEvery, [this] { return stopping; })) {
    lock.unlock();
    try {
      read_again();
      if (std::chrono::steady_clock::now() - saved > std::chrono::milliseconds(kUsedEveryMs)) {
        saved = std::chrono::steady_clock::now();
        save_used(*current());
      }
      told = false;
    } catch (const std::exception& error) {
      if (!told) {
        log.error("accounts could not be read again; those known are kept", {{"error", std::string(error.what())}});
      }
      told = true;
    }
    lock.lock();
  }
}

bool Authority::Impl::allows(const Caller& caller, const Rule& rule, const Subjects& subjects) const {
  return rule.filtered || rule.role == Role::kNone || caller.everywhere() >= rule.role ||
         role_in(store, caller, subjects) >= rule.role;
}

void Authority::Impl::require(const Caller& caller, const Rule& rule, const Subjects& subjects) const {
  if (!allows(caller, rule, subjects)) {
    throw ApiError("PERMISSION_DENIED",
                   fmt::format("Permission denied: this needs the role '{}' {}; an admin gives it with `slipway users grant`",
                               record::name_of(rule.role),
                               subjects.empty() ? "in every project, for it names none" : "in the project it is about"));
  }
}

void Authority::Impl::check_password(const std::string& account, const std::string& password, const std::string& peer) {
  if (const double wait = blocked(account, peer); wait > 0) {
    throw ApiError("REQUEST_LIMIT_EXCEEDED",
                   fmt::format("too many wrong passwords; try again in {} seconds", std::lround(std::ceil(wait))));
  }
  const std::shared_ptr<Snapshot> now = current();
  const auto found = now->accounts.find(account);
  if (!passwords.verify(account, password, found == now->accounts.end() ? "" : found->second.password)) {
    failed(account, peer);
    throw ApiError("UNAUTHENTICATED", "the account or its password is not right");
  }
}

net::Admission Authority::Impl::over_rate(const std::string& account) {
  if (options.requests_per_minute <= 0) {
    return {};
  }
  const double now = base::monotonic_seconds();
  const std::lock_guard lock(rate_mutex);
  net::TokenBucket& bucket = rates.try_emplace(account, options.requests_per_minute, now).first->second;
  if (bucket.level(now) < 1) {
    const double wait = bucket.seconds_until(1, now);
    return too_many(fmt::format("an account may send {} requests a minute; try again later", options.requests_per_minute),
                    wait);
  }
  bucket.take(1, now);
  return {};
}

net::Admission Authority::Impl::admit_caller(const net::Request& request, const Rule& rule,
                                             std::shared_ptr<const Caller> caller) {
  if (net::Admission over = over_rate(caller->account); over.refusal) {
    over.client = caller->account;
    return over;
  }
  net::Admission admission;
  if (caller->best() < rule.role) {
    admission = refusal("PERMISSION_DENIED",
                        fmt::format("Permission denied: this needs the role '{}', which '{}' has nowhere",
                                    record::name_of(rule.role), caller->account));
  } else if (rule.subjects && caller->everywhere() < rule.role) {
    // What it is about is in the head: decided before the body comes, by asking the store.
    admission.later = [this, rule, caller, subjects = rule.subjects(request)](const auto& done) {
      const bool taken = lookups->post([this, rule, caller, subjects, done] {
        net::Admission decision;
        try {
          require(*caller, rule, subjects);
          decision.identity = caller;
        } catch (const std::exception& error) {
          decision = refusal(error);
        }
        decision.client = caller->account;
        done(std::move(decision));
      });
      if (!taken) {
        done(too_many("too many requests wait to be decided", 1));
      }
    };
    return admission;
  } else {
    admission.identity = caller;
  }
  admission.client = caller->account;
  return admission;
}

net::Admission Authority::Impl::admit_token(const net::Request& request, const Rule& rule, const Credentials& shown) {
  const std::shared_ptr<Snapshot> now = current();
  const std::string digest = record::token_digest(shown.secret);
  const auto found = now->tokens.find(digest);
  const bool session = shown.kind == Credentials::Kind::kSession;
  if (found == now->tokens.end() || !base::equal_in_constant_time(found->second->token.digest, digest) ||
      (found->second->token.kind == record::TokenKind::kSession) != session) {
    if (const double wait = blocked({}, request.peer); wait > 0) {
      return too_many("too many wrong tokens came from this address", wait);
    }
    failed({}, request.peer);
    return unauthenticated(request, session ? "the session has ended: log in again" : "the token is not valid");
  }
  KnownToken& known = *found->second;
  const int64_t now_ms = clock.unix_ms();
  if (known.token.expires_ms > 0 && known.token.expires_ms <= now_ms) {
    return unauthenticated(request, session ? "the session has ended: log in again"
                                            : "the token has expired: `slipway tokens create` makes another");
  }
  // What only reads needs none: the cookie is of SameSite=Strict, and no other page sees the answer.
  if (session && !is_safe(request.method) && rule.role > Role::kViewer &&
      !base::equal_in_constant_time(request.headers.get("X-CSRF-Token"), csrf_token(shown.secret))) {
    return refusal("PERMISSION_DENIED", "the page did not send the session's X-CSRF-Token");
  }
  if (now_ms - known.used_ms.load(std::memory_order_relaxed) > kUsedEveryMs) {
    known.used_ms.store(now_ms, std::memory_order_relaxed);
  }
  return admit_caller(request, rule, known.caller);
}

net::Admission Authority::Impl::admit_password(const net::Request& request, const Rule& rule, const Credentials& shown) {
  const std::shared_ptr<Snapshot> now = current();
  const auto found = now->accounts.find(shown.account);
  if (found != now->accounts.end() && passwords.known(shown.account, shown.secret, found->second.password)) {
    return admit_caller(request, rule, found->second.caller);
  }
  net::Request head = request;
  net::Admission admission;
  admission.later = [this, rule, shown, head = std::move(head)](const auto& done) {
    const bool taken = password_workers->post([this, rule, shown, head, done] {
      net::Admission decision;
      try {
        check_password(shown.account, shown.secret, head.peer);
        const std::shared_ptr<Snapshot> after = current();
        const auto account = after->accounts.find(shown.account);
        decision = account == after->accounts.end() ? unauthenticated(head, "the account has gone")
                                                    : admit_caller(head, rule, account->second.caller);
        if (decision.later) {  // what it is about is to be looked up too: here and now
          require(*account->second.caller, rule, rule.subjects(head));
          decision = {};
          decision.identity = account->second.caller;
          decision.client = shown.account;
        }
      } catch (const ApiError& error) {
        decision = error.word() == "UNAUTHENTICATED" ? unauthenticated(head, error.what()) : refusal(error);
      } catch (const std::exception& error) {
        log.error("a password could not be checked", {{"error", std::string(error.what())}});
        decision = refusal(error);
      }
      done(std::move(decision));
    });
    if (!taken) {
      done(too_many("too many passwords wait to be checked; a token needs no check", 1));
    }
  };
  return admission;
}

std::string Authority::Impl::signature_of(std::string_view ticket) const {
  return encode_base64url(base::hmac_sha256(ticket_secret, ticket));
}

// "slt_" base64url("ACCOUNT\nCREDENTIAL\nEXPIRES\nPATH") "." signature
net::Admission Authority::Impl::admit_ticket(const net::Request& request, const Rule& rule, const Credentials& shown) {
  const size_t dot = shown.secret.find('.');
  const std::string_view text = std::string_view(shown.secret).substr(0, dot);
  const auto refused = [&] { return unauthenticated(request, "the ticket is not valid any more, or not for this address"); };
  if (dot == std::string::npos || !base::equal_in_constant_time(shown.secret.substr(dot + 1), signature_of(text))) {
    return refused();
  }
  // Our own words, from here on.
  const std::string said = decode_base64url(text.substr(kTicketStart.size())).value_or("");
  const size_t account_end = said.find('\n');
  const size_t credential_end = said.find('\n', account_end + 1);
  const size_t expires_end = said.find('\n', credential_end + 1);
  const std::string account = said.substr(0, account_end);
  const std::string credential = said.substr(account_end + 1, credential_end - account_end - 1);
  const int64_t expires_ms = std::stoll(said.substr(credential_end + 1, expires_end - credential_end - 1));
  const int64_t now_ms = clock.unix_ms();
  if (now_ms >= expires_ms || !request.path.starts_with(said.substr(expires_end + 1))) {
    return refused();
  }
  const std::shared_ptr<Snapshot> now = current();
  if (credential == kByPassword) {
    const auto owner = now->accounts.find(account);
    return owner == now->accounts.end() ? refused() : admit_caller(request, rule, owner->second.caller);
  }
  const auto found = now->by_id.find(credential);
  if (found == now->by_id.end() ||
      (found->second->token.expires_ms > 0 && found->second->token.expires_ms <= now_ms)) {
    return refused();
  }
  return admit_caller(request, rule, found->second->caller);
}

Authority::Authority(AuthorityOptions options, record::Store& store, const base::Clock& clock, base::Log& log)
    : impl_(std::make_unique<Impl>(options, store, clock, log)) {
  impl_->read_again();
  impl_->password_workers = std::make_unique<net::Workers>(kPasswordThreads, kMaxWaitingPasswords);
  impl_->lookups = std::make_unique<net::Workers>(kLookupThreads, kMaxWaitingLookups);
  impl_->watcher = std::thread([impl = impl_.get()] { impl->watch(); });
}

Authority::~Authority() {
  {
    const std::lock_guard lock(impl_->stop_mutex);
    impl_->stopping = true;
  }
  impl_->stopped.notify_all();
  impl_->watcher.join();
  impl_->password_workers.reset();
  impl_->lookups.reset();
  try {
    impl_->save_used(*impl_->current());
  } catch (const std::exception& error) {
    impl_->log.error("when tokens were used could not be kept", {{"error", std::string(error.what())}});
  }
}

bool Authority::active() const noexcept { return impl_->active.load(std::memory_order_relaxed); }
bool Authority::audits() const noexcept { return impl_->options.audit || active(); }
void Authority::refresh() { impl_->read_again(); }

net::Admission Authority::admit(const net::Request& request, const Rule* rule) {
  if (!active()) {
    return {};
  }
  static const Rule kNobodys;
  const Rule& asked = rule == nullptr ? kNobodys : *rule;
  const Credentials shown = credentials_of(request);
  net::Admission admission;
  switch (shown.kind) {
    case Credentials::Kind::kNone:
      admission = unauthenticated(request, "You are not authenticated: send a token (Authorization: Bearer; "
                                           "MLFLOW_TRACKING_TOKEN, HF_TOKEN) or an account's name and password (Basic; "
                                           "MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD)");
      break;
    case Credentials::Kind::kBroken:
      admission = unauthenticated(request, "the Authorization header or the cookie is not understood");
      break;
    case Credentials::Kind::kToken:
    case Credentials::Kind::kSession: admission = impl_->admit_token(request, asked, shown); break;
    case Credentials::Kind::kTicket: admission = impl_->admit_ticket(request, asked, shown); break;
    case Credentials::Kind::kPassword:
      if (asked.role != Role::kNone) {
        return impl_->admit_password(request, asked, shown);
      }
      break;
  }
  if (asked.role == Role::kNone && !admission.identity) {  // open: whoever it is
    admission = {};
    admission.identity = std::make_shared<Caller>();
  }
  return admission;
}

void Authority::require(const net::Request& request, const Rule& rule, const Subjects& subjects) const {
  if (const Caller* caller = caller_of(request)) {
    impl_->require(*caller, rule, subjects);
  } else if (active() && rule.role != Role::kNone) {
    // It was let in before the first account was made.
    throw ApiError("UNAUTHENTICATED", "accounts are asked for by now: send the request again");
  }
}

bool Authority::may_read(const net::Request& request, const Subjects& subjects) const {
  const Caller* caller = caller_of(request);
  return caller == nullptr || impl_->allows(*caller, {Role::kViewer, false, {}}, subjects);
}

void Authority::check_password(const std::string& account, const std::string& password, const std::string& peer) {
  impl_->check_password(account, password, peer);
}

std::string Authority::open_session(const std::string& account) {
  record::NewToken made = record::make_token();
  made.token.account = account;
  made.token.name = "login";
  made.token.kind = record::TokenKind::kSession;
  made.token.expires_ms =
      impl_->clock.unix_ms() + static_cast<int64_t>(impl_->options.session_hours * kMsPerHour);
  impl_->store.accounts().add_token(made.token);
  refresh();
  return made.secret;
}

void Authority::close_session(const Caller& caller) {
  impl_->store.accounts().remove_token(caller.credential);
  refresh();
}

std::string Authority::session_cookie(const std::string& secret) const {
  const char* secure = impl_->options.secure ? "; Secure" : "";
  return secret.empty() ? fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{}", kSessionCookie, secure)
                        : fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", kSessionCookie, secret,
                                      static_cast<int64_t>(impl_->options.session_hours * 3600), secure);
}

std::string Authority::ticket(const net::Request& request, std::string_view path) const {
  const Caller* caller = caller_of(request);
  if (caller == nullptr || caller->account.empty()) {
    return {};
  }
  const std::string text =
      std::string(kTicketStart) + encode_base64url(fmt::format("{}\n{}\n{}\n{}", caller->account, caller->credential,
                                                               impl_->clock.unix_ms() + kTicketMs, path));
  return text + "." + impl_->signature_of(text);
}

std::string Authority::csrf_token(std::string_view session_secret) {
  return record::token_digest("csrf:" + std::string(session_secret));
}

}  // namespace slipway::api
