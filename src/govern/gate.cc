#include "govern/gate.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "base/suggest.h"

namespace slipway::govern {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxTextBytes = 1'000;
constexpr size_t kMaxNodes = 400;  // 200 terms and the operators between them
constexpr int kMaxDepth = 32;
constexpr int kMaxJsonDepth = 16;
constexpr std::string_view kChampion = "champion.";
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void collect(const Json& json, const std::string& prefix, int depth, Measures& out) {
  if (!json.is_object() || depth > kMaxJsonDepth) {
    return;
  }
  for (const auto& item : json.items()) {
    const Json& value = item.value();
    const std::string name = prefix.empty() ? item.key() : prefix + "." + item.key();
    if (value.is_number()) {
      out[name] = {value.get<double>(), kNan, kNan, 0};
    } else if (value.is_object() && value.contains("value") &&
               (value["value"].is_number() || value["value"].is_null())) {
      const auto number = [&](const char* field) {
        return value.contains(field) && value[field].is_number() ? value[field].get<double>() : kNan;
      };
      const double rows = number("n");
      out[name] = {number("value"), number("low"), number("high"),
                   rows >= 0 && rows < 1e18 ? static_cast<int64_t>(rows) : 0};
    } else {
      collect(value, name, depth + 1, out);
    }
  }
}

std::string shown(double value) { return std::isnan(value) ? "undefined" : fmt::format("{:.6g}", value); }

bool holds(std::string_view op, double left, double right) noexcept {
  if (std::isnan(left) || std::isnan(right)) {
    return false;
  }
  return op == ">="   ? left >= right
         : op == "<=" ? left <= right
         : op == ">"  ? left > right
         : op == "<"  ? left < right
         : op == "==" ? left == right
                      : left != right;
}

// Whether the decision would be the same anywhere in the interval.
bool is_certain(std::string_view op, const Measure& left, double right) noexcept {
  if (std::isnan(left.low) || std::isnan(left.high) || op == "==" || op == "!=") {
    return false;
  }
  return holds(op, left.low, right) == holds(op, left.high, right);
}

}  // namespace

struct Gate::Node {
  enum class Kind { kNumber, kMetric, kBinary, kNegate, kCompare };
  Kind kind = Kind::kNumber;
  double number = 0;
  std::string text;  // the metric's name, or the operator
};

namespace {

// Recursive descent over the text into postfix order.
template <class Node>
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<Node> parse() {
    sum(0);
    skip_space();
    std::string op;
    for (const std::string_view candidate : {">=", "<=", "==", "!=", ">", "<"}) {
      if (text_.substr(at_).starts_with(candidate)) {
        op = candidate;
        break;
      }
    }
    if (op.empty()) {
      fail("expected one of >= <= > < == !=");
    }
    at_ += op.size();
    sum(0);
    skip_space();
    if (at_ != text_.size()) {
      fail("unexpected text after the condition");
    }
    push({Node::Kind::kCompare, 0, op});
    return std::move(nodes_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kInvalid,
                fmt::format("gate '{}', character {}: {}; a gate looks like 'accuracy >= 0.85'", text_, at_ + 1, what));
  }
  void push(Node node) {
    if (nodes_.size() == kMaxNodes) {
      fail(fmt::format("more than {} terms", kMaxNodes / 2));
    }
    nodes_.push_back(std::move(node));
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void sum(int depth) {
    product(depth);
    while (peek() == '+' || peek() == '-') {
      const std::string op(1, text_[at_++]);
      product(depth);
      push({Node::Kind::kBinary, 0, op});
    }
  }
  void product(int depth) {
    unary(depth);
    while (peek() == '*' || peek() == '/') {
      const std::string op(1, text_[at_++]);
      unary(depth);
      push({Node::Kind::kBinary, 0, op});
    }
  }
  void unary(int depth) {
    bool negative = false;
    while (peek() == '-' || peek() == '+') {
      negative = negative != (text_[at_++] == '-');
    }
    operand(depth);
    if (negative) {
      push({Node::Kind::kNegate, 0, "-"});
    }
  }
  void operand(int depth) {
    const char c = peek();
    if (c == '(') {
      if (depth == kMaxDepth) {
        fail(fmt::format("nested deeper than {} parentheses", kMaxDepth));
      }
      ++at_;
      sum(depth + 1);
      if (peek() != ')') {
        fail("expected ')'");
      }
      ++at_;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') {
      number();
    } else if (c == '`') {
      quoted();
    } else if (is_name(c)) {
      const size_t begin = at_;
      while (at_ < text_.size() && is_name(text_[at_])) {
        ++at_;
      }
      push({Node::Kind::kMetric, 0, std::string(text_.substr(begin, at_ - begin))});
    } else {
      fail(c == '\0' ? "the gate ends where a number or metric is expected" : "expected a number or a metric's name");
    }
  }
  void number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || !std::isfinite(value)) {
      fail("not a number");
    }
    at_ += static_cast<size_t>(end - begin);
    if (at_ < text_.size() && text_[at_] == '%') {
      value /= 100;
      ++at_;
    }
    push({Node::Kind::kNumber, value, {}});
  }
  void quoted() {
    const size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos || end == at_ + 1) {
      fail("a name in `backquotes` is empty or not closed");
    }
    push({Node::Kind::kMetric, 0, std::string(text_.substr(at_ + 1, end - at_ - 1))});
    at_ = end + 1;
  }
  static bool is_name(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '.' || c == '@';
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Node> nodes_;
};

