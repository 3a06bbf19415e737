#include "data/expectations.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/suggest.h"
#include "base/yaml.h"
#include "data/expectation_check.h"
#include "data/row_condition.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxExpectations = 10'000;

const CheckTable& all_checks() {
  static const CheckTable kChecks = [] {
    CheckTable table;
    add_map_checks(table);
    add_set_checks(table);
    add_aggregate_checks(table);
    add_table_checks(table);
    add_distribution_checks(table);
    add_test_checks(table);
    return table;
  }();
  return kChecks;
}

Expectation parse_one(const Json& item, const std::string& where) {
  if (!item.is_object() || item.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: an expectation is {{type: expect_…, kwargs: {{…}}}}", where));
  }
  Expectation expectation;
  Json kwargs;
  const auto named = item.contains("type") ? item.find("type") : item.find("expectation_type");
  if (named != item.end()) {
    expectation.type = named->is_string() ? named->get<std::string>() : "";
    for (auto it = item.begin(); it != item.end(); ++it) {
      static const std::set<std::string> kKnown = {"type", "expectation_type", "kwargs", "meta", "id", "notes", "severity", "description", "rendered_content", "expectation_context"};
      if (!kKnown.contains(it.key())) {
        throw Error(Code::kInvalid, fmt::format("{}: unknown key '{}'{}", where, it.key(), base::suggestion(it.key(), std::vector<std::string>{"type", "kwargs", "meta"})));
      }
    }
    kwargs = item.value("kwargs", Json::object());
    expectation.meta = item.value("meta", Json::object());
  } else {
    if (item.size() != 1) {
      throw Error(Code::kInvalid, fmt::format("{}: the short form is one 'expect_…: {{arguments}}'", where));
    }
    expectation.type = item.begin().key();
    kwargs = item.begin().value();
  }
  if (!kwargs.is_null() && !kwargs.is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: the arguments of {} are names and values", where, expectation.type));
  }
  expectation.kwargs = kwargs.is_null() ? Json::object() : kwargs;
  if (!all_checks().contains(expectation.type)) {
    throw Error(Code::kInvalid, fmt::format("{}: unknown expectation '{}'{}", where, expectation.type, base::suggestion(expectation.type, expectation_types())));
  }
  return expectation;
}

// The rows of all files, one behind the other, as cells of the columns that are asked for.
class Table {
 public:
  Table(const VersionFiles& version, const Columns& columns, base::Context& context) : version_(version), columns_(columns), context_(context) {}

  // Calls `take` with each row; all columns' names are gathered when `gather`.
  void read(bool gather, const std::function<void(const RowCells&)>& take) {
    RowCells row;
    seen_.assign(columns_.names().size(), false);
    rows_ = broken_ = 0;
    bool any = false;
    for (const record::FolderFile& file : version_.files) {
      if (row_format(file.path) == RowFormat::kNone) {
        continue;
      }
      any = true;
      RowFileReader reader(version_.place(file), file.path);
      const bool delimited = reader.format() == RowFormat::kCsv || reader.format() == RowFormat::kTsv;
      const std::vector<size_t> places = delimited ? places_of(reader.columns()) : std::vector<size_t>();
      if (delimited && gather) {
        for (const std::string& name : reader.columns()) {
          name_column(name);
        }
      }
      for (uint64_t n = 0; reader.next(); ++n) {
        constexpr uint64_t kRowsBetweenLooks = 4096;
        if (n % kRowsBetweenLooks == 0) {
          base::check_stop(context_, "checking expectations");
        }
        row.cells.assign(columns_.names().size(), Cell());
        Json json;
        if (delimited) {
          for (size_t i = 0; i < places.size(); ++i) {
            if (places[i] < reader.fields().size()) {
              row.cells[i] = cell_of(reader.fields()[places[i]]);
            }
          }
        } else {
          json = reader.json();
          if (json.is_null()) {
            ++broken_;
            continue;
          }
          fill(json, row);
          if (gather) {
            for (auto it = json.begin(); it != json.end(); ++it) {
              name_column(it.key());
            }
          }
        }
        row.number = rows_++;
        take(row);
      }
    }
    if (!any) {
      throw Error(Code::kInvalid, fmt::format("there is no file with rows ({})", kRowFormats));
    }
  }
  uint64_t rows() const noexcept { return rows_; }
  uint64_t broken() const noexcept { return broken_; }
  bool seen(size_t column) const { return seen_[column]; }
  const std::vector<std::string>& all_columns() const noexcept { return all_; }

