// Changes of accounts from the command line: who makes them, and secrets typed in.
#pragma once

#include <functional>
#include <string>

#include "cli/app.h"

namespace slipway::cli {

// "local:NAME": the user of this machine who runs the program, as the record calls them.
std::string local_person();

// Makes the change with an entry in the audit log of the user of this machine who asked for it; rethrows what it throws.
void change_locally(record::Store& store, const std::string& action, const std::string& subject,
                    const std::function<void()>& change);

// A new password: typed twice, unseen, on a terminal; else the first line of standard input. Throws Error(kInvalid).
std::string new_password(App& app, const std::string& account);

}  // namespace slipway::cli
