// Who may do what on a server: decides on the head of a request (net::Gate) whose credential it shows and whether that has
// the route's role at all, and in a handler whether it has it in the projects that the request names. Keeps a copy of all
// accounts and tokens, read again when they change: by this process at once, by another (`slipway users`) within a second.
// Borrows the store. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/caller.h"
#include "api/permission.h"
#include "base/clock.h"
#include "base/fields.h"
#include "base/log.h"
#include "net/gate.h"
#include "record/stores.h"

namespace slipway::api {

struct AuthorityOptions {
  bool required = false;            // accounts are asked for even when there are none
  bool audit = false;               // changes are audited also where no accounts are asked for
  bool secure = false;              // cookies are for TLS only
  double requests_per_minute = 0;   // of one account; 0: no limit
  double failures_per_minute = 10;  // wrong passwords of one account from one address; ten times that of one address
  double session_hours = 12;
  void describe(base::FieldTable& table);
};

class Authority {
 public:
  Authority(AuthorityOptions options, record::Store& store, const base::Clock& clock, base::Log& log);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // Are accounts asked for? So once there is one, or when they are required.
  bool active() const noexcept;
  bool audits() const noexcept;  // are changes audited?

  // For a gate. `rule` is the route's; null for an address that is none or of nobody's making: an admin's then. What is
  // let through has an identity, unless this is not active. Copies what it needs of the request when it decides later.
  net::Admission admit(const net::Request& request, const Rule* rule);
  // In a handler: throws ApiError (403) unless the caller has the role in the project of each record that the request
  // names; everywhere when it names none. May ask the store.
  void require(const net::Request& request, const Rule& rule, const Subjects& subjects) const;
  // The same of reading, for a handler that tells only what its caller may see.
  bool may_read(const net::Request& request, const Subjects& subjects) const;

  // Checks a password, which takes a third of a second. Throws ApiError: 401, or 429 after too many wrong ones.
  void check_password(const std::string& account, const std::string& password, const std::string& peer);
  // A new session of an account: its secret, for the cookie.
  std::string open_session(const std::string& account);
  void close_session(const Caller& caller);
  // The cookie's whole header value; without a secret, the one that removes it.
  std::string session_cookie(const std::string& secret) const;
  // For addresses and tokens that a server gives its client, which sends them back without a credential (git-lfs and Xet
  // uploads): lets whoever shows it do what the caller may, at addresses that begin with `path`, for an hour or until the
  // caller's credential ends. As a Bearer token, or as the parameter `ticket` of the address. "" where nobody is asked.
  std::string ticket(const net::Request& request, std::string_view path) const;

  // What a page must send as X-CSRF-Token with anything but GET, when the cookie is what says who it is.
  static std::string csrf_token(std::string_view session_secret);

  // Reads accounts again, if they changed.
  void refresh();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
