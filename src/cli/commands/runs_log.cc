// slipway runs create | log | finish | sync: runs written from a shell, to the record or to any MLflow server, through a spool
// that outlives outages (include/slipway/run.h).
#include <chrono>
#include <cstdlib>
#include <istream>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"
#include "slipway/run.h"
#include "track/spool_root.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// "KEY=VALUE" each.
Pairs pairs_of(const std::vector<std::string>& texts, const char* flag) {
  Pairs pairs;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(Code::kInvalid, fmt::format("--{} takes KEY=VALUE, got '{}'", flag, text));
    }
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

double number_of(const std::string& key, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') {
    throw Error(Code::kInvalid, fmt::format("the metric '{}' must be a number, got '{}'", key, text));
  }
  return value;
}

// What the commands share: where to, where the spools are, how long to wait.
class SpoolCommand : public Command {
 protected:
  void describe_place(Parameters& parameters) {
    parameters.flags.add("tracking_uri", uri_, "http[s]://HOST:PORT or a record's folder; default: $MLFLOW_TRACKING_URI, else --store");
    parameters.flags.add("spool", spool_, "folder of spools; default: 'spool' in the store's folder");
    parameters.flags.add("wait", wait_s_, "seconds to wait until all is sent; what is not stays in the spool", {0, 3600});
  }

  RunOptions options(App& app) const {
    RunOptions options;
    const char* named = std::getenv("MLFLOW_TRACKING_URI");
    options.tracking_uri = uri_;
    if (uri_.empty() && (named == nullptr || *named == '\0')) {
      if (!app.store_options().database_url.empty()) {
        throw Error(Code::kInvalid, "a record in PostgreSQL is logged to through its server: --tracking-uri http://HOST:PORT");
      }
      options.tracking_uri = app.store_path().string();
    }
    options.spool = root(app);
    return options;
  }

  std::filesystem::path root(App& app) const {
    return spool_.empty() ? app.store_path() / "spool" : std::filesystem::path(spool_);
  }

  std::chrono::milliseconds wait() const { return std::chrono::milliseconds(static_cast<int64_t>(wait_s_ * 1000)); }

  // Says what became of it; the exit code.
  static int tell(App& app, const Run& run, bool sent) {
    const RunCounts counts = run.counts();
    if (app.json()) {
      app.print_json({{"spool", run.id()},
                      {"run_id", run.run_id()},
                      {"sent", sent},
                      {"dropped", counts.dropped},
                      {"refused", counts.refused},
                      {"error", counts.error}});
    }
    if (counts.refused + counts.dropped > 0) {
      throw Error(Code::kInvalid,
                  fmt::format("{} records were refused, {} dropped: {}", counts.refused, counts.dropped, counts.error));
    }
    if (!sent && !app.json()) {
      app.err() << fmt::format("not sent yet ({}); kept in the spool, 'slipway runs sync' sends it\n",
                               counts.error.empty() ? "no answer in time" : counts.error);
    }
    return 0;
  }

 private:
  std::string uri_;
  std::string spool_;
  double wait_s_ = 10;
};

