#include "cli/local_change.h"

#include <iostream>
#include <pwd.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

std::string local_user() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

// What is typed is not shown until this goes.
class EchoOff {
 public:
  EchoOff() {
    good_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    good_ = good_ && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~EchoOff() {
    if (good_) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  bool good_ = false;
};

std::string typed(App& app, const std::string& prompt) {
  app.err() << prompt << std::flush;
  std::string line;
  {
    const EchoOff silent;
    std::getline(app.in(), line);
  }
  app.err() << '\n';
  return line;
}

}  // namespace

std::string local_person() { return "local:" + local_user(); }

void change_locally(record::Store& store, const std::string& action, const std::string& subject,
                    const std::function<void()>& change) {
  record::AuditEntry entry;
  entry.actor = local_person();
  entry.action = action;
  entry.subject = subject;
  const auto scope = store.audit().begin(std::move(entry));
  try {
    change();
  } catch (const Error& error) {
    scope->end(base::code_name(error.code()));
    throw;
  }
  scope->end("ok");
}

std::string new_password(App& app, const std::string& account) {
  std::string password;
  if (&app.in() == &std::cin && ::isatty(STDIN_FILENO) == 1) {
    password = typed(app, "password for '" + account + "': ");
    if (typed(app, "once more: ") != password) {
      throw Error(Code::kInvalid, "the two passwords differ; nothing was changed");
    }
  } else if (!std::getline(app.in(), password)) {
    throw Error(Code::kInvalid, "the password is read from standard input, which is empty");
  }
  if (password.ends_with('\r')) {
    password.pop_back();
  }
  base::check_password(password);
  return password;
}

}  // namespace slipway::cli
