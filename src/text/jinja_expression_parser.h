// Private to the parser: words to expressions, by recursive descent with the precedences of Jinja 3.1: conditional, or,
// and, not, comparison, + -, ~, * / // %, **, sign, postfix, filters and tests. One template, one thread.
#pragma once

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja_ast.h"
#include "text/jinja_lexer.h"

namespace slipway::text::jinja {

struct BinaryOp {
  std::string_view symbol;
  Op op;
};
inline constexpr std::array<BinaryOp, 6> kComparisons = {
    {{"==", Op::kEq}, {"!=", Op::kNe}, {"<", Op::kLt}, {"<=", Op::kLe}, {">", Op::kGt}, {">=", Op::kGe}}};
inline constexpr std::array<BinaryOp, 2> kSums = {{{"+", Op::kAdd}, {"-", Op::kSubtract}}};
inline constexpr std::array<BinaryOp, 4> kProducts = {
    {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"//", Op::kFloorDivide}, {"%", Op::kModulo}}};
inline constexpr std::array<BinaryOp, 1> kPowers = {{{"**", Op::kPower}}};

using Names = std::initializer_list<std::string_view>;

class ExpressionParser {
 public:
  ExpressionParser(std::vector<Token> tokens, int max_nesting)
      : tokens_(std::move(tokens)), max_nesting_(max_nesting) {}

 protected:
  // ---- tokens ----
  const Token& now() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void skip() {
    if (at_ + 1 < tokens_.size()) {
      ++at_;
    }
  }
  bool is_name(std::string_view name) const { return now().kind == TokenKind::kName && now().text == name; }
  bool is_symbol(std::string_view symbol) const { return now().kind == TokenKind::kOperator && now().text == symbol; }
  bool take_name(std::string_view name) {
    const bool found = is_name(name);
    found ? skip() : void();
    return found;
  }
  bool take(std::string_view symbol) {
    const bool found = is_symbol(symbol);
    found ? skip() : void();
    return found;
  }
  [[noreturn]] void fail(const std::string& what) const { throw_at(now().line, what); }
  static std::string shown(const Token& token) {
    switch (token.kind) {
      case TokenKind::kBlockEnd: return "%}";
      case TokenKind::kVariableEnd: return "}}";
      case TokenKind::kEnd: return "the end of the template";
      case TokenKind::kString: return "a string";
      case TokenKind::kInteger:
      case TokenKind::kFloat: return "a number";
      default: return fmt::format("'{}'", token.text);
    }
  }
  void expect(std::string_view symbol) {
    if (!take(symbol)) {
      fail(fmt::format("expected '{}', found {}", symbol, shown(now())));
    }
  }
  void expect(TokenKind kind) {
    if (now().kind != kind) {
      fail(fmt::format("expected {}, found {}", kind == TokenKind::kBlockEnd ? "%}" : "}}", shown(now())));
    }
    skip();
  }
  Name intern(const std::string& name) { return &*program_.names.insert(name).first; }
  Name expect_name() {
    if (now().kind != TokenKind::kName) {
      fail(fmt::format("expected a name, found {}", shown(now())));
    }
    const Name name = intern(now().text);
    skip();
    return name;
  }

  // ---- nesting ----
  struct Nest {
    explicit Nest(ExpressionParser& parser) : depth(parser.nesting_) {
      if (++depth > parser.max_nesting_) {
        --depth;
        parser.fail(fmt::format("nested deeper than {} levels", parser.max_nesting_));
      }
    }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    ~Nest() { --depth; }
    int& depth;
  };

  ExprPtr make(ExprKind kind, std::vector<ExprPtr> parts = {}) {
    auto out = std::make_unique<Expr>();
    out->kind = kind;
    out->line = now().line;
    out->parts = std::move(parts);
    for (const ExprPtr& part : out->parts) {
      deepen(*out, part);
    }
    return out;
  }
  void deepen(Expr& parent, const ExprPtr& child) const {
    if (child != nullptr && (parent.depth = std::max(parent.depth, child->depth + 1)) > max_nesting_) {
      fail(fmt::format("an expression is nested deeper than {} levels", max_nesting_));
    }
  }
  template <class... P>
  ExprPtr make_of(ExprKind kind, P... parts) {
    std::vector<ExprPtr> list;
    (list.push_back(std::move(parts)), ...);
    return make(kind, std::move(list));
  }

  // ---- expressions ----
  ExprPtr expression() {
    const Nest nest(*this);
    ExprPtr left = disjunction();
    while (take_name("if")) {
      ExprPtr condition = disjunction();
      ExprPtr otherwise = take_name("else") ? expression() : nullptr;
      left = make_of(ExprKind::kConditional, std::move(left), std::move(condition), std::move(otherwise));
    }
    return left;
  }

  ExprPtr disjunction() {
    ExprPtr left = conjunction();
    while (take_name("or")) {
      left = make_of(ExprKind::kOr, std::move(left), conjunction());
    }
    return left;
  }

