#include "cli/app.h"

#include <cstdlib>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/blob_transport.h"
#include "cli/progress.h"
#include "store/s3.h"
#include "store/store.h"

namespace slipway::cli {

namespace fs = std::filesystem;

void GlobalOptions::describe(base::FieldTable& table) {
  table.add("json", json, "results as JSON on standard output, one object a line");
  table.add("quiet", quiet, "no progress, no notes");
  table.add("color", color, "colours", {"auto", "always", "never"});
  table.add("store", store, "the folder of the record, against the project's folder; or postgresql://… for its rows");
  table.add("blobs", blobs, "where artifacts' contents are: s3://BUCKET/PREFIX (AWS_ACCESS_KEY_ID, …); default: in the folder");
  table.add("blobs_endpoint", blobs_endpoint, "the S3 server, http(s)://HOST[:PORT]; default: AWS_ENDPOINT_URL, else Amazon's");
  table.add("threads", threads, "threads for computing; 0 = the cores this process may use", {0, 1024});
  table.add("isa", isa, "limit of the instruction set: scalar, avx2, avx512, avx512_vnni");
  table.add("log_level", log_level, "least level of log lines on standard error", {"debug", "info", "warning", "error"});
  table.add("log_format", log_format, "form of log lines", {"text", "json"});
}

App::App(IoStreams io, GlobalOptions options, std::stop_token stop)
    : io_(io), options_(std::move(options)), stop_(std::move(stop)) {}
App::~App() = default;

namespace {

bool use_color(const std::string& setting, bool terminal) {
  if (setting != "auto") {
    return setting == "always";
  }
  const char* term = std::getenv("TERM");
  return terminal && std::getenv("NO_COLOR") == nullptr && (term == nullptr || std::string_view(term) != "dumb");
}

}  // namespace

bool App::color_out() const { return use_color(options_.color, io_.out_terminal); }
bool App::color_err() const { return use_color(options_.color, io_.err_terminal); }

void App::print_json(const base::Json& value) { io_.out << base::dump_json(value) << '\n' << std::flush; }

base::Pool& App::pool() {
  if (!pool_) {
    pool_ = std::make_unique<base::Pool>(options_.threads);
  }
  return *pool_;
}

base::Log& App::log() {
  if (!log_) {
    const auto level = options_.log_level == "debug"     ? base::LogLevel::kDebug
                       : options_.log_level == "info"    ? base::LogLevel::kInfo
                       : options_.log_level == "warning" ? base::LogLevel::kWarning
                                                         : base::LogLevel::kError;
    const auto format = options_.log_format == "json" ? base::Log::Format::kJson : base::Log::Format::kText;
    log_ = std::make_unique<base::Log>([this](std::string_view line) { io_.err << line << '\n' << std::flush; }, level, format);
  }
  return *log_;
}

base::Progress& App::progress() {
  if (!progress_) {
    progress_ = std::make_unique<LineProgress>(
        io_.err, LineProgress::Style{.live = live(), .color = color_err(), .quiet = options_.quiet});
  }
  return *progress_;
}

base::Context App::context() { return {pool(), log(), clock_, progress(), stop_}; }

fs::path App::store_path(const fs::path& project_dir) const {
  const fs::path folder = store::is_database_url(options_.store) ? ".slipway" : options_.store;
  return folder.is_absolute() ? folder : fs::absolute(project_dir / folder);
}

std::vector<std::string> App::store_flags(const fs::path& project_dir) const {
  const bool server = store::is_database_url(options_.store);
  std::vector<std::string> flags = {"--store", server ? options_.store : store_path(project_dir).string()};
  if (!options_.blobs.empty()) {
    flags.insert(flags.end(), {"--blobs", options_.blobs});
  }
  if (!options_.blobs_endpoint.empty()) {
    flags.insert(flags.end(), {"--blobs-endpoint", options_.blobs_endpoint});
  }
  return flags;
}

store::StoreOptions App::store_options() {
  store::StoreOptions options;
  if (store::is_database_url(options_.store)) {
    options.database_url = options_.store;
  }
  if (!options_.blobs.empty()) {
    const auto variable = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value != nullptr ? value : "");
    };
    if (!blob_transport_) {
      blob_transport_ = std::make_unique<BlobTransport>();
    }
    options.objects =
        store::open_s3(store::s3_options(options_.blobs, options_.blobs_endpoint, variable), *blob_transport_, clock_);
  }
  return options;
}

record::Store& App::store(const fs::path& project_dir, bool create) {
  if (!store_) {
    const fs::path folder = store_path(project_dir);
    const store::StoreOptions options = store_options();
    if (!create && options.database_url.empty() && !fs::exists(folder)) {
      throw base::Error(base::Code::kNotFound, fmt::format("there is no record at '{}'; run 'slipway run' in a project first, or name one with --store", folder.string()));
    }
    store_ = store::open_store(folder, options);
  }
  return *store_;
}

std::shared_ptr<record::Store> App::shared_store() { return store_; }

}  // namespace slipway::cli
