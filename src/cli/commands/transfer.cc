// slipway export | import: all of a record as one file or folder, and back.
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "store/transfer.h"

namespace slipway::cli {
namespace {

std::string bytes_text(uint64_t bytes) { return human_count(static_cast<int64_t>(bytes), "bytes"); }

void tell(App& app, const store::TransferReport& report, const std::string& what) {
  if (app.json()) {
    app.print_json({{"tables", report.tables},
                    {"rows", report.rows},
                    {"blobs", report.blobs},
                    {"bytes", report.bytes},
                    {"blobs_there", report.blobs_there},
                    {"sealed_secrets", report.sealed},
                    {"plain_secrets", report.plain},
                    {"already", report.already}});
    return;
  }
  app.out() << fmt::format("{}: {} rows of {} tables, {} blobs ({})\n", what, report.rows, report.tables, report.blobs,
                           bytes_text(report.bytes));
}

class ExportCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"export", "all of the record as one file or folder",
            "Experiments, runs, metrics, artifacts, the registry with the history of its aliases, lineage: everything, as one\n"
            "state, while a server may be writing. A TARGET that ends in .tar.zst is a file, any other a folder, in which an\n"
            "interrupted export goes on. It holds what the record holds: keep it as such. Secrets of webhooks are in it as they are\n"
            "kept, sealed: the key (secrets.key of the record's folder, or the server's --secrets-key) is not, so take it along\n"
            "if the webhooks are to go on.",
            "slipway export record.tar.zst\nslipway import record.tar.zst --store copy"};
  }
  void describe(Parameters& parameters) override { parameters.positional("TARGET", target_, "FILE.tar.zst or a folder"); }
  int run(App& app) override {
    const store::TransferReport report = store::export_store(app.store_path(), target_, {}, app.store_options());
    tell(app, report, "exported");
    if (!app.json() && report.sealed > 0) {
      app.out() << fmt::format("{} secrets of webhooks are in it sealed; the key that opens them is not: secrets.key of the record's folder, "
                               "or the server's --secrets-key\n",
                               report.sealed);
    }
    if (report.plain > 0) {
      app.err() << fmt::format("{} secrets of webhooks are in it as they were given: `slipway server` seals them when it starts\n", report.plain);
    }
    return 0;
  }

 private:
  std::string target_;
};

class ImportCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"import", "a record from an export",
            "Into a store that is not there yet (--store): it appears whole or not at all, every digest checked. Repeating an\n"
            "import changes nothing; an interrupted one goes on. Other trackers: import mlflow, import tensorboard, import wandb.",
            "slipway import record.tar.zst --store copy"};
  }
  void describe(Parameters& parameters) override { parameters.positional("SOURCE", source_, "what 'slipway export' made"); }
  int run(App& app) override {
    if (!app.store_options().database_url.empty()) {
      throw base::Error(base::Code::kInvalid, "an import makes a record in a folder: name one with --store");
    }
    const store::TransferReport report = store::import_store(source_, app.store_path());
    tell(app, report, report.already ? "imported before, nothing to do" : "imported");
    return 0;
  }

 private:
  std::string source_;
};

}  // namespace

std::unique_ptr<Command> make_export() { return std::make_unique<ExportCommand>(); }
std::unique_ptr<Command> make_import() { return std::make_unique<ImportCommand>(); }

}  // namespace slipway::cli