  ExprPtr conjunction() {
    ExprPtr left = negation();
    while (take_name("and")) {
      left = make_of(ExprKind::kAnd, std::move(left), negation());
    }
    return left;
  }

  ExprPtr negation() {
    if (take_name("not")) {
      const Nest nest(*this);
      return make_of(ExprKind::kNot, negation());
    }
    return comparison();
  }

  std::optional<Op> comparison_op() {
    for (const auto& [symbol, op] : kComparisons) {
      if (take(symbol)) {
        return op;
      }
    }
    if (take_name("in")) {
      return Op::kIn;
    }
    if (is_name("not") && next().kind == TokenKind::kName && next().text == "in") {
      skip();
      skip();
      return Op::kNotIn;
    }
    return std::nullopt;
  }

  ExprPtr comparison() {
    ExprPtr first = sum();
    std::vector<ExprPtr> parts;
    std::vector<Op> ops;
    while (const auto op = comparison_op()) {
      ops.push_back(*op);
      parts.push_back(sum());
    }
    if (ops.empty()) {
      return first;
    }
    parts.insert(parts.begin(), std::move(first));
    ExprPtr out = make(ExprKind::kCompare, std::move(parts));
    out->ops = std::move(ops);
    return out;
  }

  template <class Table, class Operand>
  ExprPtr binary(const Table& table, const Operand& operand) {
    ExprPtr left = operand();
    while (true) {
      const auto it = std::find_if(table.begin(), table.end(), [&](const BinaryOp& o) { return is_symbol(o.symbol); });
      if (it == table.end()) {
        return left;
      }
      skip();
      left = make_of(ExprKind::kBinary, std::move(left), operand());
      left->op = it->op;
    }
  }

  ExprPtr sum() {
    return binary(kSums, [this] { return concatenation(); });
  }

  ExprPtr concatenation() {
    std::vector<ExprPtr> parts;
    parts.push_back(product());
    while (take("~")) {
      parts.push_back(product());
    }
    return parts.size() == 1 ? std::move(parts[0]) : make(ExprKind::kConcat, std::move(parts));
  }

  ExprPtr product() {
    return binary(kProducts, [this] { return binary(kPowers, [this] { return unary(true); }); });
  }

  ExprPtr unary(bool with_filters) {
    const Nest nest(*this);
    ExprPtr node;
    if (is_symbol("-") || is_symbol("+")) {
      const ExprKind kind = is_symbol("-") ? ExprKind::kNegative : ExprKind::kPositive;
      skip();
      node = make_of(kind, unary(false));
    } else {
      node = primary();
    }
    node = postfix(std::move(node));
    return with_filters ? filters_and_tests(std::move(node)) : std::move(node);
  }

  ExprPtr constant(Value value) {
    ExprPtr out = make(ExprKind::kConstant);
    out->value = std::move(value);
    return out;
  }

  ExprPtr primary() {
    const Token token = now();
    switch (token.kind) {
      case TokenKind::kName: skip(); return named(token.text);
      case TokenKind::kString: return string();
      case TokenKind::kInteger: skip(); return constant(Value(token.integer));
      case TokenKind::kFloat: skip(); return constant(Value(token.number));
      default: break;
    }
    if (take("(")) {
      ExprPtr out = tuple(true, {}, true);
      expect(")");
      return out;
    }
    if (take("[")) {
      std::vector<ExprPtr> items;
      while (!is_symbol("]")) {
        items.push_back(expression());
        if (!take(",")) {
          break;
        }
      }
      expect("]");
      return make(ExprKind::kList, std::move(items));
    }
    if (take("{")) {
      std::vector<ExprPtr> items;
      while (!is_symbol("}")) {
        items.push_back(expression());
        expect(":");
        items.push_back(expression());
        if (!take(",")) {
          break;
        }
      }
      expect("}");
      return make(ExprKind::kDict, std::move(items));
    }
    fail(fmt::format("unexpected {}", shown(token)));
  }

  ExprPtr named(const std::string& name) {
    if (name == "true" || name == "True" || name == "false" || name == "False") {
      return constant(Value(name == "true" || name == "True"));
    }
    if (name == "none" || name == "None") {
      return constant(Value::none());
    }
    ExprPtr out = make(ExprKind::kName);
    out->name = intern(name);
    return out;
  }

  ExprPtr string() {
    std::string value;
    while (now().kind == TokenKind::kString) {
      value += now().text;
      skip();
    }
    return constant(Value(std::move(value)));
  }

  bool at_tuple_end(Names ends) const {
    return now().kind == TokenKind::kBlockEnd || now().kind == TokenKind::kVariableEnd || is_symbol(")") ||
           std::any_of(ends.begin(), ends.end(), [this](std::string_view name) { return is_name(name); });
  }