 private:
  std::vector<size_t> places_of(const std::vector<std::string>& header) {
    std::vector<size_t> places;
    for (size_t i = 0; i < columns_.names().size(); ++i) {
      const auto at = std::find(header.begin(), header.end(), columns_.names()[i]);
      places.push_back(static_cast<size_t>(at - header.begin()));
      if (at == header.end()) {
        places.back() = SIZE_MAX;
      } else {
        seen_[i] = true;
      }
    }
    return places;
  }
  void fill(const Json& json, RowCells& row) {
    for (size_t i = 0; i < columns_.names().size(); ++i) {
      if (const auto it = json.find(columns_.names()[i]); it != json.end()) {
        row.cells[i] = cell_of(*it);
        seen_[i] = true;
      }
    }
  }
  void name_column(const std::string& name) {
    constexpr size_t kMaxColumns = 65536;
    if (names_.size() < kMaxColumns && names_.insert(name).second) {
      all_.push_back(name);
    }
  }

  const VersionFiles& version_;
  const Columns& columns_;
  base::Context& context_;
  std::vector<bool> seen_;
  std::unordered_set<std::string> names_;
  std::vector<std::string> all_;
  uint64_t rows_ = 0;
  uint64_t broken_ = 0;
};

// What a suite becomes; thrown away again where only its arguments are looked at.
std::vector<std::unique_ptr<ExpectationCheck>> make_checks(const ExpectationSuite& suite, const std::string& source, Columns& columns, CheckSpace& space) {
  std::vector<std::unique_ptr<ExpectationCheck>> checks;
  for (const Expectation& expectation : suite.expectations) {
    Kwargs kwargs(expectation, source);
    CheckMaker maker{kwargs, columns, space};
    std::unique_ptr<ExpectationCheck> check = all_checks().at(expectation.type)(maker);
    std::vector<size_t> used;
    if (std::unique_ptr<RowCondition> condition = parse_row_condition(kwargs, columns, used)) {
      check = conditioned(std::move(check), std::move(condition), std::move(used));
    }
    checks.push_back(std::move(check));
    kwargs.finish();
  }
  return checks;
}

Json shown(const Expectation& expectation, const Outcome& outcome, const std::string& fault) {
  return {{"success", outcome.success && fault.empty()},
          {"expectation_config", {{"type", expectation.type}, {"kwargs", expectation.kwargs}, {"meta", expectation.meta}}},
          {"result", fault.empty() ? outcome.result : Json::object()},
          {"meta", Json::object()},
          {"exception_info",
           {{"raised_exception", !fault.empty()}, {"exception_message", fault.empty() ? Json() : Json(fault)}, {"exception_traceback", nullptr}}}};
}

}  // namespace

std::vector<std::string> expectation_types() {
  std::vector<std::string> names;
  for (const auto& [name, unused] : all_checks()) {
    names.push_back(name);
  }
  return names;
}

ExpectationSuite parse_expectations(const Json& json, const std::string& source) {
  ExpectationSuite suite;
  const Json* list = &json;
  if (json.is_object()) {
    const auto name = json.contains("name") ? json.find("name") : json.find("expectation_suite_name");
    if (name != json.end() && name->is_string()) {
      suite.name = name->get<std::string>();
    }
    const auto found = json.find("expectations");
    if (found == json.end()) {
      throw Error(Code::kInvalid, fmt::format("{}: there is no 'expectations' list", source));
    }
    list = &*found;
  }
  if (!list->is_array() || list->size() > kMaxExpectations) {
    throw Error(Code::kInvalid, fmt::format("{}: 'expectations' is a list of at most {}", source, kMaxExpectations));
  }
  for (const Json& item : *list) {
    suite.expectations.push_back(parse_one(item, source));
  }
  Columns columns;
  CheckSpace space;
  make_checks(suite, source, columns, space);
  return suite;
}

