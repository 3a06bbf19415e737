// A parsed template: a tree that is constant after parsing, so that several threads may render it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja_value.h"

namespace slipway::text::jinja {

struct Expr;
struct Statement;
using ExprPtr = std::unique_ptr<Expr>;
using Body = std::vector<Statement>;
// Names are kept once, so that equal names are equal pointers.
using Name = const std::string*;

enum class ExprKind : uint8_t {
  kConstant,   // value
  kName,       // name
  kAttribute,  // parts[0].name
  kItem,       // parts[0][parts[1]]
  kSlice,      // parts[0][parts[1]:parts[2]:parts[3]], null where not written
  kCall,       // parts[0](call)
  kFilter,     // parts[0] | name(call); null parts[0] in a filter block
  kTest,       // parts[0] is name(call)
  kNegative,
  kPositive,
  kNot,
  kBinary,  // parts[0] op parts[1]
  kAnd,
  kOr,
  kCompare,      // parts[0] ops[0] parts[1] ops[1] parts[2] ...
  kConcat,       // parts joined as text
  kConditional,  // parts[0] if parts[1] else parts[2] (may be null)
  kList,
  kTuple,
  kDict,  // key, value, key, value, ...
};

enum class Op : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kNotIn
};

struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<Name, ExprPtr>> named;
  ExprPtr star;       // *expression
  ExprPtr star_star;  // **expression
};

struct Expr {
  ExprKind kind = ExprKind::kConstant;
  int line = 1;
  int depth = 1;  // of the tree from here down
  Name name = nullptr;
  Op op = Op::kAdd;
  Value value;
  std::vector<ExprPtr> parts;
  std::vector<Op> ops;
  CallArguments call;
};

enum class StatementKind : uint8_t {
  kText,         // text
  kPrint,        // value
  kFor,          // target in value if condition: body, otherwise; recursive
  kIf,           // branches, otherwise
  kSet,          // target = value
  kSetBlock,     // target = text of body, through the filters of value (may be null)
  kMacro,        // name(parameters): body
  kCallBlock,    // value (a call) with a caller(parameters): body
  kFilterBlock,  // text of body through the filters of value
  kWith,         // parameters, each with a value: body
  kBreak,
  kContinue,
};

struct Parameter {
  Name name = nullptr;
  ExprPtr value;  // default; null without
};

struct Branch;

struct Statement {
  StatementKind kind = StatementKind::kText;
  int line = 1;
  bool recursive = false;
  Name name = nullptr;
  std::string text;
  ExprPtr target;
  ExprPtr value;
  ExprPtr condition;
  std::vector<Parameter> parameters;
  std::vector<Branch> branches;
  Body body;
  Body otherwise;
};

struct Branch {
  ExprPtr condition;
  Body body;
};

struct Program {
  std::set<std::string, std::less<>> names;
  Body body;
  // Null when the template never says `name`.
  Name find(std::string_view name) const {
    const auto it = names.find(name);
    return it == names.end() ? nullptr : &*it;
  }
};

// Throws Error(kInvalid) naming the line: syntax, statements that a chat template has no use for (include, import,
// extends, block), or nesting deeper than `max_nesting`.
Program parse(std::string_view source, int max_nesting);

}  // namespace slipway::text::jinja
