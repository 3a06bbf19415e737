// slipway data report: what a version of a dataset holds, and what is unusual about it.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "cli/model_argument.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "data/table_report.h"
#include "govern/dataset_page.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;

// What is compared: its rows and what it is called.
struct Side {
  data::VersionFiles files;
  std::string name;     // of the dataset, or the path
  std::string version;  // id of the commit
};

class DataReportCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data report", "what a dataset holds, and what is unusual against the version before",
            "A's rows are read once: types, missing and frequent values, lengths, languages, n-grams, copies, personal data; of a sample also\n"
            "near-duplicates, quality and a map of the texts. Against B (default: the parent of A's commit) columns, rows, values, ranges and\n"
            "distributions are tested at --alpha in all; findings have a severity and example rows. --out writes it as one HTML page that needs\n"
            "nothing from the network. With --fail-on the exit code is 6 when there is a finding so severe.",
            "slipway data report reviews@main --out report.html\n"
            "slipway data report new.jsonl --against old.jsonl --fail-on error --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("A", table_, kTableHelp);
    base::FieldTable& flags = parameters.flags;
    flags.add("against", against_, "the version before; default: the parent of A's commit, if it has one; 'none': do not compare");
    flags.add("out", out_, "HTML page to write");
    flags.add("facts", facts_, "JSON file to write: all that the page is made of");
    flags.add("text", scan_.text, "column of the texts; default: by name, or the longest");
    flags.add("label", scan_.label, "column of the labels; default: by name");
    flags.add("alpha", compare_.alpha, "probability of any false alarm", {1e-9, 0.5});
    flags.add("fail_on", fail_on_, "severity from which the exit code is 6", {"never", "error", "warning", "info"});
    flags.add("sample", scan_.sample, "rows of the sample", {100, 1e6});
    flags.add("seed", scan_.seed, "of the sample and the map");
    flags.add("map", map_, "how the map is drawn", {"pca", "tsne", "none"});
    flags.add("points", report_.points, "texts on the map", {3, 5000});
    flags.add("model", model_, "embeddings for the map, and tokens, by this model; default: hashed words and pairs of words");
    flags.add("tokenizer", tokenizer_, "counts tokens: tokenizer.json, a folder, …");
    flags.add("pii", scan_.pii, "look for personal data");
    flags.add("memory", memory_, "bound for sorting, whatever the size");
  }

  int run(App& app) override {
    const base::TempDir work;
    prepare(app, work.path());
    base::Context context = app.context();
    const Side after = side_of(app, table_);
    const std::optional<Side> before = before_of(app);
    const data::TableScan scan = data::scan_table(after.files, scan_, context);
    std::optional<data::TableScan> earlier;
    std::optional<data::TableComparison> comparison;
    if (before) {
      scan_.work = work.path() / "before";
      earlier = data::scan_table(before->files, scan_, context);
      comparison = data::compare_tables(*earlier, scan, compare_, context);
    }
    const bool page = !out_.empty() || !facts_.empty();
    report_.map = !page || map_ == "none" ? data::MapMethod::kNone : map_ == "tsne" ? data::MapMethod::kTsne : data::MapMethod::kPca;
    Json facts = data::report_facts(scan, earlier ? &*earlier : nullptr, comparison ? &*comparison : nullptr, report_, context);
    facts["name"] = after.name;
    facts["version"] = after.version;
    facts["against"] = before ? Json(before->version.empty() ? before->name : before->version) : Json();
    if (!out_.empty()) {
      base::write_file_atomic(out_, govern::render_dataset_page(facts));
    }
    if (!facts_.empty()) {
      base::write_file_atomic(facts_, base::dump_json(facts) + "\n");
    }
    if (app.json()) {
      facts.erase("map");  // thousands of points: --facts has them
      app.print_json(facts);
    } else {
      print(app, scan, after, before, comparison);
    }
    return failed(comparison) ? base::exit_code(Code::kGate) : 0;
  }

 private:
  void prepare(App& app, const std::filesystem::path& work) {
    scan_.memory_bytes = compare_.memory_bytes = report_.memory_bytes = parse_byte_size(memory_, "memory");
    scan_.work = work / "scan";
    compare_.work = work / "compare";
    report_.work = work / "report";
    compare_.seed = report_.seed = scan_.seed;
    if (!model_.empty()) {
      engine_ = load_engine(app, locate_model(app, model_, "auto"), "auto");
      scan_.tokenizer = &engine_->tokenizer();
      report_.embedder = model_;
      report_.embed = [this](const std::vector<std::string>& texts) {
        const model::Matrix matrix = engine_->embed(texts);
        return std::vector<float>(matrix.values.begin(), matrix.values.end());
      };
    }
    if (!tokenizer_.empty()) {
      counter_ = text::load_tokenizer(tokenizer_);
      scan_.tokenizer = counter_.get();
    }
  }

  static Side side_of(App& app, const std::string& text) {
    if (std::filesystem::exists(text)) {
      return {table_files(app, text), text, ""};
    }
    NamedVersion version = find_version(app, text);
    return {std::move(version.files), version.commit ? version.commit->dataset : text, version.commit ? version.commit->id : version.digest};
  }

  std::optional<Side> before_of(App& app) const {
    if (against_ == "none") {
      return std::nullopt;
    }
    if (!against_.empty()) {
      return side_of(app, against_);
    }
    if (std::filesystem::exists(table_)) {
      return std::nullopt;
    }
    const NamedVersion version = find_version(app, table_);
    return version.commit && !version.commit->parents.empty() ? std::optional<Side>(side_of(app, version.commit->parents.front())) : std::nullopt;
  }

  bool failed(const std::optional<data::TableComparison>& comparison) const {
    const auto worst = comparison ? comparison->worst() : std::nullopt;
    if (!worst || fail_on_ == "never") {
      return false;
    }
    const data::Severity limit = fail_on_ == "error" ? data::Severity::kError : fail_on_ == "warning" ? data::Severity::kWarning : data::Severity::kInfo;
    return *worst >= limit;
  }

  void print(App& app, const data::TableScan& scan, const Side& after, const std::optional<Side>& before, const std::optional<data::TableComparison>& comparison) const {
    std::ostream& out = app.out();
    out << fmt::format("{}{}: {} rows, {} columns, {} copies{}\n", after.name, after.version.empty() ? "" : " " + short_id(after.version), human_count(scan.profile.rows, ""),
                       scan.profile.columns.size(), human_count(scan.copies, ""),
                       scan.text ? fmt::format(", {} texts with personal data", human_count(scan.texts.with_pii, "")) : "");
    if (comparison) {
      out << fmt::format("against {}: {} tests, {} findings\n", before->version.empty() ? before->name : short_id(before->version), comparison->tests.size(), comparison->findings.size());
      for (const data::Finding& finding : comparison->findings) {
        out << fmt::format("{:8} {}\n", data::name_of(finding.severity), finding.message);
        if (!finding.test.empty()) {
          out << fmt::format("         {} {:.4g}{}, p {:.2g}\n", finding.test, finding.value, finding.threshold > 0 ? fmt::format(" > {:.4g}", finding.threshold) : "", finding.p);
        }
        for (const Json& row : finding.rows) {
          const auto text = row.contains("text") ? row.find("text") : row.find("value");
          out << fmt::format("         {}{}\n", row.at("at").get<std::string>(), text == row.end() ? "" : "  " + base::dump_json(*text));
        }
      }
    }
    if (!out_.empty()) {
      out << fmt::format("{} is the report\n", out_);
    }
  }

  std::string table_;
  std::string against_;
  std::string out_;
  std::string facts_;
  std::string fail_on_ = "never";
  std::string map_ = "pca";
  std::string model_;
  std::string tokenizer_;
  std::string memory_ = "256MB";
  data::ScanOptions scan_;
  data::CompareOptions compare_;
  data::ReportOptions report_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<text::Tokenizer> counter_;
};

}  // namespace

std::unique_ptr<Command> make_data_report() { return std::make_unique<DataReportCommand>(); }

}  // namespace slipway::cli
