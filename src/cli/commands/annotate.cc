// slipway annotate: a project is made or opened, its tasks brought in, and the server shows its page.
#include <fmt/format.h>
#include <ostream>
#include <unistd.h>

#include "api/tracking_server.h"
#include "base/error.h"
#include "cli/annotation_models.h"
#include "cli/annotation_project.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"
#include "cli/serving.h"
#include "data/annotation_files.h"
#include "data/label_rules.h"
#include "net/http.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;
using record::AnnotationProject;

constexpr int kPort = 5000;

class AnnotateCommand final : public Command {
 public:
  AnnotateCommand() { options_.http.port = kPort; }
  CommandInfo info() const override {
    return {"annotate", "make or open an annotation project and serve its page until SIGTERM",
            "PROJECT is a YAML file, a folder with annotate.yaml, or the name of a project that is in the record. The file says what\n"
            "is asked (questions: classification, multi-label, spans, relations, text, rating, preference, chat-review), the labels,\n"
            "where the tasks are (JSONL, CSV, Label Studio, doccano, brat, CoNLL, Prodigy, Argilla, fastText) and what makes\n"
            "suggestions (dictionaries, expressions, models of this machine or served ones). Tasks that are known already are left\n"
            "alone, so it can be started again; its settings are used when the project is made, and later with --update.\n"
            "docs/guide/annotate.md",
            "cat > reviews.yaml <<END\n"
            "annotate:\n"
            "  questions: [classification]\n"
            "  classes: [good, bad]\n"
            "  tasks: [reviews.jsonl]\n"
            "END\n"
            "slipway annotate reviews.yaml --port 5000"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("PROJECT", project_, "a YAML file, a folder with annotate.yaml, or a project's name");
    parameters.flags.add("update", update_, "take the settings from the file though the project is there");
    parameters.flags.add("model", models_, "a model that makes suggestions: a classifier of texts or tokens, a tagger, an encoder-decoder, a decoder; a "
                         "folder or file, models:/NAME@ALIAS, hf://NS/NAME; may be repeated");
    parameters.flags.add("prompt", prompt_, "what a model that writes is asked; {text} is the task's");
    parameters.flags.add("import_only", import_only_, "do not serve: make the project, bring the tasks in, and end");
    parameters.flags.add("ready_file", ready_file_, "written with pid and url once it listens");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    record::Store& store = app.store({}, true);
    AnnotationProject project = open(app, store);
    if (import_only_) {
      say_ready(app, "", facts(project), told(project));
      return 0;
    }
    for (const std::string& model : models_) {
      options_.annotation_models.push_back(annotation_model(app, model, prompt_, project.name));
    }
    base::Context context = app.context();
    api::TrackingServer server(std::move(options_), store, context);  // models go before the pool they compute on
    server.start();
    const std::string page = fmt::format("{}/ui/annotate/{}", server.url(), net::percent_encode(project.name));
    Json ready = facts(project);
    ready.update({{"pid", getpid()}, {"url", server.url()}, {"page", page}});
    say_ready(app, ready_file_, ready, told(project) + fmt::format("annotate at {} (pid {})\n", page, getpid()));
    return serve_until_signal(app, server);
  }

 private:
  AnnotationProject open(App& app, record::Store& store) {
    record::AnnotationProjects& projects = store.annotations().projects();
    if (!is_annotation_file(project_)) {
      auto found = projects.find(project_);
      if (!found) {
        throw base::Error(base::Code::kNotFound, fmt::format("'{}' is no file, no folder with annotate.yaml, and no annotation project of the record{}",
                                                             project_, known(projects)));
      }
      return std::move(*found);
    }
    const AnnotationFile file = read_annotation_file(project_);
    data::LabelRules(file.settings.rules, file.settings.scheme);  // expressions that are none are told now
    models_ = models_.empty() ? file.models : models_;
    prompt_ = prompt_.empty() ? file.prompt : prompt_;
    auto found = projects.find(file.name);
    if (!found) {
      change_locally(store, "annotate", file.name + ": made", [&] { found = projects.create(file.name, file.settings); });
    } else if (update_) {
      change_locally(store, "annotate", file.name + ": settings", [&] { found = projects.change(file.name, file.settings, found->revision); });
    } else if (!(found->settings == file.settings)) {
      app.err() << fmt::format("note: '{}' has other settings than {}; they stay (--update takes those of the file)\n", file.name, project_);
    }
    for (const fs::path& path : file.tasks) {
      bring_in(app, store, *found, path, file.reading);
    }
    return *projects.find(file.name);
  }

  static std::string known(record::AnnotationProjects& projects) {
    std::string names;
    for (const AnnotationProject& one : projects.list()) {
      names += (names.empty() ? "; it has " : ", ") + one.name;
    }
    return names;
  }

  void bring_in(App& app, record::Store& store, const AnnotationProject& project, const fs::path& path, const data::AnnotationReadOptions& reading) {
    data::AnnotationImportOptions options;
    options.reading = reading;
    options.who = local_person();
    options.reading.annotator = options.who;
    const auto reader = data::open_annotations(path, options.reading);
    base::Progress& progress = app.progress();
    progress.start(path.filename().string(), 0, "tasks");
    options.told = [&](const record::AddedTasks& so_far) {
      progress.update(so_far.tasks + so_far.known, "");
      if (app.stop().stop_requested()) {
        throw base::Error(base::Code::kInterrupted, fmt::format("stopped after {} tasks; start it again to go on", so_far.tasks + so_far.known));
      }
    };
    const record::AddedTasks added = data::import_annotations(*reader, store.annotations().tasks(), project.id, options);
    progress.finish(fmt::format("{} new tasks, {} known", added.tasks, added.known));
    added_.tasks += added.tasks;
    added_.known += added.known;
  }

  Json facts(const AnnotationProject& project) const {
    return {{"project", project.name}, {"counts", record::to_json(project.counts)}, {"added", added_.tasks}, {"known", added_.known}};
  }
  std::string told(const AnnotationProject& project) const {
    return fmt::format("'{}': {} tasks, {} answered or reviewed, {} new\n", project.name, project.counts.tasks(),
                       project.counts.answered + project.counts.reviewed, added_.tasks);
  }

  std::string project_;
  bool update_ = false;
  std::vector<std::string> models_;
  std::string prompt_;
  bool import_only_ = false;
  std::string ready_file_;
  api::TrackingServerOptions options_;
  record::AddedTasks added_;
};

}  // namespace

std::unique_ptr<Command> make_annotate() { return std::make_unique<AnnotateCommand>(); }

}  // namespace slipway::cli
