// slipway store verify | gc: the record checked against its digests, and what nobody names removed.
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

class GcCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"store gc", "remove blobs that no record names", "Counts only, unless --yes.", "slipway store gc --yes"};
  }
  void describe(Parameters& parameters) override { parameters.flags.add("yes", yes_, "really remove them"); }
  int run(App& app) override {
    const store::GarbageReport report = store::collect_garbage(existing_store(app), !yes_, app.store_options());
    if (app.json()) {
      app.print_json({{"blobs", report.blobs}, {"bytes", report.bytes}, {"leftovers", report.leftovers}, {"removed", yes_}});
    } else {
      app.out() << fmt::format("{} blobs ({}) and {} leftovers {}\n", report.blobs,
                               human_count(static_cast<int64_t>(report.bytes), "bytes"), report.leftovers,
                               yes_ ? "removed" : "could be removed; --yes removes them");
    }
    return 0;
  }

 private:
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_store_verify() { return std::make_unique<VerifyCommand>(); }
std::unique_ptr<Command> make_store_gc() { return std::make_unique<GcCommand>(); }

}  // namespace slipway::cli