ExpectationSuite read_expectations(const std::filesystem::path& file) {
  constexpr size_t kMaxSuiteBytes = size_t{4} << 20;
  const std::string text = base::read_file(file, kMaxSuiteBytes);
  return parse_expectations(base::parse_yaml(text, file.string()).value, file.string());  // JSON is YAML
}

Json to_json(const ExpectationSuite& suite) {
  Json list = Json::array();
  for (const Expectation& one : suite.expectations) {
    Json item = {{"type", one.type}, {"kwargs", one.kwargs}};
    if (!one.meta.empty()) {
      item["meta"] = one.meta;
    }
    list.push_back(std::move(item));
  }
  return {{"name", suite.name}, {"expectations", std::move(list)}};
}

Json check_expectations(const VersionFiles& files, const ExpectationSuite& suite, const ExpectOptions& options, base::Context& context) {
  Columns columns;
  CheckSpace space;
  space.space = {options.work, options.memory_bytes, &context.pool};
  space.examples = static_cast<size_t>(options.examples);
  space.memory_each = space.space.share(std::max<size_t>(suite.expectations.size(), 1));
  const std::vector<std::unique_ptr<ExpectationCheck>> checks = make_checks(suite, suite.name, columns, space);
  const bool gather = std::any_of(checks.begin(), checks.end(), [](const auto& check) { return check->wants_columns(); });
  Table table(files, columns, context);
  table.read(gather, [&](const RowCells& row) {
    for (const auto& check : checks) {
      check->row(row);
    }
  });
  std::vector<bool> seen;
  for (size_t i = 0; i < columns.names().size(); ++i) {
    seen.push_back(table.seen(i));
  }
  const uint64_t rows = table.rows();
  const uint64_t broken = table.broken();
  std::vector<Outcome> outcomes;
  std::multimap<uint64_t, ExpectationCheck*> late;
  for (const auto& check : checks) {
    check->columns(table.all_columns());
    outcomes.push_back(check->finish(static_cast<int64_t>(rows), space));
    for (const uint64_t row : check->late_rows()) {
      late.emplace(row, check.get());
    }
  }
  if (!late.empty()) {
    table.read(false, [&](const RowCells& row) {
      for (auto [it, end] = late.equal_range(row.number); it != end; ++it) {
        it->second->late_row(row);
      }
    });
  }
  Json results = Json::array();
  int64_t good = 0;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (!checks[i]->late_rows().empty()) {
      checks[i]->late_finish(outcomes[i]);
    }
    std::string fault;
    for (const size_t column : checks[i]->used_columns()) {
      if (!seen[column] && rows > 0) {
        fault = fmt::format("the column \"{}\" does not exist", columns.names()[column]);
      }
    }
    results.push_back(shown(suite.expectations[i], outcomes[i], fault));
    good += results.back()["success"].get<bool>() ? 1 : 0;
  }
  const auto all = static_cast<int64_t>(checks.size());
  return {{"success", good == all && broken == 0},
          {"results", std::move(results)},
          {"suite_name", suite.name},
          {"suite_parameters", Json::object()},
          {"statistics",
           {{"evaluated_expectations", all},
            {"successful_expectations", good},
            {"unsuccessful_expectations", all - good},
            {"success_percent", all == 0 ? Json() : Json(100.0 * static_cast<double>(good) / static_cast<double>(all))}}},
          {"meta", {{"rows", rows}, {"broken_rows", broken}}}};
}

}  // namespace slipway::data
