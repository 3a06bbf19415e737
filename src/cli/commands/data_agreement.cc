// slipway data agreement: do annotators agree?
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"
#include "data/annotation_agreement.h"
#include "data/annotation_formats.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

std::string cell(const stats::Interval& interval) {
  return std::isnan(interval.value) ? "-" : fmt::format("{:.3f} [{:.3f}, {:.3f}]", interval.value, interval.low, interval.high);
}

class DataAgreementCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data agreement", "how far annotators agree, corrected for chance",
            "FILE is of Label Studio, doccano, brat (a folder), CoNLL, CoNLL-U, Prodigy, Argilla, fastText, CSV or ours, told by its content. A "
            "text that\n"
            "several files have is one task; answers that name nobody are those of the file's name. Classes, texts, preferences, ratings (of\n"
            "chats, too): raw agreement, Fleiss' kappa, Krippendorff's alpha, Gwet's AC1 (AC2 for ratings), per label, and Cohen's kappa per\n"
            "pair; spans: F1, exact, overlapping, by characters; relations: F1. Intervals are of 95 %, drawn from tasks.",
            "slipway data agreement project.json\n"
            "slipway data agreement ann.jsonl bob.jsonl --match text --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("FILE", files_, "files of annotations, or folders of brat's");
    parameters.flags.add("format", format_, "of the files; empty: by their content");
    parameters.flags.add("match", match_, "what makes tasks of several files the same", {"key", "text"});
    parameters.flags.add("text_field", text_field_, "where the text is, when it has another name");
    parameters.flags.add("resamples", options_.bootstrap.resamples, "of tasks, for intervals; 0: the jackknife, as above 2,000 tasks", {0, 100000});
    parameters.flags.add("confidence", options_.bootstrap.confidence, "of intervals", {0.5, 0.9999});
    parameters.flags.add("seed", options_.bootstrap.seed, "of the resamples");
  }

  int run(App& app) override {
    data::AgreementBuilder builder(match_ == "text");
    std::map<std::string, int64_t> notes;
    app.progress().start("annotations", static_cast<int64_t>(files_.size()), "files");
    for (size_t i = 0; i < files_.size(); ++i) {
      data::AnnotationReadOptions options;
      if (!format_.empty()) {
        options.format = data::annotation_format_named(format_);
      }
      options.text_field = text_field_;
      options.annotator = std::filesystem::path(files_[i]).stem().string();
      const auto reader = data::open_annotations(files_[i], options);
      for (record::AnnotatedTask task; reader->next(task);) {
        builder.add(task);
        if (app.stop().stop_requested()) {
          throw Error(Code::kInterrupted, "interrupted");
        }
      }
      for (const auto& [what, count] : reader->notes()) {
        notes[what] += count;
      }
      app.progress().update(static_cast<int64_t>(i) + 1, "");
    }
    app.progress().finish("");
    const data::AgreementReport report = builder.report(options_);
    notes.insert(report.left_out.begin(), report.left_out.end());
    if (report.annotators.size() < 2) {
      throw Error(Code::kInvalid, fmt::format("{} tasks with answers of {}: agreement needs two annotators; give the file of each, or one that names them", report.tasks,
                                              report.annotators.empty() ? "nobody" : "'" + report.annotators[0] + "' alone"));
    }
    if (app.json()) {
      base::Json json = to_json(report);
      json["left_out"] = notes;
      app.print_json(json);
      return 0;
    }
    print(app, report);
    for (const auto& [what, count] : notes) {
      app.err() << fmt::format("left out: {} {}\n", count, what);
    }
    return 0;
  }

 private:
  static void print(App& app, const data::AgreementReport& report) {
    app.out() << fmt::format("{} tasks, {} answers of {} annotators\n", report.tasks, report.answers, report.annotators.size());
    for (const data::QuestionAgreement& question : report.questions) {
      app.out() << fmt::format("\n{}\n", question.question);
      Table table({"", "n", "raw", "Fleiss kappa", "Krippendorff alpha", question.level == stats::MeasureLevel::kNominal ? "Gwet AC1" : "Gwet AC2"});
      const auto row = [&](const std::string& name, const stats::Agreement& a) {
        table.row({name, std::to_string(a.raw.n), cell(a.raw), cell(a.fleiss), cell(a.alpha), cell(a.gwet)});
      };
      row("all", question.overall);
      for (const data::LabelAgreement& label : question.labels) {
        row(label.label, label.agreement);
      }
      table.print(app.out(), app.color_out());
      Table pairs({"annotators", "n", "raw", "Cohen kappa"});
      for (const data::NamedPairAgreement& pair : question.pairs) {
        pairs.row({fmt::format("{} / {}", pair.first, pair.second), std::to_string(pair.agreement.raw.n), cell(pair.agreement.raw), cell(pair.agreement.kappa)});
      }
      if (!pairs.empty()) {
        app.out() << "\n";
        pairs.print(app.out(), app.color_out());
      }
    }
    for (const data::PlaceAgreement& places : report.places) {
      print(app, places);
    }
  }

  // Of relations only equal ones can be counted.
  static void print(App& app, const data::PlaceAgreement& places) {
    app.out() << fmt::format("\n{}\n", places.question);
    const bool spans = places.question == record::name_of(record::Question::kSpans);
    Table table(spans ? std::vector<std::string>{"", "n", "F1 exact", "F1 overlapping", "F1 characters"} : std::vector<std::string>{"", "n", "F1 exact"});
    const auto row = [&](const std::string& name, const data::NamedSpanAgreement& s) {
      std::vector<std::string> cells = {name, std::to_string(s.texts), cell(s.agreement.exact)};
      if (spans) {
        cells.push_back(cell(s.agreement.overlap));
        cells.push_back(cell(s.agreement.characters));
      }
      table.row(std::move(cells));
    };
    row("all pairs", places.overall);
    for (const data::NamedSpanAgreement& label : places.labels) {
      row(label.first, label);
    }
    for (const data::NamedSpanAgreement& pair : places.pairs) {
      row(fmt::format("{} / {}", pair.first, pair.second), pair);
    }
    table.print(app.out(), app.color_out());
  }

  std::vector<std::string> files_;
  std::string format_;
  std::string match_ = "key";
  std::string text_field_;
  stats::AgreementOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_data_agreement() { return std::make_unique<DataAgreementCommand>(); }

}  // namespace slipway::cli
