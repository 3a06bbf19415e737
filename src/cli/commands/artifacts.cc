// slipway artifacts: what the record keeps, and how to get it out.
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

class ArtifactsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"artifacts", "immutable files and folders of the record, newest first", "",
            "slipway artifacts --kind dataset"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("kind", kind_, "only of this kind: dataset, model, onnx, report, card, sketch, file");
    parameters.flags.add("limit", limit_, "at most this many", {1, 1e6});
  }
  int run(App& app) override {
    Table table({"DIGEST", "KIND", "NAME", "SIZE", "CREATED"});
    for (const record::Artifact& artifact : app.store().artifacts().list(kind_, limit_)) {
      if (app.json()) {
        app.print_json(record::to_json(artifact));
      } else {
        table.row({artifact.digest, artifact.kind, artifact.name,
                   human_count(static_cast<int64_t>(artifact.size), "bytes"), when(artifact.created_ms)});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  std::string kind_;
  int limit_ = 50;
};

class ArtifactsGetCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"artifacts get", "lay an artifact out as a file or folder, checked against its digest", "",
            "slipway artifacts get sha256:0123… my-dataset"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("DIGEST", digest_, "sha256:… as 'slipway artifacts' and 'slipway lineage' print it");
    parameters.positional("PATH", path_, "file or folder to make; it must not be there yet");
  }
  int run(App& app) override {
    record::ArtifactStore& artifacts = app.store().artifacts();
    const auto artifact = artifacts.find(digest_);
    if (!artifact) {
      throw base::Error(base::Code::kNotFound,
                        fmt::format("there is no artifact '{}'; 'slipway artifacts' lists them", digest_));
    }
    if (fs::exists(path_)) {
      throw base::Error(base::Code::kConflict, fmt::format("'{}' is there already", path_));
    }
    if (artifact->folder) {
      artifacts.checkout(digest_, path_, true);
    } else {
      base::write_file_atomic(path_, base::read_file(artifacts.path_of(digest_), size_t{8} << 30));
    }
    if (app.json()) {
      app.print_json({{"digest", digest_}, {"path", path_}});
    } else {
      app.out() << fmt::format("{}: {} {}\n", path_, artifact->kind, artifact->name);
    }
    return 0;
  }

 private:
  std::string digest_;
  std::string path_;
};

}  // namespace

std::unique_ptr<Command> make_artifacts() { return std::make_unique<ArtifactsCommand>(); }
std::unique_ptr<Command> make_artifacts_get() { return std::make_unique<ArtifactsGetCommand>(); }

}  // namespace slipway::cli
