// A server process for the tests: STORE MODEL READY_FILE, or "fail", or "silent" (never ready, ignores SIGTERM).
#include <csignal>
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include "base/file.h"
#include "serve/fixture.h"

int main(int argc, char** argv) {
  using namespace slipway;  // NOLINT: a test's main
  if (argc == 2 && std::strcmp(argv[1], "fail") == 0) {
    std::fputs("cannot find the model\n", stderr);
    return 3;
  }
  if (argc != 4) {
    std::signal(SIGTERM, SIG_IGN);
    for (;;) {
      pause();
    }
  }
  const auto store = store::open_store(argv[1]);
  serve::TestContext context;
  serve::ServeOptions options;
  options.store = argv[1];
  options.model = argv[2];
  serve::EncoderServer server(options, store.get(), context.context);
  server.start();
  base::write_file_atomic(
      argv[3],
      base::dump_json(base::Json{{"pid", getpid()}, {"url", server.url()}, {"deployment", server.deployment_id()}}));
  server.wait_until_signal();
  server.drain();
  return 0;
}
