// slipway server: the record served to tracking clients, in the foreground.
#include <fmt/format.h>
#include <ostream>
#include <unistd.h>

#include "api/tracking_server.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "store/store.h"

namespace slipway::cli {
namespace {

constexpr int kMlflowPort = 5000;  // where its clients look first

class ServerCommand final : public Command {
 public:
  ServerCommand() { options_.http.port = kMlflowPort; }
  CommandInfo info() const override {
    return {"server", "serve the record to tracking clients until SIGTERM, which drains",
            "Speaks MLflow's REST protocol: experiments, runs, metrics, artifacts, search, the registry. The runs of "
            "`slipway run`\n"
            "are there too, in an experiment named like the project. Listens on this machine only.",
            "slipway server --port 5000 --data .slipway &\n"
            "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python train.py"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("data", data_, "the folder of the record; default: --store, or .slipway when that is a database");
    parameters.flags.add("ready_file", ready_file_, "written with pid and url once it listens");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    base::Context context = app.context();
    const std::filesystem::path folder = data_.empty() ? app.store_path() : std::filesystem::absolute(data_);
    const store::StoreOptions place = app.store_options();
    const std::string shown = place.database_url.empty() ? folder.string() : store::shown_database(place.database_url);
    const auto store = store::open_store(folder, place);
    api::TrackingServer server(options_, *store, context);
    server.start();
    const base::Json ready = {{"pid", getpid()}, {"url", server.url()}, {"data", folder.string()}, {"store", shown}};
    if (!ready_file_.empty()) {
      base::write_file_atomic(ready_file_, base::dump_json(ready) + "\n");
    }
    if (app.json()) {
      app.print_json(ready);
    } else {
      app.out() << fmt::format("the record '{}' at {} (pid {})\n", shown, server.url(), getpid())
                << std::flush;
    }
    server.wait_until_signal();
    const int cut = server.drain();
    if (cut > 0) {
      app.log().warning("requests were cut off at the drain's deadline", {{"requests", cut}});
    }
    return 0;
  }

 private:
  api::TrackingServerOptions options_;
  std::string data_;
  std::string ready_file_;
};

}  // namespace

std::unique_ptr<Command> make_server() { return std::make_unique<ServerCommand>(); }

}  // namespace slipway::cli
