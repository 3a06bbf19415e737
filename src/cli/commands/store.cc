// slipway store verify: the record checked against its digests.
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

}  // namespace

std::unique_ptr<Command> make_store_verify() { return std::make_unique<VerifyCommand>(); }

}  // namespace slipway::cli
