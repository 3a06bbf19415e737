// A model server over a tiny random model, for the clients of tests/compat: STORE_FOLDER MODEL_NAME READY_FILE [API_KEY]. It
// writes
// {"pid","url","grpc","deployment"} when it listens and drains at SIGTERM.
#include <unistd.h>

#include "base/file.h"
#include "serve/fixture.h"

int main(int argc, char** argv) {
  using namespace slipway;  // NOLINT: a test's main
  if (argc != 4 && argc != 5) {
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  base::make_dirs(folder);
  const auto store = store::open_store(folder);
  tests::write_tiny_bert(folder / argv[2]);
  serve::TestContext context;
  serve::ServeOptions options;
  options.store = folder.string();
  options.model = (folder / argv[2]).string();
  options.endpoint = argv[2];
  options.grpc_port = 0;
  options.access.api_key = argc == 5 ? argv[4] : "";
  serve::EncoderServer server(options, store.get(), context.context);
  server.start();
  base::write_file_atomic(
      argv[3], base::dump_json({{"pid", getpid()}, {"url", server.url()}, {"grpc", server.grpc_url()}, {"deployment", server.deployment_id()}}));
  server.wait_until_signal();
  return server.drain() == 0 ? 0 : 1;
}
