// Expectations of each value of a column.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "data/expect_numbers.h"
#include "data/expectation_check.h"
#include "data/strptime.h"
#include "text/aligned_text.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using Test = std::function<bool(const Cell&)>;

double mostly_of(Kwargs& kwargs) {
  const double mostly = kwargs.number("mostly", 1);
  if (!(mostly >= 0 && mostly <= 1)) {
    kwargs.fail("'mostly' is a share from 0 to 1");
  }
  return mostly;
}

class MapCheck final : public ExpectationCheck {
 public:
  MapCheck(CheckMaker& maker, Test test) : column_(maker.columns.index(maker.kwargs.text("column"))), test_(std::move(test)), counts_(maker.space.examples, mostly_of(maker.kwargs)) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.is_null()) {
      counts_.missing();
    } else if (test_(cell)) {
      counts_.good();
    } else {
      counts_.bad(row.number, cell.json());
    }
  }
  Outcome finish(int64_t, CheckSpace&) override { return counts_.outcome(false); }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  Test test_;
  MapCounts counts_;
};

// Null, or not: nulls are values here.
class NullCheck final : public ExpectationCheck {
 public:
  NullCheck(CheckMaker& maker, bool wanted) : column_(maker.columns.index(maker.kwargs.text("column"))), wanted_(wanted), counts_(maker.space.examples, mostly_of(maker.kwargs)) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    cell.is_null() == wanted_ ? counts_.good() : counts_.bad(row.number, cell.json());
  }
  Outcome finish(int64_t, CheckSpace&) override { return counts_.outcome(true); }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  bool wanted_;
  MapCounts counts_;
};

MakeCheck map_check(std::function<Test(Kwargs&)> make) {
  return [make = std::move(make)](CheckMaker& maker) -> std::unique_ptr<ExpectationCheck> { return std::make_unique<MapCheck>(maker, make(maker.kwargs)); };
}

// Whether a pattern matches somewhere in a text, as Python's re.search. The steps of a match are bounded.
class Search {
 public:
  explicit Search(const std::string& pattern) : regex_(pattern, "regex", text::Regex::Flavor::kRust) {}
  bool in(const std::u32string& text) const {
    text::Regex::Match match{};
    const auto end = static_cast<uint32_t>(text.size());
    return regex_.find(text, 0, end, 0, match);
  }

 private:
  text::Regex regex_;
};

std::u32string code_points(const Cell& cell) { return text::to_utf32(text::sanitize_utf8(cell.as_text())); }

Test regex_test(Kwargs& kwargs, bool wanted) {
  const auto search = std::make_shared<Search>(kwargs.text("regex"));
  return [search, wanted](const Cell& cell) { return search->in(code_points(cell)) == wanted; };
}

Test regex_list_test(Kwargs& kwargs, bool wanted) {
  const auto all = std::make_shared<std::vector<Search>>();
  for (const std::string& pattern : kwargs.texts("regex_list")) {
    all->emplace_back(pattern);
  }
  bool every = false;
  if (wanted) {
    const std::string match_on = kwargs.find("match_on") == nullptr ? "any" : kwargs.text("match_on");
    if (match_on != "any" && match_on != "all") {
      kwargs.fail("'match_on' is 'any' or 'all'");
    }
    every = match_on == "all";
  }
  return [all, wanted, every](const Cell& cell) {
    const std::u32string text = code_points(cell);
    const auto matches = [&](const Search& search) { return search.in(text); };
    const bool found = every ? std::all_of(all->begin(), all->end(), matches) : std::any_of(all->begin(), all->end(), matches);
    return found == wanted;
  };
}

// SQL's LIKE: % for any text, _ for one character.
bool like(std::u32string_view text, std::u32string_view pattern) {
  size_t t = 0;
  size_t p = 0;
  size_t star = std::u32string_view::npos;
  size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == U'%') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == U'_' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::u32string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == U'%') {
    ++p;
  }
  return p == pattern.size();
}

Test like_test(Kwargs& kwargs, bool list, bool wanted) {
  std::vector<std::u32string> patterns;
  for (const std::string& pattern : list ? kwargs.texts("like_pattern_list") : std::vector<std::string>{kwargs.text("like_pattern")}) {
    patterns.push_back(text::to_utf32(pattern));
  }
  const bool every = list && wanted && kwargs.find("match_on") != nullptr && kwargs.text("match_on") == "all";
  return [patterns, wanted, every](const Cell& cell) {
    const std::u32string text = code_points(cell);
    const auto matches = [&](const std::u32string& pattern) { return like(text, pattern); };
    const bool found = every ? std::all_of(patterns.begin(), patterns.end(), matches) : std::any_of(patterns.begin(), patterns.end(), matches);
    return found == wanted;
  };
}