std::vector<std::string> names_of(const Measures& measures) {
  std::vector<std::string> names;
  for (const auto& [name, measure] : measures) {
    names.push_back(name);
  }
  return names;
}

// "no metric 'f2'; did you mean 'f1'?", or "" when it is there with a number.
std::string missing(const std::string& name, const Measures& measures, const char* whose) {
  const auto it = measures.find(name);
  if (it == measures.end()) {
    return fmt::format("{} has no metric '{}'{}", whose, name, base::suggestion(name, names_of(measures)));
  }
  return std::isnan(it->second.value) ? fmt::format("{}'s metric '{}' is not defined", whose, name) : "";
}

}  // namespace

Measures measures_from_json(const Json& json) {
  Measures result;
  collect(json, "", 0, result);
  return result;
}

Gate Gate::parse(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    throw Error(Code::kInvalid, fmt::format("a gate has {} bytes, more than {}", text.size(), kMaxTextBytes));
  }
  Gate gate;
  gate.text_ = text;
  gate.nodes_ = std::make_shared<const std::vector<Node>>(Parser<Node>(gate.text_).parse());
  return gate;
}

std::vector<std::string> Gate::metrics() const {
  std::vector<std::string> names;
  for (const Node& node : *nodes_) {
    if (node.kind == Node::Kind::kMetric && std::find(names.begin(), names.end(), node.text) == names.end()) {
      names.push_back(node.text);
    }
  }
  return names;
}

void Gate::check_names(std::span<const std::string> known) const {
  for (const std::string& name : metrics()) {
    const std::string plain = name.starts_with(kChampion) ? name.substr(kChampion.size()) : name;
    if (std::find(known.begin(), known.end(), plain) == known.end()) {
      throw Error(Code::kInvalid,
                  fmt::format("gate '{}': there is no metric '{}'{}", text_, plain, base::suggestion(plain, known)));
    }
  }
}

GateResult Gate::evaluate(const Measures& candidate, const Measures* champion) const {
  GateResult result;
  result.text = text_;
  result.left = kNan;
  result.right = kNan;
  result.interval = {kNan, kNan, kNan, 0};
  bool needs_champion = false;
  for (const std::string& name : metrics()) {
    if (!name.starts_with(kChampion)) {
      result.reason = missing(name, candidate, "the model");
    } else if (champion == nullptr) {
      needs_champion = true;
    } else {
      result.reason = missing(name.substr(kChampion.size()), *champion, "the champion");
    }
    if (!result.reason.empty()) {
      return result;
    }
  }
  if (needs_champion) {
    result.passed = true;
    result.reason = "no champion yet: there is nothing to compare with";
    return result;
  }

  std::vector<double> stack;
  for (const Node& node : *nodes_) {
    switch (node.kind) {
      case Node::Kind::kNumber: stack.push_back(node.number); break;
      case Node::Kind::kMetric:
        stack.push_back(node.text.starts_with(kChampion) ? champion->at(node.text.substr(kChampion.size())).value
                                                         : candidate.at(node.text).value);
        break;
      case Node::Kind::kNegate: stack.back() = -stack.back(); break;
      case Node::Kind::kBinary: {
        const double right = stack.back();
        stack.pop_back();
        double& left = stack.back();
        left = node.text == "+"   ? left + right
               : node.text == "-" ? left - right
               : node.text == "*" ? left * right
                                  : (right == 0 ? kNan : left / right);
        break;
      }
      case Node::Kind::kCompare:
        result.right = stack[1];
        result.left = stack[0];
        result.passed = holds(node.text, result.left, result.right);
        result.reason = fmt::format("{} {} {}", shown(result.left), node.text, shown(result.right)) +
                        (result.passed ? "" : " does not hold");
        break;
    }
  }
  const Node& first = nodes_->front();
  if (first.kind == Node::Kind::kMetric && !first.text.starts_with(kChampion) && left_is_first()) {
    result.interval = candidate.at(first.text);
    result.certain = is_certain(nodes_->back().text, result.interval, result.right);
  }
  return result;
}

// True when the left side is the first node alone: then what follows it builds exactly one value before the comparison.
bool Gate::left_is_first() const {
  int values = 0;
  for (size_t i = 1; i + 1 < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    values += node.kind == Node::Kind::kNumber || node.kind == Node::Kind::kMetric ? 1 : 0;
    if (node.kind == Node::Kind::kBinary && --values == 0) {
      return false;  // this operator took the first node as its left side
    }
    if (node.kind == Node::Kind::kNegate && values == 0) {
      return false;
    }
  }
  return values == 1;
}

std::vector<GateResult> check_gates(std::span<const std::string> gates, const Measures& candidate,
                                    const Measures* champion) {
  std::vector<GateResult> results;
  for (const std::string& text : gates) {
    results.push_back(Gate::parse(text).evaluate(candidate, champion));
  }
  return results;
}

bool all_passed(std::span<const GateResult> results) noexcept {
  return std::all_of(results.begin(), results.end(), [](const GateResult& result) { return result.passed; });
}

Json to_json(const GateResult& result) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  return {{"text", result.text},
          {"passed", result.passed},
          {"left", number(result.left)},
          {"right", number(result.right)},
          {"reason", result.reason},
          {"interval",
           {{"value", number(result.interval.value)},
            {"low", number(result.interval.low)},
            {"high", number(result.interval.high)},
            {"n", result.interval.n}}},
          {"certain", result.certain}};
}

}  // namespace slipway::govern
