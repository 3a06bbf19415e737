// slipway data label-errors: rows whose label is probably wrong.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <ostream>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/json.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "cli/table.h"
#include "data/label_errors.h"
#include "data/label_folds.h"
#include "data/row_table.h"
#include "text/unicode.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxLine = size_t{64} << 20;
constexpr size_t kShown = 20;      // rows for people; --json and --out have all
constexpr size_t kShownText = 60;  // characters of a text in the table

class DataLabelErrorsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data label-errors", "find rows whose label is probably wrong",
            "Confident learning (Northcutt 2021), with cleanlab's results, from the label and the probabilities that a model trained on other rows gives.\n"
            "By itself it trains a small classifier of the texts by cross-validation (--folds, --repeats; the same rows and seed give the same answer).\n"
            "--probabilities names a member that has them already: FILE is JSON lines then, and it an object {\"label\": p, …}, or a list with --classes.\n"
            "The worst rows come first.",
            "slipway data label-errors train.jsonl --text sentence --label label --out suspicious.jsonl\n"
            "slipway data label-errors train.jsonl --probabilities p --classes neg,pos"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", file_, kTableHelp);
    parameters.flags.add("probabilities", probabilities_, "member with the probabilities; default: by cross-validation");
    parameters.flags.add("label", label_, "column of the label");
    parameters.flags.add("text", text_, "column of the text: what is learned from, and shown in the table");
    parameters.flags.add("classes", classes_, "names of the classes, in the order of lists of probabilities");
    parameters.flags.add("folds", folds_.folds, "of the cross-validation", {2, 100});
    parameters.flags.add("repeats", folds_.repeats, "of the cross-validation; their probabilities' mean counts", {1, 100});
    parameters.flags.add("epochs", folds_.epochs, "of the small classifier", {1, 1000});
    parameters.flags.add("seed", folds_.seed, "of folds and training");
    parameters.flags.add("filter", filter_, "how rows are found",
                         {"prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given"});
    parameters.flags.add("rank_by", rank_by_, "what makes a row worse", {"self_confidence", "normalized_margin"});
    parameters.flags.add("out", out_, "write the rows found to this file, with \"label_error\"");
  }

  int run(App& app) override {
    probabilities_.empty() ? learn(app) : read(app);
    const int count = static_cast<int>(classes_.size());
    data::LabelErrorOptions options;
    options.filter = data::label_error_filter_named(filter_);
    options.rank_by = data::label_quality_named(rank_by_);
    const std::vector<data::LabelError> errors = data::find_label_errors(labels_, values_, count, options);
    if (!out_.empty()) {
      write(app, errors);
    }
    if (app.json()) {
      Json list = Json::array();
      for (const data::LabelError& error : errors) {
        list.push_back({{"at", at_[static_cast<size_t>(error.row)]}, {"line", lines_[static_cast<size_t>(error.row)]}, {"label", name(error.given)}, {"suggested", name(error.suggested)}, {"quality", error.quality}});
      }
      app.print_json({{"rows", labels_.size()}, {"classes", classes_}, {"filter", filter_}, {"errors", std::move(list)}, {"joint", joint(count)}});
      return 0;
    }
    app.out() << fmt::format("{} of {} rows are probably mislabelled\n", errors.size(), labels_.size());
    Table table({"row", "label", "suggested", "quality", text_});
    for (size_t i = 0; i < errors.size() && i < kShown; ++i) {
      const data::LabelError& error = errors[i];
      table.row({at_[static_cast<size_t>(error.row)], name(error.given), name(error.suggested), fmt::format("{:.4f}", error.quality),
                 texts_[static_cast<size_t>(error.row)]});
    }
    if (!table.empty()) {
      table.print(app.out(), app.color_out());
    }
    if (errors.size() > kShown && out_.empty()) {
      app.err() << fmt::format("{} more: --out FILE writes them all\n", errors.size() - kShown);
    }
    return 0;
  }

 private:
  const std::string& name(int label) const { return classes_[static_cast<size_t>(label)]; }

  [[noreturn]] void fail(uint64_t line, const std::string& what) const { throw Error(Code::kInvalid, fmt::format("{}:{}: {}", file_, line, what)); }

  // All rows with a text and a label, and their probabilities by cross-validation. Classes are sorted.
  void learn(App& app) {
    base::Context context = app.context();
    files_ = table_files(app, file_);
    data::RowTable table(files_, context, "reading rows");
    std::vector<std::string> texts;
    std::vector<std::string> given;
    int64_t unlabelled = 0;
    while (table.next()) {
      std::string text;
      std::string label;
      bool both[2] = {false, false};
      for (const auto& [column, cell] : table.cells()) {
        const std::string& name = table.columns()[column];
        if (name == text_ && cell.kind == data::Cell::Kind::kText) {
          text = cell.text;
          both[0] = true;
        }
        if (name == label_ && !cell.is_null()) {
          label = cell.as_text();
          both[1] = true;
        }
      }
      if (!both[0] || !both[1]) {
        ++unlabelled;
        continue;
      }
      texts.push_back(std::move(text));
      given.push_back(std::move(label));
      lines_.push_back(table.number());
      at_.push_back(table.at());
    }
    if (texts.empty()) {
      throw Error(Code::kInvalid, fmt::format("{} has no row with a text '{}' and a label '{}'; there are the columns {}: --text and --label name them", file_, text_, label_,
                                              fmt::join(table.columns(), ", ")));
    }
    if (unlabelled > 0) {
      app.err() << fmt::format("{} rows without a text or a label are passed over\n", unlabelled);
    }
    if (classes_.empty()) {
      const std::set<std::string> names(given.begin(), given.end());
      classes_.assign(names.begin(), names.end());
    }
    constexpr size_t kMaxClasses = 10'000;
    if (classes_.size() > kMaxClasses) {
      throw Error(Code::kInvalid, fmt::format("'{}' has {} different values; is it the label?", label_, classes_.size()));
    }
    std::map<std::string, int> number;
    for (const std::string& one : classes_) {
      number.emplace(one, static_cast<int>(number.size()));
    }
    for (size_t i = 0; i < given.size(); ++i) {
      const auto found = number.find(given[i]);
      if (found == number.end()) {
        throw Error(Code::kInvalid, fmt::format("{}: the label '{}' is none of --classes", at_[i], given[i].substr(0, 100)));
      }
      labels_.push_back(found->second);
    }
    values_ = data::out_of_fold(texts, labels_, static_cast<int>(classes_.size()), folds_, context);
    for (const std::string& text : texts) {
      texts_.emplace_back(text::prefix_code_points(text, kShownText));
    }
  }

  // All rows, once: the classes are those of the first row's object when they are not given.
  void read(App& app) {
    base::LineReader reader(file_, kMaxLine);
    app.progress().start("rows", 0, "rows");
    for (std::string_view line; reader.next(line);) {
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
        continue;
      }
      row(base::parse_json(line, fmt::format("{}:{}", file_, reader.line_number())), reader.line_number());
      if (labels_.size() % 4096 == 0) {
        app.progress().update(static_cast<int64_t>(labels_.size()), "");
        if (app.stop().stop_requested()) {
          throw Error(Code::kInterrupted, "interrupted");
        }
      }
    }
    app.progress().finish("");
    if (labels_.empty()) {
      throw Error(Code::kInvalid, file_ + " has no rows");
    }
  }

  void row(const Json& json, uint64_t line) {
    const auto label = json.is_object() ? json.find(label_) : json.end();
    const auto values = json.is_object() ? json.find(probabilities_) : json.end();
    if (!json.is_object() || label == json.end() || !(label->is_string() || label->is_number_integer()) || values == json.end()) {
      fail(line, fmt::format("is no object with a label '{}' (a text) and '{}'; --label and --probabilities name them", label_, probabilities_));
    }
    if (classes_.empty()) {
      for (auto it = values->begin(); values->is_object() && it != values->end(); ++it) {
        classes_.push_back(it.key());
      }
    }
    if (classes_.size() < 2) {
      fail(line, fmt::format("'{}' is no object of two classes or more; for lists give their order: --classes a,b", probabilities_));
    }
    const std::string given = label->is_string() ? label->get<std::string>() : std::to_string(label->get<int64_t>());
    const auto found = std::find(classes_.begin(), classes_.end(), given);
    if (found == classes_.end()) {
      fail(line, fmt::format("there is no probability of the label '{}'", given.substr(0, 100)));
    }
    if (!values->is_structured() || values->size() != classes_.size()) {
      fail(line, fmt::format("'{}' has {} probabilities; there are {} classes", probabilities_, values->is_structured() ? values->size() : 0, classes_.size()));
    }
    for (size_t c = 0; c < classes_.size(); ++c) {
      const auto value = values->is_object() ? values->find(classes_[c]) : values->begin() + static_cast<std::ptrdiff_t>(c);
      if (value == values->end() || !value->is_number()) {
        fail(line, fmt::format("'{}' has no probability of '{}'", probabilities_, classes_[c]));
      }
      values_.push_back(value->get<double>());
    }
    labels_.push_back(static_cast<int>(found - classes_.begin()));
    lines_.push_back(line);
    at_.push_back(std::to_string(line));
    const auto text = json.find(text_);
    texts_.emplace_back(text != json.end() && text->is_string() ? text::prefix_code_points(text->get_ref<const std::string&>(), kShownText) : "");
  }

  Json joint(int count) const {
    const std::vector<int64_t> counts = data::confident_joint(labels_, values_, count);
    Json rows = Json::array();
    for (size_t given = 0; given < classes_.size(); ++given) {
      rows.push_back(std::vector<int64_t>(counts.begin() + static_cast<std::ptrdiff_t>(given * classes_.size()),
                                          counts.begin() + static_cast<std::ptrdiff_t>((given + 1) * classes_.size())));
    }
    return rows;
  }

  // The rows themselves, in the file's order.
  void write(App& app, const std::vector<data::LabelError>& errors) const {
    std::map<uint64_t, const data::LabelError*> by_line;
    for (const data::LabelError& error : errors) {
      by_line[lines_[static_cast<size_t>(error.row)]] = &error;
    }
    base::AtomicFile file(out_);
    if (probabilities_.empty()) {
      write_rows(app, by_line, file);
      return;
    }
    base::LineReader reader(file_, kMaxLine);
    for (std::string_view line; reader.next(line);) {
      if (const auto found = by_line.find(reader.line_number()); found != by_line.end()) {
        Json json = base::parse_json(line, file_);
        json["label_error"] = {{"suggested", name(found->second->suggested)}, {"quality", found->second->quality}};
        file.write(base::dump_json(json) + "\n");
      }
    }
    file.commit();
  }

  void write_rows(App& app, const std::map<uint64_t, const data::LabelError*>& by_row, base::AtomicFile& file) const {
    base::Context context = app.context();
    data::RowTable table(files_, context, "writing rows");
    while (table.next()) {
      const auto found = by_row.find(table.number());
      if (found == by_row.end()) {
        continue;
      }
      Json json = Json::object();
      for (const auto& [column, cell] : table.cells()) {
        json[table.columns()[column]] = cell.json();
      }
      json["label_error"] = {{"suggested", name(found->second->suggested)}, {"quality", found->second->quality}};
      file.write(base::dump_json(json) + "\n");
    }
    file.commit();
  }

  std::string file_;
  std::string probabilities_;
  std::string label_ = "label";
  std::string text_ = "text";
  std::vector<std::string> classes_;
  std::string filter_ = "prune_by_noise_rate";
  std::string rank_by_ = "self_confidence";
  std::string out_;
  std::vector<int> labels_;
  std::vector<double> values_;  // [rows, classes]
  std::vector<uint64_t> lines_;  // or, of cross-validation, the numbers of rows
  std::vector<std::string> at_;  // as people are told
  data::FoldOptions folds_;
  data::VersionFiles files_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<Command> make_data_label_errors() { return std::make_unique<DataLabelErrorsCommand>(); }

}  // namespace slipway::cli
