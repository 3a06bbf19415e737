// slipway data card: papers of a dataset's version.
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "data/dataset_card.h"

namespace slipway::cli {
namespace {

class DataCardCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data card", "write a dataset card or a Croissant description of a version",
            "card: README.md with the metadata that the Hugging Face Hub reads (configs, features, splits). croissant: JSON-LD of MLCommons'\n"
            "Croissant 1.0, files by SHA-256, columns of each file with rows. Columns and counts are read from the files.",
            "slipway data card reviews@v1.0 --format croissant --license CC-BY-4.0 --out croissant.json\n"
            "slipway data card reviews --out README.md"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("VERSION", version_, "NAME, NAME@REVISION, an id or a digest");
    parameters.flags.add("format", format_, "what to write", {"card", "croissant"});
    parameters.flags.add("out", out_, "file; default: standard output");
    parameters.flags.add("license", facts_.licence, "SPDX identifier or address");
    parameters.flags.add("description", facts_.description, "what the dataset is, in a sentence or more");
  }
  int run(App& app) override {
    const NamedVersion version = find_version(app, version_);
    facts_.name = version.commit ? version.commit->dataset : "dataset";
    facts_.version = version.commit ? version.commit->id : version.digest;
    if (version.commit) {
      facts_.message = version.commit->message;
      facts_.author = version.commit->author;
      facts_.created_ms = version.commit->created_ms;
    }
    base::Context context = app.context();
    const std::string text = format_ == "card" ? data::dataset_card(facts_, version.files, context)
                                               : base::dump_json_pretty(data::croissant(facts_, version.files, context));
    if (out_.empty()) {
      app.out() << text;
      return 0;
    }
    base::write_file_atomic(out_, text);
    if (app.json()) {
      app.print_json({{"path", out_}, {"format", format_}, {"version", facts_.version}});
    } else {
      app.out() << out_ << ": " << version.shown() << '\n';
    }
    return 0;
  }

 private:
  std::string version_;
  std::string format_ = "card";
  std::string out_;
  data::CardFacts facts_;
};

}  // namespace

std::unique_ptr<Command> make_data_card() { return std::make_unique<DataCardCommand>(); }

}  // namespace slipway::cli