  // One expression, or several with commas: a tuple.
  ExprPtr tuple(bool with_conditional, Names ends, bool in_parentheses) {
    std::vector<ExprPtr> items;
    bool is_tuple = false;
    while (!at_tuple_end(ends)) {
      items.push_back(with_conditional ? expression() : disjunction());
      if (!take(",")) {
        break;
      }
      is_tuple = true;
    }
    if (!is_tuple && !items.empty()) {
      return std::move(items[0]);
    }
    if (items.empty() && !in_parentheses) {
      fail(fmt::format("expected an expression, found {}", shown(now())));
    }
    return make(ExprKind::kTuple, std::move(items));
  }

  ExprPtr postfix(ExprPtr node) {
    while (true) {
      if (take(".")) {
        node = attribute(std::move(node));
      } else if (take("[")) {
        node = subscript(std::move(node));
      } else if (is_symbol("(")) {
        node = call(std::move(node));
      } else {
        return node;
      }
    }
  }

  ExprPtr attribute(ExprPtr node) {
    if (now().kind == TokenKind::kInteger) {
      ExprPtr index = constant(Value(now().integer));
      skip();
      return make_of(ExprKind::kItem, std::move(node), std::move(index));
    }
    const Name name = expect_name();
    ExprPtr out = make_of(ExprKind::kAttribute, std::move(node));
    out->name = name;
    return out;
  }

  ExprPtr subscript(ExprPtr node) {
    std::vector<ExprPtr> parts;
    parts.push_back(std::move(node));
    bool is_slice = false;
    parts.push_back(is_symbol(":") ? nullptr : expression());
    while (parts.size() < 4 && take(":")) {
      is_slice = true;
      parts.push_back(is_symbol(":") || is_symbol("]") ? nullptr : expression());
    }
    if (is_slice) {
      parts.resize(4);
    }
    expect("]");
    return make(is_slice ? ExprKind::kSlice : ExprKind::kItem, std::move(parts));
  }

  CallArguments arguments() {
    CallArguments out;
    expect("(");
    while (!is_symbol(")")) {
      if (take("*")) {
        out.star = expression();
      } else if (take("**")) {
        out.star_star = expression();
      } else if (now().kind == TokenKind::kName && next().kind == TokenKind::kOperator && next().text == "=") {
        const Name name = expect_name();
        skip();
        out.named.emplace_back(name, expression());
      } else {
        if (!out.named.empty() || out.star != nullptr || out.star_star != nullptr) {
          fail("a positional argument behind named ones");
        }
        out.positional.push_back(expression());
      }
      if (!take(",")) {
        break;
      }
    }
    expect(")");
    return out;
  }

  // Every child's depth counts.
  void attach(Expr& node, CallArguments call) const {
    for (const ExprPtr& argument : call.positional) {
      deepen(node, argument);
    }
    for (const auto& [name, argument] : call.named) {
      deepen(node, argument);
    }
    deepen(node, call.star);
    deepen(node, call.star_star);
    node.call = std::move(call);
  }

  ExprPtr call(ExprPtr node) {
    ExprPtr out = make_of(ExprKind::kCall, std::move(node));
    attach(*out, arguments());
    return out;
  }

  Name dotted_name() {
    std::string name = *expect_name();
    while (take(".")) {
      name += "." + *expect_name();
    }
    return intern(name);
  }

  ExprPtr filter(ExprPtr node) {
    const Name name = dotted_name();
    ExprPtr out = make_of(ExprKind::kFilter, std::move(node));
    out->name = name;
    if (is_symbol("(")) {
      attach(*out, arguments());
    }
    return out;
  }

  ExprPtr test(ExprPtr node) {
    const bool negated = take_name("not");
    const Name name = dotted_name();
    ExprPtr out = make_of(ExprKind::kTest, std::move(node));
    out->name = name;
    if (is_symbol("(")) {
      attach(*out, arguments());
    } else if (starts_test_argument()) {
      CallArguments one;
      one.positional.push_back(postfix(primary()));
      attach(*out, std::move(one));
    }
    return negated ? make_of(ExprKind::kNot, std::move(out)) : std::move(out);
  }

  bool starts_test_argument() const {
    switch (now().kind) {
      case TokenKind::kName:
        return !is_name("else") && !is_name("or") && !is_name("and") && !is_name("is") && !is_name("if");
      case TokenKind::kString:
      case TokenKind::kInteger:
      case TokenKind::kFloat: return true;
      default: return is_symbol("[") || is_symbol("{");
    }
  }

  ExprPtr filters_and_tests(ExprPtr node) {
    while (true) {
      if (take("|")) {
        node = filter(std::move(node));
      } else if (take_name("is")) {
        node = test(std::move(node));
      } else if (is_symbol("(")) {
        node = call(std::move(node));
      } else {
        return node;
      }
    }
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  const int max_nesting_;
  int nesting_ = 0;
  Program program_;
};

}  // namespace slipway::text::jinja
