// slipway bench: how fast a decoder runs here, as llama-bench tells it, beside what this machine's memory allows.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <future>
#include <numeric>
#include <ostream>

#include "base/error.h"
#include "base/random.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/table.h"
#include "engine/generator.h"
#include "kernels/memory.h"
#include "kernels/peak.h"

namespace slipway::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

struct Measured {
  double mean = 0;
  double deviation = 0;  // of the sample
};

Measured measure(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Measured out;
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) {
    squares += (value - out.mean) * (value - out.mean);
  }
  out.deviation = values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
  return out;
}

// Bytes a second that all threads read together from memory of `bytes`, the median of some passes.
double read_bandwidth(int64_t bytes, base::Isa isa, base::Pool& pool) {
  constexpr int64_t kUnit = int64_t{1} << 20;
  const int64_t parts = std::max<int64_t>(4 * pool.size(), bytes / (4 * kUnit));
  const int64_t part = (bytes / parts + 1023) / 1024 * 1024;
  const auto memory = kernels::aligned_array<std::byte>(static_cast<size_t>(part * parts));
  std::fill_n(memory.get(), part * parts, std::byte{1});
  std::vector<double> rates;
  for (int i = 0; i < 9; ++i) {
    const auto begin = Clock::now();
    pool.parallel_for(parts, [&](int64_t p) { kernels::read_pass(isa, memory.get() + p * part, part); });
    rates.push_back(static_cast<double>(part * parts) / seconds_since(begin));
  }
  std::nth_element(rates.begin(), rates.begin() + 4, rates.end());
  return rates[4];
}

class BenchCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"bench", "tokens a second of a language model: reading prompts, writing text",
            "Like llama-bench: pp128 reads a prompt of 128 random tokens, tg128 writes 128 tokens after one; mean and "
            "standard\n"
            "deviation over the repetitions, after one that does not count. \"of bandwidth\" says how much of the "
            "memory's\n"
            "measured read bandwidth writing uses: a token reads every weight once.",
            "slipway bench SmolLM2-135M-Instruct.gguf --threads 2"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, a .gguf file, models:/NAME@ALIAS, models:/NAME/3 or hf://NS/NAME");
    parameters.flags.add("prefill", prefill_, "lengths of the prompts to read, separated by commas");
    parameters.flags.add("decode", decode_, "tokens to write; 0: leave it out", {0, 1 << 20});
    parameters.flags.add("streams", streams_, "texts written at the same time", {1, 1024});
    parameters.flags.add("repetitions", repetitions_, "measurements of each", {1, 1000});
    options_.max_batch_tokens = 512;
    lora_.describe(parameters.flags);
    options_.describe(parameters.flags);
  }

  int run(App& app) override {
    const std::vector<int> lengths = prompt_lengths();
    adapter_ = lora_.choose(options_);
    options_.prefix_cache = false;  // every repetition must compute
    options_.max_sequences = std::max(options_.max_sequences, streams_);
    const auto begin = Clock::now();
    const auto generator = open_generator(app, locate_decoder(app, model_), options_);
    const double load_seconds = seconds_since(begin);
    const engine::GeneratorInfo& info = generator->info();
    const double bandwidth = read_bandwidth(info.weight_bytes, base::select_isa(options_.isa), app.pool());
    Table table({"model", "size", "params", "type", "threads", "test", "tokens/s", "of bandwidth"});
    const auto report = [&](const std::string& test, const std::vector<double>& rates, bool decodes) {
      const Measured m = measure(rates);
      const double share = m.mean / streams_ * static_cast<double>(info.weight_bytes) / bandwidth;
      if (app.json()) {
        base::Json row = {{"model", info.name},
                          {"architecture", info.architecture},
                          {"weight_bytes", info.weight_bytes},
                          {"parameters", info.parameters},
                          {"weight_type", info.weight_type},
                          {"kv_type", info.kv_type},
                          {"isa", info.isa},
                          {"threads", app.pool().size()},
                          {"test", test},
                          {"tokens_per_second", m.mean},
                          {"deviation", m.deviation},
                          {"repetitions", repetitions_},
                          {"load_ms", load_seconds * 1000},
                          {"read_bandwidth", bandwidth}};
        if (decodes) {
          row["bandwidth_share"] = share;
        }
        app.print_json(row);
        return;
      }
      table.row({info.architecture + " " + info.name,
                 fmt::format("{:.1f} MB", static_cast<double>(info.weight_bytes) / 1e6),
                 fmt::format("{:.1f} M", static_cast<double>(info.parameters) / 1e6), info.weight_type,
                 fmt::format("{}", app.pool().size()), test, fmt::format("{:.2f} ± {:.2f}", m.mean, m.deviation),
                 decodes ? fmt::format("{:.0f} %", share * 100) : ""});
    };
    for (const int length : lengths) {
      report(fmt::format("pp{}", length), repeat([&] { return prefill_rate(*generator, length); }), false);
    }
    if (decode_ > 0) {
      report(streams_ > 1 ? fmt::format("tg{} x{}", decode_, streams_) : fmt::format("tg{}", decode_),
             repeat([&] { return decode_rate(*generator); }), true);
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
      app.out() << fmt::format("read bandwidth {:.1f} GB/s, {}, loaded in {:.0f} ms\n", bandwidth / 1e9, info.isa,
                               load_seconds * 1000);
    }
    return 0;
  }

 private:
  std::vector<int> prompt_lengths() const {
    std::vector<int> lengths;
    std::string_view rest = prefill_;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      int length = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), length);
      if (error != std::errc() || end != word.data() + word.size() || length < 1) {
        throw base::Error(base::Code::kInvalid, fmt::format("--prefill '{}': want lengths like 128,512", prefill_));
      }
      lengths.push_back(length);
    }
    return lengths;
  }

  template <class Run>
  std::vector<double> repeat(const Run& run) const {
    run();  // memory is touched for the first time, clocks rise
    std::vector<double> rates;
    for (int i = 0; i < repetitions_; ++i) {
      rates.push_back(run());
    }
    return rates;
  }

  engine::GenerateRequest request_of(const engine::Generator& generator, int prompt) {
    engine::GenerateRequest request;
    for (int i = 0; i < prompt; ++i) {
      request.ids.push_back(static_cast<int32_t>(rng_.below(static_cast<uint64_t>(generator.info().vocab_size))));
    }
    request.adapter = adapter_;
    request.sampling.temperature = 0;
    request.sampling.ignore_eos = true;
    return request;
  }

  double prefill_rate(engine::Generator& generator, int length) {
    engine::GenerateRequest request = request_of(generator, length);
    request.max_tokens = 1;
    const auto begin = Clock::now();
    engine::generate(generator, std::move(request));
    return length / seconds_since(begin);
  }

  // From the first token to the last, over all streams.
  double decode_rate(engine::Generator& generator) {
    Clock::time_point first;
    Clock::time_point last;
    int64_t tokens = 0;  // after each stream's first; the scheduler's thread alone, until all are done
    std::vector<std::future<void>> done;
    for (int i = 0; i < streams_; ++i) {
      engine::GenerateRequest request = request_of(generator, 1);
      request.max_tokens = decode_ + 1;
      request.on_token = [&](const engine::TokenEvent& event) {
        last = Clock::now();
        if (event.index > 0) {
          ++tokens;
        } else {
          first = last;
        }
      };
      auto promise = std::make_shared<std::promise<void>>();
      done.push_back(promise->get_future());
      request.on_done = [promise](const engine::GenerateResult&) { promise->set_value(); };
      generator.submit(std::move(request));
    }
    for (std::future<void>& future : done) {
      future.get();
    }
    return static_cast<double>(tokens) / std::chrono::duration<double>(last - first).count();
  }

  std::string model_;
  std::string prefill_ = "128,512";
  int decode_ = 128;
  int streams_ = 1;
  int repetitions_ = 5;
  LoraFlag lora_;
  std::string adapter_;
  engine::GeneratorOptions options_;
  base::Rng rng_{1};
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<BenchCommand>(); }

}  // namespace slipway::cli
