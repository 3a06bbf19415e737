// The engine as a process that a comparison drives: bench/rivals/onnxruntime_encoder.py.
//   bench_timed_engine FOLDER PRECISION THREADS
// prints {"isa", "precision", "load_seconds", "peak_f32", "peak_int8"} (GOP a CPU-second), then for every line
// {"texts": [[id, ...], ...], "repeat": N} on its input one line {"wall", "cpu", "embeddings"}: seconds of N passes
// over the texts (tokenised already), and what the last pass gave.
#include <cstdlib>
#include <iostream>
#include <string>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"
#include "kernels/peak.h"

namespace slipway {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Billions of operations a CPU-second, best of several.
double peak(double (*pass)(base::Isa) noexcept, base::Isa isa) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    double operations = 0;
    const double begin = cpu_seconds();
    for (int i = 0; i < 100; ++i) {
      operations += pass(isa);
    }
    best = std::max(best, operations * 1e-9 / (cpu_seconds() - begin));
  }
  return best;
}

void answer(engine::Engine& engine, const base::Json& request) {
  const auto texts = base::get<std::vector<std::vector<int32_t>>>(request, "texts", "request");
  const int repeat = base::get_or<int>(request, "repeat", 1, "request");
  engine::Output out;
  const double wall = base::monotonic_seconds();
  const double cpu = cpu_seconds();
  for (int i = 0; i < repeat; ++i) {
    out = engine.forward(texts);
  }
  base::Json reply = {{"wall", base::monotonic_seconds() - wall}, {"cpu", cpu_seconds() - cpu}};
  if (base::get_or<bool>(request, "results", false, "request")) {
    base::Json rows = base::Json::array();
    for (int i = 0; i < out.embeddings.rows; ++i) {
      const auto row = out.embeddings.row(i);
      rows.push_back(std::vector<float>(row.begin(), row.end()));
    }
    reply["embeddings"] = rows;
  }
  std::cout << base::dump_json(reply) << std::endl;
}

int run(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: bench_timed_engine FOLDER PRECISION THREADS\n";
    return 2;
  }
  base::Pool pool(std::atoi(argv[3]));
  const char* isa = std::getenv("SLIPWAY_ISA");
  const double begin = base::monotonic_seconds();
  const auto engine = engine::Engine::load(argv[1], {.precision = argv[2], .isa = isa != nullptr ? isa : ""}, pool);
  const double loaded = base::monotonic_seconds() - begin;
  std::cout << base::dump_json({{"isa", base::isa_name(engine->isa())},
                                {"precision", engine->precision()},
                                {"load_seconds", loaded},
                                {"peak_f32", peak(kernels::peak_f32_pass, engine->isa())},
                                {"peak_int8", peak(kernels::peak_int8_pass, engine->isa())}})
            << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    answer(*engine, base::parse_json(line, "request"));
  }
  return 0;
}

}  // namespace
}  // namespace slipway

int main(int argc, char** argv) {
  try {
    return slipway::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
