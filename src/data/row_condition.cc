#include "data/row_condition.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::data {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxComparisons = 100;
constexpr size_t kMaxText = 10'000;

enum class Operator { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

struct Comparison final : RowCondition {
  size_t column = 0;
  Operator op = Operator::kEqual;
  Json value;   // of all but in
  ValueSet set{Json::array()};

  bool holds(const RowCells& row) const override {
    const Cell& cell = row.cells[column];
    const bool negative = op == Operator::kNotEqual || op == Operator::kNotIn;
    if (cell.is_null()) {
      return negative;
    }
    if (op == Operator::kIn || op == Operator::kNotIn || op == Operator::kEqual || op == Operator::kNotEqual) {
      return set.contains(cell) != negative;
    }
    int order = 0;
    if (value.is_number()) {
      if (!cell.numeric) {
        return false;
      }
      const double other = value.get<double>();
      order = cell.number < other ? -1 : cell.number > other ? 1 : 0;
    } else if (value.is_string() && cell.kind == Cell::Kind::kText) {
      order = cell.text.compare(value.get_ref<const std::string&>());
    } else {
      return false;
    }
    return op == Operator::kLess ? order < 0 : op == Operator::kLessEqual ? order <= 0 : op == Operator::kGreater ? order > 0 : order >= 0;
  }
};

struct Nullity final : RowCondition {
  size_t column = 0;
  bool null = true;
  bool holds(const RowCells& row) const override { return row.cells[column].is_null() == null; }
};

struct Several final : RowCondition {
  bool all = true;  // and; else or
  std::vector<std::unique_ptr<RowCondition>> parts;
  bool holds(const RowCells& row) const override {
    const auto good = [&](const auto& part) { return part->holds(row); };
    return all ? std::all_of(parts.begin(), parts.end(), good) : std::any_of(parts.begin(), parts.end(), good);
  }
};

struct Not final : RowCondition {
  std::unique_ptr<RowCondition> part;
  bool holds(const RowCells& row) const override { return !part->holds(row); }
};

// What both forms are made with.
class Maker {
 public:
  Maker(Kwargs& kwargs, Columns& columns, std::vector<size_t>& used) : kwargs_(kwargs), columns_(columns), used_(used) {}

  size_t column(const std::string& name) {
    used_.push_back(columns_.index(name));
    return used_.back();
  }
  std::unique_ptr<RowCondition> compare(const std::string& name, Operator op, const Json& value) {
    if (++comparisons_ > kMaxComparisons) {
      fail(fmt::format("has more than {} comparisons", kMaxComparisons));
    }
    auto one = std::make_unique<Comparison>();
    one->column = column(name);
    one->op = op;
    const bool list = op == Operator::kIn || op == Operator::kNotIn;
    if (list ? !value.is_array() : value.is_structured() || value.is_null()) {
      fail(list ? "wants a list after 'in'" : "compares with a number, a text, true or false; null by is_null or isnull()");
    }
    one->value = value;
    one->set = ValueSet(list ? value : Json::array({value}));
    return one;
  }
  std::unique_ptr<RowCondition> nullity(const std::string& name, bool null) {
    auto one = std::make_unique<Nullity>();
    one->column = column(name);
    one->null = null;
    return one;
  }
  [[noreturn]] void fail(const std::string& what) const { kwargs_.fail("'row_condition' " + what); }