// The names of Python, pandas and JSON.
bool is_of_type(const Cell& cell, const std::string& type) {
  const bool whole = cell.numeric && (cell.kind == Cell::Kind::kNumber ? !cell.value->is_number_float()
                                                                       : cell.text.find_first_not_of("+-0123456789") == std::string_view::npos);
  if (type == "int" || type == "integer" || type.starts_with("int") || type.starts_with("Int") || type.starts_with("uint")) {
    return whole;
  }
  if (type.starts_with("float") || type.starts_with("Float")) {
    return cell.numeric && !whole;
  }
  if (type == "number") {
    return cell.numeric;
  }
  if (type == "str" || type == "string" || type == "object" || type == "STRING") {
    return cell.kind == Cell::Kind::kText && !cell.numeric;
  }
  if (type.starts_with("bool")) {
    return cell.kind == Cell::Kind::kBoolean || (cell.of_csv && (cell.text == "True" || cell.text == "False" || cell.text == "true" || cell.text == "false"));
  }
  return cell.kind == Cell::Kind::kOther && ((type == "list" && cell.value->is_array()) || (type == "dict" && cell.value->is_object()));
}

void check_type_name(Kwargs& kwargs, const std::string& type) {
  for (const char* known : {"int", "Int", "uint", "integer", "float", "Float", "number", "str", "string", "STRING", "object", "bool", "list", "dict"}) {
    if (type.starts_with(known)) {
      return;
    }
  }
  kwargs.fail(fmt::format("does not know the type '{}'; there are int, float, number, str, bool, list, dict", type));
}

Test types_test(Kwargs& kwargs, const std::vector<std::string>& types) {
  for (const std::string& type : types) {
    check_type_name(kwargs, type);
  }
  return [types](const Cell& cell) { return std::any_of(types.begin(), types.end(), [&](const std::string& type) { return is_of_type(cell, type); }); };
}

bool is_json(const Cell& cell) {
  if (cell.kind != Cell::Kind::kText) {
    return false;
  }
  return Json::accept(cell.text.begin(), cell.text.end());
}

// Distances from the mean in standard deviations: known when all values are.
class ZScoreCheck final : public ExpectationCheck {
 public:
  explicit ZScoreCheck(CheckMaker& maker)
      : column_(maker.columns.index(maker.kwargs.text("column"))),
        threshold_(maker.kwargs.number("threshold", NAN)),
        double_sided_(maker.kwargs.flag("double_sided", true)),
        counts_(maker.space.examples, mostly_of(maker.kwargs)),
        sorter_(maker.space.space, maker.space.next_name(), maker.space.memory_each),
        numbers_(maker.space) {
    static_cast<void>(maker.kwargs.need("threshold"));
  }
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (!cell.numeric) {
      cell.is_null() ? counts_.missing() : counts_.bad(row.number, cell.json());
      return;
    }
    sorter_.add({cell.number, row.number});
    numbers_.add(cell.number);
  }
  Outcome finish(int64_t, CheckSpace& space) override {
    const double mean = numbers_.mean();
    const double stdev = numbers_.stdev();
    return judge_numbers(sorter_, counts_, space.examples, [&](double value) {
      const double z = (value - mean) / stdev;
      return double_sided_ ? std::abs(z) < std::abs(threshold_) : z < threshold_;
    });
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  double threshold_;
  bool double_sided_;
  MapCounts counts_;
  ExternalSorter<NumberAt> sorter_;
  Numbers numbers_;
};

// Each value against the one before, nulls passed over.
class OrderCheck final : public ExpectationCheck {
 public:
  OrderCheck(CheckMaker& maker, double sign)
      : column_(maker.columns.index(maker.kwargs.text("column"))), sign_(sign), strictly_(maker.kwargs.flag("strictly", false)), counts_(maker.space.examples, mostly_of(maker.kwargs)) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.is_null()) {
      counts_.missing();
      return;
    }
    const double step = (cell.number - before_) * sign_;
    const bool good = cell.numeric && (first_ || (strictly_ ? step > 0 : step >= 0));
    good ? counts_.good() : counts_.bad(row.number, cell.json());
    if (cell.numeric) {
      before_ = cell.number;
      first_ = false;
    }
  }
  Outcome finish(int64_t, CheckSpace&) override { return counts_.outcome(false); }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  double sign_;
  bool strictly_;
  MapCounts counts_;
  double before_ = 0;
  bool first_ = true;
};

