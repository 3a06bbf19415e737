// What keeping predictions costs a request: the same server over the same model with log_predictions off, async and
// durable, asked by 1 and by 8 clients over kept connections. usage: bench_serve_logging [MODEL_FOLDER [REQUESTS]];
// without a folder a tiny random model, so that the rest of a request is as small as it gets.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "serve/fixture.h"

namespace slipway::serve {
namespace {

std::vector<double> ask(const std::string& url, int clients, int requests) {
  std::vector<double> milliseconds;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int c = 0; c < clients; ++c) {
    threads.emplace_back([&] {
      net::HttpClient client(url);
      std::vector<double> mine;
      for (int i = 0; i < requests / clients; ++i) {
        const double begin = base::monotonic_seconds();
        const int status =
            client.post_json("/v1/classify", {{"inputs", "the movie is very good and the plot was not"}}).status;
        if (status != 200) {
          std::fprintf(stderr, "answered %d\n", status);
          std::exit(1);
        }
        mine.push_back((base::monotonic_seconds() - begin) * 1000);
      }
      const std::lock_guard lock(mutex);
      milliseconds.insert(milliseconds.end(), mine.begin(), mine.end());
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return milliseconds;
}

void run(const std::filesystem::path& model, const std::string& mode, int clients, int requests) {
  const base::TempDir dir;
  const auto store = store::open_store(dir.path());
  TestContext context;
  ServeOptions options;
  options.model = model.string();
  options.store = dir.path().string();
  options.log_predictions = mode;
  EncoderServer server(options, store.get(), context.context);
  server.start();
  ask(server.url(), clients, requests / 10);
  const double begin = base::monotonic_seconds();
  const std::vector<double> sorted = ask(server.url(), clients, requests);
  const double seconds = base::monotonic_seconds() - begin;
  const auto at = [&](double q) { return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))]; };
  server.drain();
  std::printf("%-8s %d clients  %7.0f requests/s  p50 %6.2f ms  p95 %6.2f ms  p99 %6.2f ms  kept %lld\n", mode.c_str(),
              clients, static_cast<double>(sorted.size()) / seconds, at(0.5), at(0.95), at(0.99),
              static_cast<long long>(store->predictions().count("")));
}

}  // namespace
}  // namespace slipway::serve

int main(int argc, char** argv) {
  const slipway::base::TempDir dir;
  std::filesystem::path model = argc > 1 ? argv[1] : "";
  if (argc < 2) {
    model = dir.path() / "tiny";
    slipway::tests::write_tiny_bert(model);
  }
  const int requests = argc > 2 ? std::atoi(argv[2]) : 2'000;
  for (const int clients : {1, 8}) {
    for (const char* mode : {"off", "async", "durable"}) {
      slipway::serve::run(model, mode, clients, requests);
    }
  }
}