 private:
  Kwargs& kwargs_;
  Columns& columns_;
  std::vector<size_t>& used_;
  int comparisons_ = 0;
};

Operator operator_named(const std::string& name, const Maker& maker) {
  static const std::map<std::string, Operator> kNames = {{"==", Operator::kEqual},   {"!=", Operator::kNotEqual},      {"<", Operator::kLess}, {"<=", Operator::kLessEqual},
                                                         {">", Operator::kGreater},  {">=", Operator::kGreaterEqual}, {"IN", Operator::kIn},  {"NOT_IN", Operator::kNotIn}};
  const auto it = kNames.find(name);
  if (it == kNames.end()) {
    maker.fail(fmt::format("does not know the operator '{}'; there are ==, !=, <, <=, >, >=, IN, NOT_IN", name));
  }
  return it->second;
}

std::unique_ptr<RowCondition> of_object(const Json& object, Maker& maker, int depth) {
  const auto text = [&](const Json& from, const char* name) -> std::string {
    const auto it = from.is_object() ? from.find(name) : from.end();
    if (!from.is_object() || it == from.end() || !it->is_string()) {
      maker.fail(fmt::format("lacks the text '{}'", name));
    }
    return it->get<std::string>();
  };
  if (depth > kMaxDepth) {
    maker.fail("is nested too deeply");
  }
  const std::string type = text(object, "type");
  if (type == "and" || type == "or") {
    const auto list = object.find("conditions");
    if (list == object.end() || !list->is_array() || list->empty()) {
      maker.fail(fmt::format("'{}' wants a list of 'conditions'", type));
    }
    auto several = std::make_unique<Several>();
    several->all = type == "and";
    for (const Json& one : *list) {
      several->parts.push_back(of_object(one, maker, depth + 1));
    }
    return several;
  }
  const auto column = object.find("column");
  if (column == object.end()) {
    maker.fail("lacks the 'column' of a comparison");
  }
  const std::string name = column->is_string() ? column->get<std::string>() : text(*column, "name");
  if (type == "nullity") {
    const auto null = object.find("is_null");
    if (null == object.end() || !null->is_boolean()) {
      maker.fail("'nullity' wants 'is_null', true or false");
    }
    return maker.nullity(name, null->get<bool>());
  }
  if (type != "comparison") {
    maker.fail(fmt::format("does not know the type '{}'; there are comparison, nullity, and, or", type));
  }
  const auto parameter = object.find("parameter");
  return maker.compare(name, operator_named(text(object, "operator"), maker), parameter == object.end() ? Json() : *parameter);
}

// or := and (("or" | "|") and)*; and := unary (("and" | "&") unary)*; unary := ("not" | "~") unary | "(" or ")" | test
class TextParser {
 public:
  TextParser(std::string_view text, Maker& maker) : text_(text), maker_(maker) {}
  std::unique_ptr<RowCondition> parse() {
    auto condition = any(0);
    skip();
    if (at_ != text_.size()) {
      fail("an operator between comparisons, or the end");
    }
    return condition;
  }

 private:
  [[noreturn]] void fail(const std::string& wanted) const { maker_.fail(fmt::format("wants {} at character {} of '{}'", wanted, at_ + 1, text_.substr(0, 200))); }

  std::unique_ptr<RowCondition> any(int depth) { return several(false, "or", '|', depth); }

  std::unique_ptr<RowCondition> several(bool all, std::string_view word_name, char sign, int depth) {
    if (depth > kMaxDepth) {
      maker_.fail("is nested too deeply");
    }
    const auto next = [&] { return all ? unary(depth) : several(true, "and", '&', depth); };
    auto list = std::make_unique<Several>();
    list->all = all;
    list->parts.push_back(next());
    while (take_word(word_name) || take_sign(sign)) {
      list->parts.push_back(next());
    }
    return list->parts.size() == 1 ? std::move(list->parts.front()) : std::unique_ptr<RowCondition>(std::move(list));
  }

  std::unique_ptr<RowCondition> unary(int depth) {
    if (depth > kMaxDepth) {
      maker_.fail("is nested too deeply");
    }
    if (take_word("not") || take_sign('~')) {
      auto negated = std::make_unique<Not>();
      negated->part = unary(depth + 1);
      return negated;
    }
    if (take_sign('(')) {
      auto inner = any(depth + 1);
      need(')');
      return inner;
    }
    return test();
  }

  std::unique_ptr<RowCondition> test() {
    const std::string name = column();
    skip();
    if (take_sign('.')) {
      const std::string method = identifier();
      need('(');
      need(')');
      if (method == "notNull" || method == "notnull" || method == "notna") {
        return maker_.nullity(name, false);
      }
      if (method == "isNull" || method == "isnull" || method == "isna") {
        return maker_.nullity(name, true);
      }
      fail("notNull(), isNull(), notnull() or isnull() before this place;");
    }
    if (take_word("in")) {
      return maker_.compare(name, Operator::kIn, list());
    }
    if (take_word("not")) {
      if (!take_word("in")) {
        fail("'in'");
      }
      return maker_.compare(name, Operator::kNotIn, list());
    }
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (text_.substr(at_, op.size()) == op) {
        at_ += op.size();
        return maker_.compare(name, operator_named(std::string(op), maker_), literal());
      }
    }
    fail("==, !=, <, <=, >, >=, in, not in or .notNull()");
  }

  std::string column() {
    skip();
    if (take_sign('`')) {
      const size_t end = text_.find('`', at_);
      if (end == std::string_view::npos) {
        fail("a closing `");
      }
      const std::string name(text_.substr(at_, end - at_));
      at_ = end + 1;
      return name;
    }
    const size_t start = at_;
    const std::string name = identifier();
    if (name == "col" && take_sign('(')) {
      const Json value = literal();
      need(')');
      if (!value.is_string()) {
        fail("the name of a column in col(…)");
      }
      return value.get<std::string>();
    }
    if (name.empty()) {
      at_ = start;
      fail("a column");
    }
    return name;
  }

