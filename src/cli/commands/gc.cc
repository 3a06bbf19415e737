// slipway gc: what was deleted, and what nothing names, removed for good.
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "store/store.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

// "30d", "12h", "90m" or "0": milliseconds.
int64_t duration_ms(const std::string& text) {
  size_t used = 0;
  double amount = -1;
  try {
    amount = std::stod(text, &used);
  } catch (const std::exception&) {  // told below
  }
  const std::string unit = text.substr(std::min(used, text.size()));
  const double scale = unit == "d" ? 86'400'000 : unit == "h" ? 3'600'000 : unit == "m" ? 60'000 : 0;
  if (amount < 0 || amount > 1e6 || (scale == 0 && !(amount == 0 && unit.empty()))) {
    throw Error(Code::kInvalid, fmt::format("--retention takes a time such as 30d, 12h or 90m, got '{}'", text));
  }
  return static_cast<int64_t>(amount * scale);
}

std::string bytes_text(uint64_t bytes) { return human_count(static_cast<int64_t>(bytes), "bytes"); }

class GcCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"gc", "remove deleted runs and experiments for good, and what nothing names any more",
            "Runs and experiments that were deleted at least --retention ago, blobs that no record names, and what uploads left\n"
            "behind. A run that a model version came from is kept. May run beside a server. Only counts, unless --yes.",
            "slipway gc --dry-run\nslipway gc --retention 7d --yes"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("retention", retention_, "how long deleted runs and experiments can be restored: 30d, 12h, 90m or 0");
    parameters.flags.add("dry_run", dry_run_, "only count, whatever else is said");
    parameters.flags.add("yes", yes_, "really remove");
  }
  int run(App& app) override {
    store::GarbageOptions options;
    options.retention_ms = duration_ms(retention_);
    options.dry_run = dry_run_ || !yes_;
    const store::GarbageReport report = store::collect_garbage(app.store_path(), options, app.store_options());
    if (app.json()) {
      app.print_json({{"experiments", report.experiments},
                      {"runs", report.runs},
                      {"kept_runs", report.kept_runs},
                      {"blobs", report.blobs},
                      {"bytes", report.bytes},
                      {"sparse", report.sparse},
                      {"sparse_bytes", report.sparse_bytes},
                      {"leftovers", report.leftovers},
                      {"leftover_bytes", report.leftover_bytes},
                      {"removed", !options.dry_run}});
      return 0;
    }
    app.out() << fmt::format("{} experiments, {} runs, {} blobs ({}), {} leftovers of uploads ({}) {}\n", report.experiments,
                             report.runs, report.blobs, bytes_text(report.bytes), report.leftovers,
                             bytes_text(report.leftover_bytes),
                             options.dry_run ? "could be removed; --yes removes them" : "removed");
    if (report.sparse > 0) {
      app.out() << fmt::format("{} blobs of which later versions need less than a half: {} more {}\n", report.sparse,
                               bytes_text(report.sparse_bytes), options.dry_run ? "could be removed" : "removed");
    }
    if (report.kept_runs > 0) {
      app.out() << fmt::format("{} deleted runs are kept: model versions came from them\n", report.kept_runs);
    }
    return 0;
  }

 private:
  std::string retention_ = "30d";
  bool dry_run_ = false;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_gc() { return std::make_unique<GcCommand>(); }

}  // namespace slipway::cli
