// Recursive descent with the precedences of Jinja 3.1: conditional, or, and, not, comparison, + -, ~, * / // %, **,
// sign, postfix, filters and tests.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <initializer_list>
#include <optional>

#include "text/jinja_ast.h"
#include "text/jinja_lexer.h"

namespace slipway::text::jinja {
namespace {

struct BinaryOp {
  std::string_view symbol;
  Op op;
};
constexpr std::array<BinaryOp, 6> kComparisons = {
    {{"==", Op::kEq}, {"!=", Op::kNe}, {"<", Op::kLt}, {"<=", Op::kLe}, {">", Op::kGt}, {">=", Op::kGe}}};
constexpr std::array<BinaryOp, 2> kSums = {{{"+", Op::kAdd}, {"-", Op::kSubtract}}};
constexpr std::array<BinaryOp, 4> kProducts = {
    {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"//", Op::kFloorDivide}, {"%", Op::kModulo}}};
constexpr std::array<BinaryOp, 1> kPowers = {{{"**", Op::kPower}}};

using Names = std::initializer_list<std::string_view>;

class Parser {
 public:
  Parser(std::vector<Token> tokens, int max_nesting) : tokens_(std::move(tokens)), max_nesting_(max_nesting) {}

  Program run() {
    program_.body = statements({});
    return std::move(program_);
  }