  static bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
  std::string identifier() {
    skip();
    const size_t start = at_;
    while (at_ < text_.size() && is_name(text_[at_])) {
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  Json list() {
    Json values = Json::array();
    skip();
    const char close = take_sign('[') ? ']' : take_sign('(') ? ')' : '\0';
    if (close == '\0') {
      fail("a list");
    }
    if (take_sign(close)) {
      return values;
    }
    while (true) {
      values.push_back(literal());
      if (take_sign(close)) {
        return values;
      }
      need(',');
    }
  }

  Json literal() {
    skip();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const char quote = text_[at_++];
      std::string value;
      while (at_ < text_.size() && text_[at_] != quote) {
        at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 1 : 0;
        value += text_[at_++];
      }
      if (at_ == text_.size()) {
        fail("a closing quote");
      }
      ++at_;
      return value;
    }
    const size_t start = at_;
    while (at_ < text_.size() && (is_name(text_[at_]) || text_[at_] == '.' || text_[at_] == '-' || text_[at_] == '+')) {
      ++at_;
    }
    const std::string word(text_.substr(start, at_ - start));
    if (word == "True" || word == "true" || word == "False" || word == "false") {
      return word[0] == 'T' || word[0] == 't';
    }
    if (const Cell cell = cell_of(std::string_view(word)); cell.numeric) {
      return cell.json();
    }
    at_ = start;
    fail("a number, a text in quotes, True or False");
  }

  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      ++at_;
    }
  }
  bool take_sign(char sign) {
    skip();
    const bool there = at_ < text_.size() && text_[at_] == sign;
    at_ += there ? 1 : 0;
    return there;
  }
  bool take_word(std::string_view word) {
    skip();
    const bool there = text_.substr(at_, word.size()) == word && (at_ + word.size() == text_.size() || !is_name(text_[at_ + word.size()]));
    at_ += there ? word.size() : 0;
    return there;
  }
  void need(char sign) {
    if (!take_sign(sign)) {
      fail(fmt::format("'{}'", sign));
    }
  }

  std::string_view text_;
  Maker& maker_;
  size_t at_ = 0;
};

class ConditionedCheck final : public ExpectationCheck {
 public:
  ConditionedCheck(std::unique_ptr<ExpectationCheck> check, std::unique_ptr<RowCondition> condition, std::vector<size_t> used)
      : check_(std::move(check)), condition_(std::move(condition)), used_(std::move(used)) {}
  void row(const RowCells& row) override {
    if (condition_->holds(row)) {
      ++rows_;
      check_->row(row);
    }
  }
  Outcome finish(int64_t, CheckSpace& space) override { return check_->finish(rows_, space); }
  std::vector<uint64_t> late_rows() const override { return check_->late_rows(); }
  void late_row(const RowCells& row) override { check_->late_row(row); }
  void late_finish(Outcome& outcome) override { check_->late_finish(outcome); }
  bool wants_columns() const override { return check_->wants_columns(); }
  void columns(const std::vector<std::string>& names) override { check_->columns(names); }
  std::vector<size_t> used_columns() const override {
    std::vector<size_t> all = check_->used_columns();
    all.insert(all.end(), used_.begin(), used_.end());
    return all;
  }

 private:
  std::unique_ptr<ExpectationCheck> check_;
  std::unique_ptr<RowCondition> condition_;
  std::vector<size_t> used_;
  int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<RowCondition> parse_row_condition(Kwargs& kwargs, Columns& columns, std::vector<size_t>& used) {
  const Json* given = kwargs.find("row_condition");
  const Json* parser = kwargs.find("condition_parser");
  if (given == nullptr) {
    return nullptr;
  }
  Maker maker(kwargs, columns, used);
  if (given->is_object()) {
    return of_object(*given, maker, 0);
  }
  if (!given->is_string() || given->get_ref<const std::string&>().size() > kMaxText) {
    maker.fail("is a text (of at most 10,000 bytes) or an object");
  }
  if (parser != nullptr && !(parser->is_string() && (*parser == "great_expectations" || *parser == "great_expectations__experimental__" || *parser == "pandas"))) {
    kwargs.fail("'condition_parser' is 'great_expectations' or 'pandas'");
  }
  return TextParser(given->get_ref<const std::string&>(), maker).parse();
}

std::unique_ptr<ExpectationCheck> conditioned(std::unique_ptr<ExpectationCheck> check, std::unique_ptr<RowCondition> condition, std::vector<size_t> used) {
  return std::make_unique<ConditionedCheck>(std::move(check), std::move(condition), std::move(used));
}

}  // namespace slipway::data
