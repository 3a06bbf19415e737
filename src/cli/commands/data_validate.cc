// slipway data validate | profile | infer-schema: a table held to expectations, and what it holds.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "data/profile.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;

class DataValidateCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data validate", "hold a table to expectations, as Great Expectations has them",
            "FILE's rows are checked in one pass. Expectations have that tool's names and arguments (expect_column_values_to_not_be_null,\n"
            "…_to_be_in_set, …_to_match_regex, with `mostly`; --list names all), in YAML or JSON, its own suites too; the results have its\n"
            "form with --json. The exit code is 6 when one fails. 'slipway data infer-schema' writes a first suite.",
            "slipway data infer-schema reviews.jsonl --out expectations.yaml\n"
            "slipway data validate reviews@main --expectations expectations.yaml --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", table_, kTableHelp, false);
    parameters.flags.add("expectations", expectations_, "file of expectations, YAML or JSON");
    parameters.flags.add("examples", options_.examples, "unexpected values to show of each", {0, 1000});
    parameters.flags.add("memory", memory_, "bound for sorting, whatever the size");
    parameters.flags.add("list", list_, "name the expectations there are");
  }
  int run(App& app) override {
    if (list_) {
      for (const std::string& name : data::expectation_types()) {
        app.json() ? app.print_json(name) : static_cast<void>(app.out() << name << '\n');
      }
      return 0;
    }
    if (table_.empty() || expectations_.empty()) {
      throw Error(Code::kInvalid, table_.empty() ? "FILE is missing" : "--expectations is missing: a file of them; 'slipway data infer-schema' writes one");
    }
    const data::ExpectationSuite suite = data::read_expectations(expectations_);
    options_.memory_bytes = parse_byte_size(memory_, "memory");
    const base::TempDir work;
    options_.work = work.path();
    base::Context context = app.context();
    const Json report = data::check_expectations(table_files(app, table_), suite, options_, context);
    app.json() ? app.print_json(report) : print(app.out(), report);
    return report.at("success").get<bool>() ? 0 : base::exit_code(Code::kGate);
  }

 private:
  static void print(std::ostream& out, const Json& report) {
    for (const Json& one : report.at("results")) {
      const Json& config = one.at("expectation_config");
      const Json& result = one.at("result");
      out << fmt::format("{} {}  {}\n", one.at("success").get<bool>() ? "ok  " : "FAIL", config.at("type").get<std::string>(), base::dump_json(config.at("kwargs")));
      if (one.at("success").get<bool>()) {
        continue;
      }
      if (const Json& message = one.at("exception_info").at("exception_message"); !message.is_null()) {
        out << "       " << message.get<std::string>() << '\n';
      } else if (const auto count = result.find("unexpected_count"); count != result.end()) {
        out << fmt::format("       {} of {} values: {}\n", count->dump(), result.at("element_count").dump(), shorten(base::dump_json(result.at("partial_unexpected_list"))));
      } else if (const auto value = result.find("observed_value"); value != result.end()) {
        out << "       observed " << shorten(base::dump_json(*value)) << '\n';
      }
    }
    const Json& counts = report.at("statistics");
    out << fmt::format("{} of {} expectations hold over {} rows{}\n", counts.at("successful_expectations").dump(), counts.at("evaluated_expectations").dump(),
                       human_count(report.at("meta").at("rows").get<int64_t>(), ""),
                       report.at("meta").at("broken_rows") == 0 ? "" : fmt::format("; {} lines are no rows", report.at("meta").at("broken_rows").dump()));
  }
  static std::string shorten(std::string text) {
    constexpr size_t kShown = 160;
    if (text.size() > kShown) {
      size_t cut = kShown;
      while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80) {
        --cut;
      }
      text = text.substr(0, cut) + "…";
    }
    return text;
  }

  std::string table_;
  std::string expectations_;
  std::string memory_ = "512MB";
  bool list_ = false;
  data::ExpectOptions options_;
};

class DataProfileCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data profile", "what the columns of a table hold: types, missing values, ranges, frequent values", "", "slipway data profile reviews.jsonl.zst"};
  }
  void describe(Parameters& parameters) override { parameters.positional("FILE", table_, kTableHelp); }
  int run(App& app) override {
    base::Context context = app.context();
    const data::TableProfile profile = data::profile_table(table_files(app, table_), context);
    if (app.json()) {
      app.print_json(data::to_json(profile));
      return 0;
    }
    Table table({"COLUMN", "TYPE", "MISSING", "DISTINCT", "RANGE", "FREQUENT"});
    for (const data::ColumnProfile& column : profile.columns) {
      const std::string type = column.type();
      const bool number = type == "integer" || type == "number";
      std::vector<std::string> top;
      for (const auto& [value, count] : column.top) {
        if (top.size() < 3) {
          top.push_back(fmt::format("{} ({})", base::dump_json(value).substr(0, 30), count));
        }
      }
      table.row({column.name, type, human_count(column.missing, ""), fmt::format("{}{}", column.distinct_exact ? "" : "> ", human_count(column.distinct, "")),
                 number ? fmt::format("{:g} to {:g}", column.min, column.max) : type == "string" ? fmt::format("{} to {} characters", column.min_length, column.max_length) : "",
                 column.unique() ? "each once" : fmt::format("{}", fmt::join(top, ", "))});
    }
    table.print(app.out(), app.color_out());
    app.out() << fmt::format("{} rows{}\n", human_count(profile.rows, ""), profile.broken == 0 ? "" : fmt::format(", and {} lines that are none", profile.broken));
    return 0;
  }

 private:
  std::string table_;
};

class DataInferSchemaCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data infer-schema", "write the schema of a table as expectations for its next version",
            "The file has the columns with their types and ranges, and expectations that hold now: edit what is too narrow, then hold other\n"
            "versions to it with 'slipway data validate', or by `data: validate: expectations:` of slipway.yaml.",
            "slipway data infer-schema reviews.jsonl --out expectations.yaml"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", table_, kTableHelp);
    parameters.flags.add("out", out_, "file to write; default: standard output");
    parameters.flags.add("name", name_, "of the suite; default: FILE's");
  }
  int run(App& app) override {
    base::Context context = app.context();
    const data::TableProfile profile = data::profile_table(table_files(app, table_), context);
    const std::string name = name_.empty() ? std::filesystem::path(table_).filename().string() : name_;
    if (app.json()) {
      app.print_json(data::to_json(data::infer_expectations(profile, name)));
    } else if (out_.empty()) {
      app.out() << data::schema_yaml(profile, name);
    }
    if (!out_.empty()) {
      base::write_file_atomic(out_, data::schema_yaml(profile, name));
      app.json() ? void() : static_cast<void>(app.out() << fmt::format("{}: {} columns of {} rows\n", out_, profile.columns.size(), profile.rows));
    }
    return 0;
  }

 private:
  std::string table_;
  std::string out_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_data_validate() { return std::make_unique<DataValidateCommand>(); }
std::unique_ptr<Command> make_data_profile() { return std::make_unique<DataProfileCommand>(); }
std::unique_ptr<Command> make_data_infer_schema() { return std::make_unique<DataInferSchemaCommand>(); }

}  // namespace slipway::cli