class CreateCommand final : public SpoolCommand {
 public:
  CommandInfo info() const override {
    return {"runs create", "begin a run at a server or in the record, and print its id",
            "The id is the server's, or the spool's while the server is away: 'runs log' and 'runs finish' take both.",
            "run=$(slipway runs create --experiment sentiment --name first)\nslipway runs log $run --metrics loss=0.5 --step 1\n"
            "slipway runs finish $run"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("experiment", experiment_, "by name, made when there is none; default: $MLFLOW_EXPERIMENT_NAME, else Default");
    parameters.flags.add("name", name_, "of the run, for people");
    parameters.flags.add("tags", tags_, "KEY=VALUE,…");
    describe_place(parameters);
  }
  int run(App& app) override {
    RunOptions wanted = options(app);
    wanted.experiment = experiment_;
    wanted.name = name_;
    for (auto& [key, value] : pairs_of(tags_, "tags")) {
      wanted.tags[key] = value;
    }
    std::filesystem::path made;
    int code = 0;
    {
      Run run(wanted);
      run.detach();
      // A first record, so that there is something whose sending makes the run.
      run.set_tag("mlflow.source.type", "LOCAL");
      const bool sent = run.flush(wait());
      if (!app.json()) {
        app.out() << (run.run_id().empty() ? run.id() : run.run_id()) << '\n';
      }
      code = tell(app, run, sent);
      made = sent ? track::spool_root(wanted.spool) / run.id() : "";
    }
    if (!made.empty()) {
      std::filesystem::remove_all(made);  // its work is done: from here on the run goes by the server's id
    }
    return code;
  }

 private:
  std::string experiment_;
  std::string name_;
  std::vector<std::string> tags_;
};

class LogCommand final : public SpoolCommand {
 public:
  CommandInfo info() const override {
    return {"runs log", "log metrics, parameters, tags and files of a run",
            "With --stdin, each line is a JSON object: {\"metrics\": {\"loss\": 0.5}, \"step\": 3, \"params\": {…}, \"tags\": {…}}.",
            "slipway runs log $run --params lr=3e-5,epochs=2\nslipway runs log $run --metrics loss=0.41,accuracy=0.83 --step 100\n"
            "slipway runs log $run --artifacts report.html --artifact-path reports"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("RUN", run_, "what 'runs create' printed, or the id of any run at the server");
    parameters.flags.add("metrics", metrics_, "KEY=NUMBER,…");
    parameters.flags.add("step", step_, "of these metrics");
    parameters.flags.add("params", params_, "KEY=VALUE,…");
    parameters.flags.add("tags", tags_, "KEY=VALUE,…");
    parameters.flags.add("artifacts", artifacts_, "files to keep with the run");
    parameters.flags.add("artifact_path", folder_, "the artifact folder they go to");
    parameters.flags.add("stdin", stdin_, "read lines of JSON from standard input");
    describe_place(parameters);
  }
  int run(App& app) override {
    const Pairs metrics = pairs_of(metrics_, "metrics");
    const Pairs params = pairs_of(params_, "params");
    const Pairs tags = pairs_of(tags_, "tags");
    RunOptions wanted = options(app);
    wanted.resume = run_;
    Run run(wanted);
    run.detach();
    for (const auto& [key, value] : metrics) {
      run.log_metric(key, number_of(key, value), step_);
    }
    for (const auto& [key, value] : params) {
      run.log_param(key, value);
    }
    for (const auto& [key, value] : tags) {
      run.set_tag(key, value);
    }
    for (const std::string& file : artifacts_) {
      run.log_artifact(file, folder_);
    }
    if (stdin_) {
      log_lines(app, run);
    }
    return tell(app, run, run.flush(wait()));
  }

 private:
  static void log_lines(App& app, Run& run) {
    std::string line;
    for (int64_t number = 1; std::getline(app.in(), line); ++number) {
      if (line.empty()) {
        continue;
      }
      const std::string source = fmt::format("line {} of standard input", number);
      const Json json = base::parse_json(line, source);
      const auto step = base::get_or<int64_t>(json, "step", 0, source);
      const auto metrics = base::get_or<std::map<std::string, double>>(json, "metrics", {}, source);
      for (const auto& [key, value] : metrics) {
        run.log_metric(key, value, step, base::get_or<int64_t>(json, "time_ms", 0, source));
      }
      const auto params = base::get_or<std::map<std::string, std::string>>(json, "params", {}, source);
      for (const auto& [key, value] : params) {
        run.log_param(key, value);
      }
      const auto tags = base::get_or<std::map<std::string, std::string>>(json, "tags", {}, source);
      for (const auto& [key, value] : tags) {
        run.set_tag(key, value);
      }
    }
  }

  std::string run_;
  std::vector<std::string> metrics_;
  std::vector<std::string> params_;
  std::vector<std::string> tags_;
  std::vector<std::string> artifacts_;
  std::string folder_;
  int64_t step_ = 0;
  bool stdin_ = false;
};

class FinishCommand final : public SpoolCommand {
 public:
  CommandInfo info() const override {
    return {"runs finish", "say that a run has ended, and how", "", "slipway runs finish $run --status FAILED"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("RUN", run_, "what 'runs create' printed, or the id of any run at the server");
    parameters.flags.add("status", status_, "FINISHED, FAILED or KILLED", {"FINISHED", "FAILED", "KILLED"});
    describe_place(parameters);
  }
  int run(App& app) override {
    RunOptions wanted = options(app);
    wanted.resume = run_;
    Run run(wanted);
    const bool sent = run.finish(status_ == "FAILED"   ? RunEnd::kFailed
                                 : status_ == "KILLED" ? RunEnd::kKilled
                                                       : RunEnd::kFinished,
                                 wait());
    return tell(app, run, sent);
  }

 private:
  std::string run_;
  std::string status_ = "FINISHED";
};

class SyncCommand final : public SpoolCommand {
 public:
  CommandInfo info() const override {
    return {"runs sync", "send what killed or offline programs left in their spools",
            "Exit code 7 when something could not be sent; it stays in the spool. Credentials are those of this environment.",
            "slipway runs sync\nslipway runs sync --dry-run"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("SPOOL", options_.id, "only the spool of this id", false);
    parameters.flags.add("mark_killed", options_.mark_killed, "runs that nobody ended, and whose program has gone, end as KILLED");
    parameters.flags.add("dry_run", options_.dry_run, "only tell what is there");
    parameters.flags.add("tracking_uri", options_.uri, "send there, not where the run was begun");
    parameters.flags.add("spool", spool_, "folder of spools; default: 'spool' in the store's folder");
  }
  int run(App& app) override {
    const auto results = track::sync_spools(spool_.empty() ? app.store_path() / "spool" : track::spool_root(spool_), options_);
    Table table({"SPOOL", "RUN", "STATE", "SENT", "LEFT", "DROPPED", "REFUSED", "TO"});
    bool waiting = false;
    for (const track::SyncResult& result : results) {
      waiting = waiting || result.state == "waiting";
      if (app.json()) {
        app.print_json({{"spool", result.id},
                        {"run_id", result.run_id},
                        {"tracking_uri", result.uri},
                        {"state", result.state},
                        {"sent", result.sent},
                        {"left", result.left},
                        {"dropped", result.dropped},
                        {"refused", result.refused},
                        {"damaged_bytes", result.damaged},
                        {"error", result.error}});
        continue;
      }
      table.row({result.id.substr(0, 8), result.run_id.substr(0, 8), result.state, std::to_string(result.sent),
                 std::to_string(result.left), std::to_string(result.dropped), std::to_string(result.refused), result.uri});
      if (!result.error.empty()) {
        app.err() << fmt::format("{}: {}\n", result.id.substr(0, 8), result.error);
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return waiting && !options_.dry_run ? base::exit_code(Code::kUnavailable) : 0;
  }

 private:
  track::SyncOptions options_;
  std::string spool_;
};

}  // namespace

std::unique_ptr<Command> make_runs_create() { return std::make_unique<CreateCommand>(); }
std::unique_ptr<Command> make_runs_log() { return std::make_unique<LogCommand>(); }
std::unique_ptr<Command> make_runs_finish() { return std::make_unique<FinishCommand>(); }
std::unique_ptr<Command> make_runs_sync() { return std::make_unique<SyncCommand>(); }

}  // namespace slipway::cli