Test length_test(const Bounds& bounds) {
  return [bounds](const Cell& cell) { return bounds.hold(static_cast<double>(text::to_utf32(text::sanitize_utf8(cell.as_text())).size())); };
}

}  // namespace

void add_map_checks(CheckTable& table) {
  table["expect_column_values_to_be_null"] = [](CheckMaker& maker) { return std::make_unique<NullCheck>(maker, true); };
  table["expect_column_values_to_not_be_null"] = [](CheckMaker& maker) { return std::make_unique<NullCheck>(maker, false); };
  table["expect_column_values_to_be_in_set"] = map_check([](Kwargs& kwargs) -> Test {
    return [set = std::make_shared<ValueSet>(kwargs.need("value_set"))](const Cell& cell) { return set->contains(cell); };
  });
  table["expect_column_values_to_not_be_in_set"] = map_check([](Kwargs& kwargs) -> Test {
    return [set = std::make_shared<ValueSet>(kwargs.need("value_set"))](const Cell& cell) { return !set->contains(cell); };
  });
  table["expect_column_values_to_be_between"] = map_check([](Kwargs& kwargs) -> Test {
    const Bounds bounds = Bounds::of(kwargs);
    if (!bounds.min && !bounds.max) {
      kwargs.fail("needs 'min_value' or 'max_value'");
    }
    return [bounds](const Cell& cell) { return bounds.hold(cell); };
  });
  table["expect_column_value_lengths_to_be_between"] = map_check([](Kwargs& kwargs) -> Test {
    const Bounds bounds = Bounds::of(kwargs);
    if (!bounds.min && !bounds.max) {
      kwargs.fail("needs 'min_value' or 'max_value'");
    }
    return length_test(bounds);
  });
  table["expect_column_value_lengths_to_equal"] = map_check([](Kwargs& kwargs) -> Test {
    Bounds bounds;
    bounds.min = bounds.max = kwargs.need("value");
    return length_test(bounds);
  });
  table["expect_column_values_to_match_regex"] = map_check([](Kwargs& kwargs) { return regex_test(kwargs, true); });
  table["expect_column_values_to_not_match_regex"] = map_check([](Kwargs& kwargs) { return regex_test(kwargs, false); });
  table["expect_column_values_to_match_regex_list"] = map_check([](Kwargs& kwargs) { return regex_list_test(kwargs, true); });
  table["expect_column_values_to_not_match_regex_list"] = map_check([](Kwargs& kwargs) { return regex_list_test(kwargs, false); });
  table["expect_column_values_to_match_like_pattern"] = map_check([](Kwargs& kwargs) { return like_test(kwargs, false, true); });
  table["expect_column_values_to_not_match_like_pattern"] = map_check([](Kwargs& kwargs) { return like_test(kwargs, false, false); });
  table["expect_column_values_to_match_like_pattern_list"] = map_check([](Kwargs& kwargs) { return like_test(kwargs, true, true); });
  table["expect_column_values_to_not_match_like_pattern_list"] = map_check([](Kwargs& kwargs) { return like_test(kwargs, true, false); });
  table["expect_column_values_to_be_of_type"] = map_check([](Kwargs& kwargs) { return types_test(kwargs, {kwargs.text("type_")}); });
  table["expect_column_values_to_be_in_type_list"] = map_check([](Kwargs& kwargs) { return types_test(kwargs, kwargs.texts("type_list")); });
  table["expect_column_values_to_be_json_parseable"] = map_check([](Kwargs&) -> Test { return is_json; });
  table["expect_column_values_to_match_strftime_format"] = map_check([](Kwargs& kwargs) -> Test {
    const std::string format = kwargs.text("strftime_format");
    if (const std::string fault = strptime_fault(format); !fault.empty()) {
      kwargs.fail(fault);
    }
    return [format](const Cell& cell) { return cell.kind == Cell::Kind::kText && matches_strptime(cell.text, format); };
  });
  table["expect_column_values_to_be_increasing"] = [](CheckMaker& maker) { return std::make_unique<OrderCheck>(maker, 1); };
  table["expect_column_values_to_be_decreasing"] = [](CheckMaker& maker) { return std::make_unique<OrderCheck>(maker, -1); };
  table["expect_column_value_z_scores_to_be_less_than"] = [](CheckMaker& maker) { return std::make_unique<ZScoreCheck>(maker); };
}

}  // namespace slipway::data
