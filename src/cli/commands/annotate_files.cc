// slipway annotate import, export, agreement, review: a project of the record without its page.
#include <fmt/format.h>
#include <fstream>
#include <ostream>

#include "api/annotate_agreement.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"
#include "cli/table.h"
#include "data/annotation_files.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;
using record::AnnotationProject;

AnnotationProject find(App& app, const std::string& name) {
  auto found = app.store().annotations().projects().find(name);
  if (!found) {
    throw base::Error(base::Code::kNotFound, fmt::format("the record has no annotation project '{}'; `slipway annotate PROJECT` makes one", name));
  }
  return std::move(*found);
}

std::vector<std::string> format_choices(bool automatic) {
  std::vector<std::string> choices;
  if (automatic) {
    choices.emplace_back("auto");
  }
  for (const data::AnnotationFormat format : data::annotation_formats()) {
    choices.emplace_back(data::name_of(format));
  }
  return choices;
}

Json notes_json(const std::map<std::string, int64_t>& notes) {
  Json json = Json::object();
  for (const auto& [note, count] : notes) {
    json[note] = count;
  }
  return json;
}

void say_notes(App& app, const std::map<std::string, int64_t>& notes) {
  for (const auto& [note, count] : notes) {
    app.err() << fmt::format("left out, for there is no place for it: {} ({})\n", note, count);
  }
}

class ImportCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"annotate import", "add the tasks of files to an annotation project, with their answers and suggestions",
            "The format is told from the content unless --format says it. Tasks whose key is known are left alone, so an import that\n"
            "was stopped is simply started again.",
            "slipway annotate import reviews more.jsonl export-of-label-studio.json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "the project");
    parameters.positionals_of("FILE", files_, "files, or folders of brat");
    parameters.flags.add("format", format_, "of the files", format_choices(true));
    parameters.flags.add("text_field", text_field_, "key of the text in JSON tasks and CSV; default: the format's own");
    parameters.flags.add("annotator", annotator_, "whose answers they are where the file names nobody; default: the user of this machine");
  }
  int run(App& app) override {
    const AnnotationProject project = find(app, name_);
    data::AnnotationImportOptions options;
    options.who = local_person();
    options.reading.annotator = annotator_.empty() ? options.who : annotator_;
    options.reading.text_field = text_field_;
    if (format_ != "auto") {
      options.reading.format = data::annotation_format_named(format_);
    }
    for (const std::string& file : files_) {
      const auto reader = data::open_annotations(file, options.reading);
      base::Progress& progress = app.progress();
      progress.start(fs::path(file).filename().string(), 0, "tasks");
      options.told = [&](const record::AddedTasks& so_far) {
        progress.update(so_far.tasks + so_far.known, "");
        if (app.stop().stop_requested()) {
          throw base::Error(base::Code::kInterrupted, fmt::format("stopped after {} tasks; start it again to go on", so_far.tasks + so_far.known));
        }
      };
      const record::AddedTasks added = data::import_annotations(*reader, app.store().annotations().tasks(), project.id, options);
      progress.finish(fmt::format("{} new tasks, {} known", added.tasks, added.known));
      if (app.json()) {
        app.print_json({{"file", file}, {"format", data::name_of(reader->format())}, {"tasks", added.tasks}, {"known", added.known},
                        {"annotations", added.annotations}, {"suggestions", added.suggestions}, {"left_out", notes_json(reader->notes())}});
      } else {
        app.out() << fmt::format("{} ({}): {} tasks, {} known, {} annotations, {} suggestions\n", file, data::name_of(reader->format()), added.tasks,
                                 added.known, added.annotations, added.suggestions);
        say_notes(app, reader->notes());
      }
    }
    return 0;
  }

 private:
  std::string name_;
  std::vector<std::string> files_;
  std::string format_ = "auto";
  std::string text_field_;
  std::string annotator_;
};

class ExportCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"annotate export", "write an annotation project's tasks and answers to a file of an annotation tool",
            "Formats with one answer a text take the decision of the review, else the first answer; with --consensus, where nobody decided,\n"
            "what several people's answers come to: by majority, or weighing each by how often all agree (Dawid and Skene's model).\n"
            "--out of brat is a folder.",
            "slipway annotate export reviews --format label-studio --out reviews.json\n"
            "slipway annotate export reviews --format csv --consensus dawid-skene --out reviews.csv"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "the project");
    parameters.flags.add("format", format_, "to write", format_choices(false));
    parameters.flags.add("out", out_, "file (for brat: folder) to write; -: standard output");
    parameters.flags.add("state", state_, "only tasks of that state", {"all", "new", "begun", "answered", "reviewed"});
    parameters.flags.add("consensus", consensus_, "what goes out as the ground truth of tasks that several answered and nobody decided", {"none", "majority", "dawid-skene"});
  }
  int run(App& app) override {
    const AnnotationProject project = find(app, name_);
    const data::AnnotationFormat format = data::annotation_format_named(format_);
    data::AnnotationExportOptions options;
    if (state_ != "all") {
      options.state = record::task_state_named(state_);
    }
    options.consensus = data::consensus_named(consensus_);
    const data::AnnotationExport done = format == data::AnnotationFormat::kBrat ? write_brat(app, project, options) : write(app, project, format, options);
    if (app.json() && out_ != "-") {
      app.print_json({{"out", out_}, {"format", format_}, {"tasks", done.tasks}, {"left_out", notes_json(done.notes)}});
    } else if (out_ != "-") {
      app.out() << fmt::format("{}: {} tasks\n", out_, done.tasks);
    }
    if (!app.json()) {
      say_notes(app, done.notes);
    }
    return 0;
  }

 private:
  data::AnnotationExport write(App& app, const AnnotationProject& project, data::AnnotationFormat format, const data::AnnotationExportOptions& options) {
    auto& tasks = app.store().annotations().tasks();
    if (out_ == "-") {
      return data::export_annotations(tasks, project, format, options, [&](std::string_view bytes) { app.out() << bytes; });
    }
    const fs::path unfinished = out_ + ".unfinished";
    std::ofstream file(unfinished, std::ios::binary);
    const data::AnnotationExport done = data::export_annotations(
        tasks, project, format, options, [&](std::string_view bytes) { file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); });
    file.close();
    if (file.fail()) {
      throw base::Error(base::Code::kUnavailable, fmt::format("'{}' cannot be written: is the folder there, and is there room?", unfinished.string()));
    }
    fs::rename(unfinished, out_);
    return done;
  }
  data::AnnotationExport write_brat(App& app, const AnnotationProject& project, const data::AnnotationExportOptions& options) const {
    if (out_ == "-") {
      throw base::Error(base::Code::kInvalid, "brat's files are two a text: give a folder with --out");
    }
    base::make_dirs(out_);
    data::AnnotationExport done;
    data::each_exported_task(app.store().annotations().tasks(), project, options, [&](const record::AnnotatedTask& task) {
      const data::BratDocument document = data::brat_document(task, done.notes);
      base::write_file_atomic(fs::path(out_) / (document.name + ".txt"), document.text);
      base::write_file_atomic(fs::path(out_) / (document.name + ".ann"), document.ann);
      done.tasks += 1;
    });
    return done;
  }
  std::string name_;
  std::string format_ = "jsonl";
  std::string out_ = "-";
  std::string state_ = "all";
  std::string consensus_ = "none";
};

std::string shown(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->at("value").is_null()) {
    return "";
  }
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", found->at("value").get<double>(), found->at("low").get<double>(), found->at("high").get<double>());
}

class AgreementCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"annotate agreement", "how far the annotators of a project agree",
            "Of tasks that two or more answered: the share of equal pairs, Fleiss' kappa, Krippendorff's alpha, Gwet's AC1 (AC2 of\n"
            "ratings), Cohen's kappa of pairs, F1 of spans and relations; with 95 % intervals.",
            "slipway annotate agreement reviews"};
  }
  void describe(Parameters& parameters) override { parameters.positional("NAME", name_, "the project"); }
  int run(App& app) override {
    const AnnotationProject project = find(app, name_);
    const Json report = api::annotation_agreement(app.store().annotations().tasks(), project);
    if (app.json()) {
      app.print_json(report);
      return 0;
    }
    app.out() << fmt::format("{} tasks with two answers or more{}\n", report.at("tasks").get<int64_t>(), report.at("cut").get<bool>() ? " (the newest)" : "");
    Table table({"question", "of", "raw", "Fleiss", "alpha", "Gwet", "Cohen", "F1"});
    const auto add = [&](const Json& row, const std::string& of) {
      table.row({row.at("question").get<std::string>(), of, shown(row, "raw"), shown(row, "fleiss"), shown(row, "alpha"), shown(row, "gwet"),
                 row.contains("kappa") ? shown(row, "kappa") : shown(row, "cohen"), shown(row, "span_f1")});
    };
    for (const Json& row : report.at("questions")) {
      add(row, "all");
    }
    for (const Json& row : report.at("labels")) {
      add(row, row.at("label").get<std::string>());
    }
    for (const Json& row : report.at("pairs")) {
      add(row, row.at("first").get<std::string>() + " & " + row.at("second").get<std::string>());
    }
    table.print(app.out(), app.color_out());
    return 0;
  }

 private:
  std::string name_;
};

class ReviewCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"annotate review", "tasks that wait for a decision, those agreed on least first; or decide one",
            "With --task and --accept that annotation's answer becomes the ground truth. The page of `slipway annotate` does the same.",
            "slipway annotate review reviews --limit 20\n"
            "slipway annotate review reviews --task 17 --accept 41"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "the project");
    parameters.flags.add("limit", limit_, "tasks to show", {1, 1000});
    parameters.flags.add("task", task_, "the task to decide on, by its id", {0, 9e15});
    parameters.flags.add("accept", accept_, "the annotation that is right, by its id", {0, 9e15});
    parameters.flags.add("note", note_, "why");
  }
  int run(App& app) override {
    const AnnotationProject project = find(app, name_);
    record::Annotations& annotations = app.store().annotations();
    if (task_ != 0) {
      decide(app, annotations, project);
      return 0;
    }
    const auto rows = annotations.tasks().to_review(project.id, {}, limit_);
    Table table({"task", "agreement", "annotators", "labels", "text"});
    for (const record::TaskRow& row : rows) {
      if (app.json()) {
        Json said = Json::array();
        for (const record::KeptAnnotation& kept : annotations.tasks().get(project.id, row.id).annotations) {
          said.push_back(record::to_json(kept));
        }
        app.print_json({{"task", row.id}, {"key", row.key}, {"text", row.text}, {"agreement", row.agreement ? Json(*row.agreement) : Json()},
                        {"annotations", std::move(said)}});
      } else {
        table.row({fmt::format("{}", row.id), row.agreement ? fmt::format("{:.2f}", *row.agreement) : "", joined(row.annotators), joined(row.labels), row.text});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  static std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names) {
      all += (all.empty() ? "" : ", ") + name;
    }
    return all;
  }
  void decide(App& app, record::Annotations& annotations, const AnnotationProject& project) const {
    if (accept_ == 0) {
      throw base::Error(base::Code::kInvalid, "--task goes with --accept ANNOTATION; `slipway annotate review NAME --json` shows their ids");
    }
    record::Decide decision;
    decision.who = local_person();
    decision.accept = accept_;
    decision.note = note_;
    for (const record::KeptAnnotation& kept : annotations.tasks().get(project.id, task_).annotations) {
      decision.revision = kept.annotation.ground_truth ? kept.revision : decision.revision;
    }
    const record::SavedAnswer saved = annotations.answers().decide(project.id, task_, decision);
    if (app.json()) {
      app.print_json({{"annotation", record::to_json(saved.kept)}, {"state", record::name_of(saved.state)}});
    } else {
      app.out() << fmt::format("task {} is {}\n", task_, record::name_of(saved.state));
    }
  }
  std::string name_;
  int limit_ = 20;
  int64_t task_ = 0;
  int64_t accept_ = 0;
  std::string note_;
};

}  // namespace

std::unique_ptr<Command> make_annotate_import() { return std::make_unique<ImportCommand>(); }
std::unique_ptr<Command> make_annotate_export() { return std::make_unique<ExportCommand>(); }
std::unique_ptr<Command> make_annotate_agreement() { return std::make_unique<AgreementCommand>(); }
std::unique_ptr<Command> make_annotate_review() { return std::make_unique<ReviewCommand>(); }

}  // namespace slipway::cli
