// slipway doctor: is this machine ready, and what would make it better.
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <sys/statvfs.h>

#include <fmt/format.h>

#include "base/cpu.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "store/store.h"
#include "train/launcher.h"

namespace slipway::cli {
namespace {

struct Finding {
  std::string name;
  std::string status;  // "ok", "warning", "error"
  std::string message;
};

class DoctorCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"doctor", "check this machine, the trainer and the record, and say what to mend",
            "Exit code 1 when something is broken; warnings alone are 0.", "slipway doctor"};
  }
  void describe(Parameters&) override {}
  int run(App& app) override {
    std::vector<Finding> findings = {processor(app), memory_and_disk(app), trainer(app), record_store(app)};
    bool broken = false;
    for (const Finding& finding : findings) {
      broken = broken || finding.status == "error";
      if (app.json()) {
        app.print_json({{"check", finding.name}, {"status", finding.status}, {"message", finding.message}});
      } else {
        const char* mark = finding.status == "ok" ? "✓" : finding.status == "warning" ? "!" : "✗";
        app.out() << fmt::format("{} {:<10} {}\n", mark, finding.name, finding.message);
      }
    }
    return broken ? 1 : 0;
  }

 private:
  static Finding processor(App& app) {
    const base::Isa isa = base::select_isa(app.options().isa);
    const int cores = base::usable_cores();
    const bool slow = isa == base::Isa::kScalar;
    return {"processor", slow ? "warning" : "ok",
            fmt::format("{} cores usable, {}{}", cores, base::isa_name(isa), slow ? ": no AVX2, inference and training will be slow" : "")};
  }

  static Finding memory_and_disk(App& app) {
    struct statvfs info {};
    const std::filesystem::path folder = std::filesystem::exists(app.store_path()) ? app.store_path() : std::filesystem::current_path();
    if (statvfs(folder.c_str(), &info) != 0) {
      return {"disk", "warning", "cannot tell the free space: " + base::errno_text(errno)};
    }
    const auto free = static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
    return {"disk", free < 2'000'000'000 ? "warning" : "ok",
            fmt::format("{} free at {}{}", human_count(free, "bytes"), folder.string(), free < 2'000'000'000 ? "; a run needs about 2 GB" : "")};
  }

  static Finding trainer(App& app) {
    try {
      base::Context context = app.context();
      const char* worker = std::getenv("SLIPWAY_TRAIN");
      const base::Json check = train::check_worker(context, train::find_worker(worker != nullptr ? worker : ""));
      std::string message = fmt::format("libtorch {}, {} threads, {:.0f} GFLOP/s", check.value("torch", "?"), check.value("threads", 0),
                                        check.value("gflops", 0.0));
      bool warned = false;
      for (const auto& warning : check.value("warnings", base::Json::array())) {
        message += "; " + warning.get<std::string>();
        warned = true;
      }
      return {"trainer", warned ? "warning" : "ok", message};
    } catch (const base::Error& error) {
      return {"trainer", "error", error.what()};
    }
  }

  static Finding record_store(App& app) {
    if (!std::filesystem::exists(app.store_path())) {
      return {"record", "ok", fmt::format("none at {} yet; 'slipway run' makes it", app.store_path().string())};
    }
    try {
      app.store().runs().list_runs("", 1);
      return {"record", "ok", fmt::format("opens at {}; 'slipway store verify' checks every digest", app.store_path().string())};
    } catch (const base::Error& error) {
      return {"record", "error", error.what()};
    }
  }
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<DoctorCommand>(); }

}  // namespace slipway::cli
