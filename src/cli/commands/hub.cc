// slipway pull, slipway push: repositories of a hub as folders.
#include <cstdlib>
#include <fmt/format.h>
#include <ostream>

#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "hub/pull.h"
#include "hub/push.h"
#include "hub/snapshots.h"

namespace slipway::cli {
namespace {

hub::ClientOptions options_of(App& app, const std::string& endpoint) {
  hub::ClientOptions options =
      hub::options_from_environment([](const char* name) { return std::getenv(name); });  // NOLINT(concurrency-mt-unsafe)
  if (!endpoint.empty()) {
    options.endpoint = endpoint;
  }
  options.stop = app.stop();
  return options;
}

constexpr const char* kEndpointHelp = "the hub's address; default: HF_ENDPOINT";
constexpr const char* kAbout =
    "The hub is any that speaks the Hugging Face Hub API, `slipway server` too: HF_ENDPOINT names it, HF_TOKEN is sent to it.";

class PullCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"pull", "bring a repository of a hub into a folder, each file verified",
            std::string(kAbout) +
                "\nFiles come several at once. What an interrupted pull has brought is kept, and the same command goes on from there.",
            "HF_ENDPOINT=http://127.0.0.1:5000 slipway pull hf://team/movie-sentiment --to model\n"
            "slipway pull hf://datasets/team/reviews@v1.0 --include '*.parquet' --endpoint https://hub.example.org"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("ADDRESS", address_, "hf://NS/NAME or hf://datasets/NS/NAME, with @REVISION, with /FILE");
    parameters.flags.add("to", to_, "folder to bring it into; default: NAME");
    parameters.flags.add("include", include_, "only files that match this pattern (*, ?, [a-z]); repeated or separated by commas");
    parameters.flags.add("endpoint", endpoint_, kEndpointHelp);
    parameters.flags.add("parallel", parallel_, "files at once", {1, 64});
  }
  int run(App& app) override {
    const hub::Address address = hub::parse_address(address_);
    const hub::ClientOptions options = options_of(app, endpoint_);
    hub::Client client(options);
    const std::string commit = client.commit_of(address);
    std::vector<std::string> patterns = include_;
    if (!address.file.empty()) {
      patterns.insert(patterns.end(), {address.file, address.file + "/*"});
    }
    const std::vector<hub::RemoteFile> files = hub::matching(client.list(address, commit), patterns);
    if (files.empty()) {
      throw base::Error(base::Code::kNotFound, fmt::format("{} has no file to bring{}", address.text(), patterns.empty() ? "" : " that matches"));
    }
    const std::filesystem::path folder = to_.empty() ? address.name.substr(address.name.find('/') + 1) : to_;
    hub::pull(options, {address, commit, files, folder, parallel_}, app.progress());
    const auto bytes = static_cast<int64_t>(hub::total_size(files));
    if (app.json()) {
      app.print_json({{"address", address.text()}, {"commit", commit}, {"path", folder.string()}, {"files", files.size()}, {"bytes", bytes}});
    } else {
      app.out() << fmt::format("{}: {} files, {} of {} at {}\n", folder.string(), files.size(), human_count(bytes, "bytes"), address.text(), commit);
    }
    return 0;
  }

 private:
  std::string address_;
  std::string to_;
  std::vector<std::string> include_;
  std::string endpoint_;
  int parallel_ = 4;
};

class PushCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"push", "send a folder to a repository of a hub as a commit",
            std::string(kAbout) +
                "\nThe repository is made when there is none. Only files that are new or changed are sent, large ones before the commit:\n"
                "what an interrupted push has sent is not sent again. Hidden files stay here; files of the repository that are not in\n"
                "the folder stay there.",
            "HF_ENDPOINT=http://127.0.0.1:5000 slipway push model hf://team/movie-sentiment --message 'after the fix'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FOLDER", folder_, "what to send");
    parameters.positional("ADDRESS", address_, "hf://NS/NAME or hf://datasets/NS/NAME, with @BRANCH");
    parameters.flags.add("message", message_, "first line of the commit");
    parameters.flags.add("include", include_, "only files that match this pattern; repeated or separated by commas");
    parameters.flags.add("private", private_, "a repository that is made is private");
    parameters.flags.add("endpoint", endpoint_, kEndpointHelp);
  }
  int run(App& app) override {
    const hub::Address address = hub::parse_address(address_);
    if (!address.file.empty()) {
      throw base::Error(base::Code::kInvalid, fmt::format("'{}' names a file: a push is of a folder to a repository; --include chooses files", address_));
    }
    const hub::Pushed pushed = hub::push(options_of(app, endpoint_), {folder_, address, message_, include_, private_}, app.progress());
    if (app.json()) {
      app.print_json({{"address", address.text()}, {"commit", pushed.commit}, {"files", pushed.files}, {"unchanged", pushed.unchanged}, {"ignored", pushed.ignored}, {"bytes", pushed.bytes}});
    } else {
      app.out() << fmt::format("{} at {}: {} files sent, {} unchanged{}\n", address.text(), pushed.commit, pushed.files, pushed.unchanged,
                               pushed.ignored > 0 ? fmt::format(", {} ignored", pushed.ignored) : "");
    }
    return 0;
  }

 private:
  std::string folder_;
  std::string address_;
  std::string message_ = "Upload folder with slipway";
  std::vector<std::string> include_;
  bool private_ = false;
  std::string endpoint_;
};

}  // namespace

std::unique_ptr<Command> make_pull() { return std::make_unique<PullCommand>(); }
std::unique_ptr<Command> make_push() { return std::make_unique<PushCommand>(); }

}  // namespace slipway::cli
