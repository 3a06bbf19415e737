// Statements: text, output, loops, conditions, assignments, macros and blocks.
#include <fmt/format.h>

#include "text/jinja_eval.h"

namespace slipway::text::jinja {

std::string Interpreter::run(const std::vector<std::pair<Name, Value>>& variables) {
  Scope& top = new_scope(nullptr);
  top.names = variables;
  std::string out;
  out_ = &out;
  exec(program_.body, top);
  return out;
}

void Interpreter::print(std::string_view text) {
  if (out_->size() + text.size() > limits_.max_output) {
    fail(fmt::format("the output is larger than {} bytes", limits_.max_output));
  }
  heap_.text(text);
  *out_ += text;
}

void Interpreter::print(const Value& value) {
  if (value.is(Kind::kString)) {
    print(std::string_view(value.string()));
  } else {
    print(std::string_view(text_of(value)));
  }
}

std::string Interpreter::captured(const Body& body, Scope& scope) {
  std::string text;
  std::string* const outer = std::exchange(out_, &text);
  exec(body, scope);  // after a throw nothing renders on
  out_ = outer;
  return text;
}

Interpreter::Flow Interpreter::exec(const Body& body, Scope& scope) {
  const Depth depth(*this);
  for (const Statement& statement : body) {
    heap_.step();
    line_ = statement.line;
    if (const Flow flow = exec_statement(statement, scope); flow != Flow::kNext) {
      return flow;
    }
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec_statement(const Statement& statement, Scope& scope) {
  switch (statement.kind) {
    case StatementKind::kText: print(std::string_view(statement.text)); break;
    case StatementKind::kPrint: print(eval(*statement.value, scope)); break;
    case StatementKind::kFor: exec_for(statement, scope, eval(*statement.value, scope), 0); break;
    case StatementKind::kIf:
      for (const Branch& branch : statement.branches) {
        if (eval(*branch.condition, scope).truth()) {
          return exec(branch.body, scope);
        }
      }
      return exec(statement.otherwise, scope);
    case StatementKind::kSet: assign_target(*statement.target, eval(*statement.value, scope), scope); break;
    case StatementKind::kSetBlock: {
      Value text = heap_.string(captured(statement.body, new_scope(&scope)));
      if (statement.value != nullptr) {
        text = eval_filter(*statement.value, &text, scope);
      }
      assign_target(*statement.target, std::move(text), scope);
      break;
    }
    case StatementKind::kMacro:
      set(scope, statement.name, function({&statement, &scope, *statement.name, Value()}));
      break;
    case StatementKind::kCallBlock: exec_call_block(statement, scope); break;
    case StatementKind::kFilterBlock: {
      const Value text = heap_.string(captured(statement.body, new_scope(&scope)));
      print(eval_filter(*statement.value, &text, scope));
      break;
    }
    case StatementKind::kWith: exec_with(statement, scope); break;
    case StatementKind::kBreak: return Flow::kBreak;
    case StatementKind::kContinue: return Flow::kContinue;
  }
  return Flow::kNext;
}

void Interpreter::exec_for(const Statement& statement, Scope& scope, const Value& over, int64_t depth) {
  List items = items_of(over);
  if (statement.condition != nullptr) {
    List kept;
    for (Value& item : items) {
      Scope& inner = new_scope(&scope);
      assign_target(*statement.target, item, inner);
      if (eval(*statement.condition, inner).truth()) {
        kept.push_back(std::move(item));
      }
    }
    items = std::move(kept);
  }
  if (items.empty()) {
    exec(statement.otherwise, scope);
    return;
  }
  const Value list = heap_.list(std::move(items));
  heap_.charge(sizeof(Loop));
  Loop& loop = loops_.emplace_back();
  loop.statement = statement.recursive ? &statement : nullptr;
  loop.scope = &scope;
  loop.items = &list.list();
  loop.depth = depth;
  const Name loop_name = program_.find("loop");
  for (; loop.index < static_cast<int64_t>(loop.items->size()); ++loop.index) {
    heap_.step();
    Scope& inner = new_scope(&scope);
    if (loop_name != nullptr) {
      set(inner, loop_name, Value(&loop));
    }
    assign_target(*statement.target, (*loop.items)[static_cast<size_t>(loop.index)], inner);
    if (exec(statement.body, inner) == Flow::kBreak) {
      break;
    }
  }
}

void Interpreter::exec_with(const Statement& statement, Scope& scope) {
  Scope& inner = new_scope(&scope);
  for (const Parameter& parameter : statement.parameters) {
    set(inner, parameter.name, eval(*parameter.value, scope));
  }
  exec(statement.body, inner);
}

void Interpreter::exec_call_block(const Statement& statement, Scope& scope) {
  const Expr& call_expr = *statement.value;
  const Value callee = eval(*call_expr.parts[0], scope);
  Arguments arguments = eval_arguments(call_expr.call, scope);
  if (const Name name = program_.find("caller")) {
    arguments.named.emplace_back(name, function({&statement, &scope, "caller", Value()}));
  }
  print(call(callee, std::move(arguments)));
}

void Interpreter::assign_target(const Expr& target, Value value, Scope& scope) {
  if (target.kind == ExprKind::kName) {
    set(scope, target.name, std::move(value));
    return;
  }
  if (target.kind == ExprKind::kAttribute) {
    const Value owner = lookup(target.parts[0]->name, scope);
    if (!owner.is(Kind::kNamespace)) {
      fail(fmt::format("'{}.{}' can be set only in a namespace", *target.parts[0]->name, *target.name));
    }
    if (target.name->starts_with('_')) {
      fail("a namespace keeps no names that begin with _");
    }
    assign(owner.dict(), Value(*target.name), std::move(value), heap_);
    return;
  }
  if (target.kind != ExprKind::kTuple) {
    fail("this cannot be assigned to");
  }
  const List items = items_of(value);
  if (items.size() != target.parts.size()) {
    fail(fmt::format("{} values for {} names", items.size(), target.parts.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    assign_target(*target.parts[i], items[i], scope);
  }
}

}  // namespace slipway::text::jinja
