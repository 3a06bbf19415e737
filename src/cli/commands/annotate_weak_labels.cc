// slipway annotate weak-labels: what the rules of a project say of the classes of its tasks, joined by a label model.
#include <algorithm>
#include <cmath>
#include <deque>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"
#include "data/weak_suggestions.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;
using record::AnnotationProject;

constexpr int kPage = 1000;

// All tasks of a project, one after the other.
class Tasks {
 public:
  Tasks(App& app, int64_t project) : app_(app), tasks_(app.store().annotations().tasks()), project_(project) {}
  std::optional<record::KeptTask> next() {
    if (page_.empty() && more_) {
      if (app_.stop().stop_requested()) {
        throw base::Error(base::Code::kInterrupted, "interrupted");
      }
      record::TaskReading reading;
      reading.after = after_;
      reading.limit = kPage;
      for (record::KeptTask& task : tasks_.read(project_, reading)) {
        page_.push_back(std::move(task));
      }
      more_ = page_.size() == static_cast<size_t>(kPage);
    }
    if (page_.empty()) {
      return std::nullopt;
    }
    record::KeptTask task = std::move(page_.front());
    page_.pop_front();
    after_ = task.task.id;
    app_.progress().update(++seen_, "");
    return task;
  }

 private:
  App& app_;
  record::AnnotationTasks& tasks_;
  int64_t project_;
  std::deque<record::KeptTask> page_;
  int64_t after_ = 0;
  int64_t seen_ = 0;
  bool more_ = true;
};

std::string share(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); }

class WeakLabelsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"annotate weak-labels", "what a project's rules say of the classes of its tasks, joined by a label model",
            "Each dictionary and expression that names a class is a labelling function (those of one name are one together). The model\n"
            "learns from all tasks, without answers, how far each is to be believed. Shown: what each covers, where it overlaps and\n"
            "conflicts with others, how often it agrees with what people answered, and how often the model thinks it right. --out\n"
            "writes a JSON object a line for each task that a rule matches: key, text, label, score, probabilities, votes.",
            "slipway annotate weak-labels reviews --model generative --out weak.jsonl"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "the project");
    parameters.flags.add("model", model_, "the label model; default: that of the project's settings, else generative",
                         {"", "majority", "dawid-skene", "one-coin", "generative"});
    parameters.flags.add("out", out_, "file to write; -: standard output; empty: none");
  }
  int run(App& app) override {
    const auto project = app.store().annotations().projects().find(name_);
    if (!project) {
      throw base::Error(base::Code::kNotFound, fmt::format("the record has no annotation project '{}'; `slipway annotate PROJECT` makes one", name_));
    }
    if (model_.empty()) {
      model_ = project->settings.label_model.empty() ? "generative" : project->settings.label_model;
    }
    Tasks tasks(app, project->id);
    app.progress().start("rules", project->counts.tasks(), "tasks");
    const data::WeakLabeller labeller(project->settings, data::label_model_named(model_), [&]() -> std::optional<data::WeakLabeller::Text> {
      const auto task = tasks.next();
      return task ? std::optional(data::WeakLabeller::Text{task->task.text, data::class_said(task->annotations)}) : std::nullopt;
    });
    app.progress().finish("");
    const int64_t written = out_.empty() ? 0 : write(app, *project, labeller);
    if (out_ != "-") {
      show(app, labeller, written);
    }
    return 0;
  }

 private:
  static Json line_of(const record::KeptTask& task, const data::WeakLabeller& labeller, const std::vector<int>& votes) {
    const std::vector<std::string>& classes = labeller.voters().classes();
    const std::vector<double> p = labeller.probabilities(votes);
    const auto best = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    Json probabilities = Json::object();
    for (size_t c = 0; c < p.size(); ++c) {
      probabilities[classes[c]] = p[c];
    }
    Json said = Json::object();
    for (size_t i = 0; i < votes.size(); ++i) {
      if (votes[i] != data::kAbstain) {
        said[labeller.voters().names()[i]] = classes[static_cast<size_t>(votes[i])];
      }
    }
    return {{"key", task.task.key}, {"text", task.task.text},         {"label", classes[best]},
            {"score", p[best]},     {"probabilities", std::move(probabilities)}, {"votes", std::move(said)}};
  }

  int64_t write(App& app, const AnnotationProject& project, const data::WeakLabeller& labeller) const {
    int64_t written = 0;
    const auto each = [&](const auto& put) {
      Tasks tasks(app, project.id);
      app.progress().start("labels", project.counts.tasks(), "tasks");
      while (const auto task = tasks.next()) {
        const std::vector<int> votes = labeller.voters().vote(task->task.text);
        if (std::any_of(votes.begin(), votes.end(), [](int vote) { return vote != data::kAbstain; })) {
          put(base::dump_json(line_of(*task, labeller, votes)) + "\n");
          ++written;
        }
      }
      app.progress().finish("");
    };
    if (out_ == "-") {
      each([&](const std::string& line) { app.out() << line; });
      return written;
    }
    const fs::path unfinished = out_ + ".unfinished";
    std::ofstream file(unfinished, std::ios::binary);
    each([&](const std::string& line) { file << line; });
    file.close();
    if (file.fail()) {
      throw base::Error(base::Code::kUnavailable, fmt::format("'{}' cannot be written: is the folder there, and is there room?", unfinished.string()));
    }
    fs::rename(unfinished, out_);
    return written;
  }

  void show(App& app, const data::WeakLabeller& labeller, int64_t written) const {
    if (app.json()) {
      Json json = to_json(labeller.summary(), labeller.voters().names(), labeller.voters().classes());
      json["model"] = model_;
      json["texts"] = labeller.texts();
      json["expected_accuracy"] = Json::array();
      for (const double value : labeller.model().accuracy) {
        json["expected_accuracy"].push_back(std::isnan(value) ? Json() : Json(value));
      }
      if (!out_.empty()) {
        json["out"] = out_;
        json["written"] = written;
      }
      app.print_json(json);
      return;
    }
    Table table({"function", "says", "coverage", "overlaps", "conflicts", "as people", "expected"});
    for (size_t i = 0; i < labeller.voters().names().size(); ++i) {
      const data::VoterSummary& voter = labeller.summary().voters[i];
      std::vector<std::string> says;
      for (const int c : voter.polarity) {
        says.push_back(labeller.voters().classes()[static_cast<size_t>(c)]);
      }
      table.row({labeller.voters().names()[i], fmt::format("{}", fmt::join(says, ", ")), share(voter.coverage), share(voter.overlaps), share(voter.conflicts),
                 share(voter.accuracy), share(labeller.model().accuracy[i])});
    }
    table.print(app.out(), app.color_out());
    app.out() << fmt::format("{} texts, {} of them covered, {} in conflict\n", labeller.texts(), share(labeller.summary().coverage),
                             share(labeller.summary().conflicts));
    if (!out_.empty()) {
      app.out() << fmt::format("{}: {} tasks\n", out_, written);
    }
  }

  std::string name_;
  std::string model_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Command> make_annotate_weak_labels() { return std::make_unique<WeakLabelsCommand>(); }

}  // namespace slipway::cli
