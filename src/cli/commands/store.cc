// slipway store verify: the record checked against its digests. slipway store stats: what it takes, and what sharing saves.
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "store/store.h"

namespace slipway::cli {
namespace {

std::filesystem::path existing_store(App& app) {
  if (!std::filesystem::exists(app.store_path())) {
    app.store();  // throws, saying what to do
  }
  return app.store_path();
}

class VerifyCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"store verify", "every record and blob checked against its digest",
            "Exit code 8 when something does not hold; each problem is a line.", "slipway store verify"};
  }
  void describe(Parameters&) override {}
  int run(App& app) override {
    const store::VerifyReport report = store::verify_store(existing_store(app), app.store_options());
    if (app.json()) {
      app.print_json({{"artifacts", report.artifacts}, {"blobs", report.blobs}, {"bytes", report.bytes}, {"problems", report.problems}});
    } else {
      for (const std::string& problem : report.problems) {
        app.out() << problem << '\n';
      }
      app.out() << fmt::format("{} artifacts, {} blobs, {}: {}\n", report.artifacts, report.blobs,
                               human_count(static_cast<int64_t>(report.bytes), "bytes"),
                               report.problems.empty() ? "whole" : fmt::format("{} problems", report.problems.size()));
    }
    return report.problems.empty() ? 0 : base::exit_code(base::Code::kIntegrity);
  }
};

std::string bytes_text(uint64_t bytes) { return human_count(static_cast<int64_t>(bytes), "bytes"); }

class StatsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"store stats", "what the contents take, and what they share",
            "Contents that records name, each counted once; what files or objects for them take, which is less where versions share\n"
            "bytes; and what `slipway gc` would remove of blobs.",
            "slipway store stats\nslipway store stats --json"};
  }
  void describe(Parameters&) override {}
  int run(App& app) override {
    const store::StoreStats stats = store::store_stats(existing_store(app), app.store_options());
    if (app.json()) {
      app.print_json({{"contents", stats.contents},
                      {"content_bytes", stats.content_bytes},
                      {"kept_bytes", stats.kept_bytes},
                      {"shared_bytes", stats.shared_bytes},
                      {"recipes", stats.recipes},
                      {"packs", stats.packs},
                      {"bundled", stats.bundled},
                      {"bundles", stats.bundles},
                      {"garbage_bytes", stats.garbage_bytes}});
      return 0;
    }
    app.out() << fmt::format("{} contents of {} are kept in {}: {} are shared ({} recipes, {} packs), {} small ones lie in {} bundles; {} of garbage\n",
                             stats.contents, bytes_text(stats.content_bytes), bytes_text(stats.kept_bytes), bytes_text(stats.shared_bytes),
                             stats.recipes, stats.packs, stats.bundled, stats.bundles, bytes_text(stats.garbage_bytes));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_store_verify() { return std::make_unique<VerifyCommand>(); }
std::unique_ptr<Command> make_store_stats() { return std::make_unique<StatsCommand>(); }

}  // namespace slipway::cli