 private:
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
    explicit Nest(Parser& parser) : depth(parser.nesting_) {
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

  // ---- statements ----
  // Up to a block whose name is one of `ends` (left as the current token); to the end of the template without.
  Body statements(Names ends) {
    const Nest nest(*this);
    Body body;
    while (true) {
      const Token& token = now();
      switch (token.kind) {
        case TokenKind::kEnd:
          if (ends.size() > 0) {
            fail(fmt::format("the template ends, but {{% {} %}} is missing", *(ends.end() - 1)));
          }
          return body;
        case TokenKind::kData: {
          Statement text;
          text.line = token.line;
          text.text = token.text;
          body.push_back(std::move(text));
          skip();
          break;
        }
        case TokenKind::kVariableBegin: {
          skip();
          Statement print = statement_of(StatementKind::kPrint);
          print.value = tuple(true, {}, false);
          expect(TokenKind::kVariableEnd);
          body.push_back(std::move(print));
          break;
        }
        default:
          skip();  // kBlockBegin
          if (std::any_of(ends.begin(), ends.end(), [this](std::string_view end) { return is_name(end); })) {
            return body;
          }
          statement(body);
          expect(TokenKind::kBlockEnd);
      }
    }
  }

  // The statements of a tag whose `%}` comes now, and the name that ended them, which is taken.
  Body block(Names ends, std::string* ended_by = nullptr) {
    take(":");
    expect(TokenKind::kBlockEnd);
    Body body = statements(ends);
    if (ended_by != nullptr) {
      *ended_by = now().text;
    }
    skip();
    return body;
  }

  Statement statement_of(StatementKind kind) const {
    Statement out;
    out.kind = kind;
    out.line = now().line;
    return out;
  }

  void statement(Body& body) {
    struct Rule {
      std::string_view name;
      Statement (Parser::*parse)();
    };
    static constexpr std::array<Rule, 10> kRules = {{{"for", &Parser::for_loop},
                                                     {"if", &Parser::if_block},
                                                     {"set", &Parser::set},
                                                     {"macro", &Parser::macro},
                                                     {"call", &Parser::call_block},
                                                     {"filter", &Parser::filter_block},
                                                     {"with", &Parser::with_block},
                                                     {"print", &Parser::print},
                                                     {"break", &Parser::break_loop},
                                                     {"continue", &Parser::continue_loop}}};
    const std::string name = now().text;
    if (now().kind == TokenKind::kName && name == "generation") {  // marks what a model is trained on; no effect here
      skip();
      for (Statement& inner : block({"endgeneration"})) {
        body.push_back(std::move(inner));
      }
      return;
    }
    const auto* const rule =
        std::find_if(kRules.begin(), kRules.end(), [this](const Rule& r) { return is_name(r.name); });
    if (rule == kRules.end()) {
      fail(fmt::format("the tag {} is not known, or not open here", shown(now())));
    }
    const int line = now().line;
    skip();
    Statement out = (this->*rule->parse)();
    out.line = line;
    body.push_back(std::move(out));
  }

  // A name, `a.b` of a namespace when allowed, or several with commas.
  ExprPtr target(bool attributes) {
    std::vector<ExprPtr> items;
    bool is_tuple = false;
    while (true) {
      items.push_back(take("(") ? parenthesised_target(attributes) : single_target(attributes));
      if (!take(",")) {
        break;
      }
      is_tuple = true;
      if (is_name("in") || is_symbol("=") || is_symbol(")")) {
        break;
      }
    }
    return is_tuple ? make(ExprKind::kTuple, std::move(items)) : std::move(items[0]);
  }

  ExprPtr parenthesised_target(bool attributes) {
    const Nest nest(*this);
    ExprPtr out = target(attributes);
    expect(")");
    return out;
  }

  ExprPtr single_target(bool attributes) {
    ExprPtr out = make(ExprKind::kName);
    const std::string text = now().text;
    out->name = expect_name();
    if (text == "true" || text == "false" || text == "none" || text == "True" || text == "False" || text == "None") {
      fail(fmt::format("'{}' cannot be assigned to", text));
    }
    return attributes && take(".") ? attribute(std::move(out)) : std::move(out);
  }

  Statement for_loop() {
    Statement out = statement_of(StatementKind::kFor);
    out.target = target(false);
    if (!take_name("in")) {
      fail(fmt::format("expected 'in', found {}", shown(now())));
    }
    out.value = tuple(false, {"recursive"}, false);
    if (take_name("if")) {
      out.condition = expression();
    }
    out.recursive = take_name("recursive");
    std::string end;
    out.body = block({"else", "endfor"}, &end);
    if (end == "else") {
      out.otherwise = block({"endfor"});
    }
    return out;
  }

  Statement if_block() {
    Statement out = statement_of(StatementKind::kIf);
    std::string end;
    do {
      Branch branch;
      branch.condition = tuple(false, {}, false);
      branch.body = block({"elif", "else", "endif"}, &end);
      out.branches.push_back(std::move(branch));
    } while (end == "elif");
    if (end == "else") {
      out.otherwise = block({"endif"});
    }
    return out;
  }

  ExprPtr filter_chain(ExprPtr node) {
    while (take("|")) {
      node = filter(std::move(node));
    }
    return node;
  }

  Statement set() {
    Statement out = statement_of(StatementKind::kSet);
    out.target = target(true);
    if (take("=")) {
      out.value = tuple(true, {}, false);
      return out;
    }
    out.kind = StatementKind::kSetBlock;
    out.value = filter_chain(nullptr);
    out.body = block({"endset"});
    return out;
  }

  std::vector<Parameter> parameters() {
    std::vector<Parameter> out;
    expect("(");
    while (!is_symbol(")")) {
      Parameter parameter;
      parameter.name = expect_name();
      if (take("=")) {
        parameter.value = expression();
      } else if (!out.empty() && out.back().value != nullptr) {
        fail("a parameter without default behind one with");
      }
      out.push_back(std::move(parameter));
      if (!take(",")) {
        break;
      }
    }
    expect(")");
    return out;
  }

  Statement macro() {
    Statement out = statement_of(StatementKind::kMacro);
    out.name = expect_name();
    out.parameters = parameters();
    out.body = block({"endmacro"});
    return out;
  }

  Statement call_block() {
    Statement out = statement_of(StatementKind::kCallBlock);
    if (is_symbol("(")) {
      out.parameters = parameters();
    }
    out.value = expression();
    if (out.value->kind != ExprKind::kCall) {
      fail("{% call %} wants a call");
    }
    out.body = block({"endcall"});
    return out;
  }

  Statement filter_block() {
    Statement out = statement_of(StatementKind::kFilterBlock);
    out.value = filter_chain(filter(nullptr));
    out.body = block({"endfilter"});
    return out;
  }

  Statement with_block() {
    Statement out = statement_of(StatementKind::kWith);
    while (now().kind == TokenKind::kName) {
      Parameter parameter;
      parameter.name = expect_name();
      expect("=");
      parameter.value = expression();
      out.parameters.push_back(std::move(parameter));
      if (!take(",")) {
        break;
      }
    }
    out.body = block({"endwith"});
    return out;
  }

  Statement print() {
    Statement out = statement_of(StatementKind::kPrint);
    out.value = expression();
    return out;
  }

  Statement break_loop() { return statement_of(StatementKind::kBreak); }
  Statement continue_loop() { return statement_of(StatementKind::kContinue); }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  const int max_nesting_;
  int nesting_ = 0;
  Program program_;
};

}  // namespace

Program parse(std::string_view source, int max_nesting) { return Parser(tokenize(source), max_nesting).run(); }

}  // namespace slipway::text::jinja
