// Statements around the expressions of jinja_expression_parser.h.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "text/jinja_ast.h"
#include "text/jinja_expression_parser.h"
#include "text/jinja_lexer.h"

namespace slipway::text::jinja {
namespace {

class Parser : private ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Program run() {
    program_.body = statements({});
    return std::move(program_);
  }

 private:
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
};

}  // namespace

Program parse(std::string_view source, int max_nesting) { return Parser(tokenize(source), max_nesting).run(); }

}  // namespace slipway::text::jinja
