// What every command does that serves until a signal: it says where, waits, and drains.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/app.h"

namespace slipway::cli {

// A server listens: `ready` goes to the file (empty: to none), then `text` (with --json `ready`) to standard output.
void say_ready(App& app, const std::string& ready_file, const base::Json& ready, const std::string& text);
// Warns of requests that the drain's deadline cut off.
void say_cut(App& app, int requests);

// `server` was started. Returns the exit code once a signal (or app's stop) came and what was under way is done.
template <class Server>
int serve_until_signal(App& app, Server& server) {
  server.wait_until_signal();
  say_cut(app, server.drain());
  return 0;
}

}  // namespace slipway::cli
