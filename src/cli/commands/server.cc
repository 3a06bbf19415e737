// slipway server: the record served to tracking clients, in the foreground.
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

#include "api/tracking_server.h"
#include "base/error.h"
#include "base/secret.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"
#include "cli/serving.h"
#include "store/store.h"

namespace slipway::cli {
namespace {

constexpr int kMlflowPort = 5000;  // where its clients look first

// Of a container's environment, where nobody types. An account that is there stays as it is.
void make_first_admin(record::Store& store) {
  const char* name = std::getenv("SLIPWAY_ADMIN_NAME");
  const char* password = std::getenv("SLIPWAY_ADMIN_PASSWORD");
  if (name == nullptr || password == nullptr) {
    if ((name == nullptr) != (password == nullptr)) {
      throw base::Error(base::Code::kInvalid, "SLIPWAY_ADMIN_NAME and SLIPWAY_ADMIN_PASSWORD go together; one is missing");
    }
    return;
  }
  const auto all = store.accounts().read(-1);
  for (const record::Account& account : all->accounts) {
    if (account.name == name) {
      return;
    }
  }
  record::Account admin;
  admin.name = name;
  admin.password = base::hash_password(password);
  admin.grants = {{std::string(record::name_of_everything()), record::Role::kAdmin}};
  change_locally(store, "users add", admin.name + ": admin, by SLIPWAY_ADMIN_NAME", [&] { store.accounts().add(admin); });
}

class ServerCommand final : public Command {
 public:
  ServerCommand() { options_.http.port = kMlflowPort; }
  CommandInfo info() const override {
    return {"server", "serve the record to tracking clients until SIGTERM, which drains",
            "Speaks MLflow's REST protocol: experiments, runs, metrics, artifacts, search, the registry. The runs of "
            "`slipway run`\n"
            "are there too, in an experiment named like the project. Once there is an account (`slipway users add`) it asks\n"
            "for one; an --address that lets other machines in needs accounts and TLS. SLIPWAY_ADMIN_NAME and\n"
            "SLIPWAY_ADMIN_PASSWORD make the first admin.",
            "slipway server --port 5000 --data .slipway &\n"
            "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python train.py"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("data", data_, "the folder of the record; default: --store, or .slipway when that is a database");
    parameters.flags.add("secrets_key", secrets_key_, "the file of the key that seals webhooks' secrets; default: secrets.key in the folder");
    parameters.flags.add("ready_file", ready_file_, "written with pid and url once it listens");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    base::Context context = app.context();
    const std::filesystem::path folder = data_.empty() ? app.store_path() : std::filesystem::absolute(data_);
    store::StoreOptions place = app.store_options();
    place.secrets_key = secrets_key_.empty() ? std::filesystem::path() : std::filesystem::absolute(secrets_key_);
    const std::string shown = place.database_url.empty() ? folder.string() : store::shown_database(place.database_url);
    const auto store = store::open_store(folder, place);
    make_first_admin(*store);
    if (const char* secret = std::getenv("SLIPWAY_OIDC_CLIENT_SECRET"); secret != nullptr) {
      options_.oidc.client_secret = secret;
    }
    api::TrackingServer server(options_, *store, context);
    server.start();
    const base::Json ready = {{"pid", getpid()}, {"url", server.url()}, {"data", folder.string()}, {"store", shown}};
    say_ready(app, ready_file_, ready, fmt::format("the record '{}' at {} (pid {})\n", shown, server.url(), getpid()));
    return serve_until_signal(app, server);
  }

 private:
  api::TrackingServerOptions options_;
  std::string data_;
  std::string secrets_key_;
  std::string ready_file_;
};

}  // namespace

std::unique_ptr<Command> make_server() { return std::make_unique<ServerCommand>(); }

}  // namespace slipway::cli
