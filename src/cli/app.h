// What a command runs in: streams, global options, and the shared machinery, each made when first asked for (a command that
// needs no store opens none). One App per process; commands run on the main thread.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "record/stores.h"
#include "store/store.h"

namespace slipway::cli {

class BlobTransport;

// Streams are injected so that tests see what a user sees.
struct IoStreams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_terminal = false;
  bool err_terminal = false;
};

struct GlobalOptions {
  bool json = false;
  bool quiet = false;
  std::string color = "auto";
  std::string store = ".slipway";
  std::string blobs;
  std::string blobs_endpoint;
  int threads = 0;
  std::string isa;
  std::string log_level = "warning";
  std::string log_format = "text";
  void describe(base::FieldTable& table);
};

class App {
 public:
  App(IoStreams io, GlobalOptions options, std::stop_token stop);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  std::istream& in() { return io_.in; }
  std::ostream& out() { return io_.out; }
  std::ostream& err() { return io_.err; }
  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.json; }
  // Whether to colour standard output / standard error (a terminal, NO_COLOR, TERM=dumb, --color).
  bool color_out() const;
  bool color_err() const;
  bool live() const { return io_.err_terminal && !options_.quiet && !options_.json; }

  // Writes one line of JSON to standard output.
  void print_json(const base::Json& value);

  base::Pool& pool();
  base::Log& log();
  base::Progress& progress();
  base::Context context();
  std::stop_token stop() const { return stop_; }

  // The store's folder: --store, made absolute against `project_dir`; `.slipway` there when --store names a database.
  std::filesystem::path store_path(const std::filesystem::path& project_dir = {}) const;
  // Where its rows and blobs are, when not in the folder. What it borrows lives as long as the App.
  store::StoreOptions store_options();
  // The flags that name the same place to another process.
  std::vector<std::string> store_flags(const std::filesystem::path& project_dir = {}) const;
  // Opens it once; the folder is created only when `create`, else a missing one is Error(kNotFound).
  record::Store& store(const std::filesystem::path& project_dir = {}, bool create = false);
  std::shared_ptr<record::Store> shared_store();

 private:
  IoStreams io_;
  GlobalOptions options_;
  std::stop_token stop_;
  std::unique_ptr<base::Pool> pool_;
  std::unique_ptr<base::Log> log_;
  std::unique_ptr<base::Progress> progress_;
  std::unique_ptr<BlobTransport> blob_transport_;  // outlives the store
  base::SystemClock clock_;
  std::shared_ptr<record::Store> store_;
};

}  // namespace slipway::cli
