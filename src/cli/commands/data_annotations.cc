// slipway data annotations: files of one annotation tool for another.
#include <filesystem>
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "data/annotation_formats.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
namespace fs = std::filesystem;

constexpr size_t kFlushBytes = size_t{1} << 20;

class DataAnnotationsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data annotations", "turn files of one annotation tool into another's",
            "IN is of Label Studio, doccano, brat (a folder), CoNLL, CoNLL-U, Prodigy, Argilla, fastText, CSV or ours, told by its content. What has "
            "no place in\n"
            "the other format is counted on standard error; into its own format a file comes back as it was (docs/guide/annotation-formats.md).",
            "slipway data annotations project.json --to jsonl --out project.jsonl\n"
            "slipway data annotations brat-folder --to conll --out train.conll"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("IN", in_, "a file of annotations, or a folder of brat's");
    parameters.flags.add("out", out_, "a file, - for standard output; for brat a folder");
    parameters.flags.add("to", to_, "format: jsonl, csv, label-studio, doccano, brat, conll, conllu, prodigy, argilla, fasttext");
    parameters.flags.add("format", format_, "of IN; empty: by its content");
    parameters.flags.add("text_field", options_.text_field, "where the text is, when it has another name");
    parameters.flags.add("written_answers", options_.written_answers, "doccano: labels are written texts, not classes");
    parameters.flags.add("quarantine", quarantine_, "leave out records that are broken, and write what is wrong to this file");
  }

  int run(App& app) override {
    if (out_.empty() || to_.empty()) {
      throw Error(Code::kInvalid, "--to FORMAT and --out FILE are needed");
    }
    const data::AnnotationFormat to = data::annotation_format_named(to_);
    if (!format_.empty()) {
      options_.format = data::annotation_format_named(format_);
    }
    std::string faults;
    int64_t broken = 0;
    if (!quarantine_.empty()) {
      options_.on_fault = [&](const std::string& fault) {
        faults += fault + "\n";
        ++broken;
      };
    }
    const auto reader = data::open_annotations(in_, options_);
    std::map<std::string, int64_t> notes;
    const int64_t tasks = to == data::AnnotationFormat::kBrat ? write_brat(app, *reader, notes) : write(app, *reader, to, notes);
    for (const auto& [what, count] : reader->notes()) {
      notes[what] += count;
    }
    if (!quarantine_.empty()) {
      base::write_file_atomic(quarantine_, faults);
    }
    if (app.json() && out_ != "-") {
      app.print_json({{"format", name_of(reader->format())}, {"tasks", tasks}, {"broken", broken}, {"left_out", notes}});
    } else if (!app.options().quiet) {
      app.err() << fmt::format("{} tasks of {}\n", tasks, name_of(reader->format()));
      for (const auto& [what, count] : notes) {
        app.err() << fmt::format("left out: {} {}\n", count, what);
      }
    }
    return 0;
  }

 private:
  template <class Each>
  int64_t each_task(App& app, data::AnnotationReader& reader, Each each) {
    int64_t tasks = 0;
    app.progress().start("annotations", 0, "tasks");
    for (record::AnnotatedTask task; reader.next(task); ++tasks) {
      each(task);
      if (tasks % 1024 == 0) {
        app.progress().update(tasks, "");
        if (app.stop().stop_requested()) {
          throw Error(Code::kInterrupted, "interrupted");
        }
      }
    }
    app.progress().finish("");
    return tasks;
  }

  int64_t write(App& app, data::AnnotationReader& reader, data::AnnotationFormat to, std::map<std::string, int64_t>& notes) {
    const auto writer = data::make_annotation_writer(to);
    std::unique_ptr<base::AtomicFile> file;
    if (out_ != "-") {
      file = std::make_unique<base::AtomicFile>(out_);
    }
    std::string text;
    const auto flush = [&] {
      file ? file->write(text) : static_cast<void>(app.out() << text);
      text.clear();
    };
    const int64_t tasks = each_task(app, reader, [&](const record::AnnotatedTask& task) {
      writer->write(task, text);
      if (text.size() >= kFlushBytes) {
        flush();
      }
    });
    writer->finish(text);
    flush();
    if (file) {
      file->commit();
    }
    notes = writer->notes();
    return tasks;
  }

  int64_t write_brat(App& app, data::AnnotationReader& reader, std::map<std::string, int64_t>& notes) {
    return each_task(app, reader, [&](const record::AnnotatedTask& task) {
      const data::BratDocument document = data::brat_document(task, notes);
      const fs::path base = fs::path(out_) / document.name;
      base::make_dirs(base.parent_path());
      base::write_file_atomic(base.string() + ".txt", document.text);
      base::write_file_atomic(base.string() + ".ann", document.ann);
    });
  }

  std::string in_;
  std::string out_;
  std::string to_;
  std::string format_;
  std::string quarantine_;
  data::AnnotationReadOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_data_annotations() { return std::make_unique<DataAnnotationsCommand>(); }

}  // namespace slipway::cli
