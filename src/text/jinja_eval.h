// Renders a parsed template: walks its tree, within limits on steps, memory, depth and output. What templates can call
// is in tables: filters (jinja_filters.cc), tests (jinja_tests.cc), methods of strings, lists and dicts
// (jinja_methods.cc), and the few functions of the environment (jinja_calls.cc). Nothing reaches files, the network or
// the program.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja_ast.h"
#include "text/jinja_value.h"

namespace slipway::text::jinja {

struct Limits {
  int64_t max_steps = 2'000'000;           // about half a second
  int64_t max_bytes = int64_t{256} << 20;  // of values that one rendering makes
  size_t max_output = size_t{16} << 20;
  int max_depth = 600;  // of the walk: calls of macros within macros, mostly
};

// The variables of a block; found from the inside out.
struct Scope {
  Scope* parent = nullptr;
  std::vector<std::pair<Name, Value>> names;
};

// What a template can call: a macro (with the scope it was written in), a function of the environment, or a method of
// `self`.
struct Function {
  const Statement* macro = nullptr;
  Scope* scope = nullptr;
  std::string name;
  Value self;
};

// The variable `loop`.
struct Loop {
  const Statement* statement = nullptr;  // of a recursive loop, which can be called
  Scope* scope = nullptr;
  const List* items = nullptr;
  int64_t index = 0;
  int64_t depth = 0;
  Value changed;
};

// The arguments of one call. Each callee takes what it knows; done() rejects what is left.
class Arguments {
 public:
  std::vector<Value> positional;
  std::vector<std::pair<Name, Value>> named;

  // The next positional argument, or the one named `name`, or `fallback`.
  Value take(std::string_view name, Value fallback = Value());
  Value required(std::string_view name);
  bool has_more() const noexcept { return next_ < positional.size(); }
  void done() const;

 private:
  size_t next_ = 0;
};

class Interpreter {
 public:
  // `unix_ms`: the time that strftime_now tells, in the local zone.
  Interpreter(const Program& program, const Limits& limits, Heap& heap, int64_t unix_ms)
      : program_(program), limits_(limits), heap_(heap), unix_ms_(unix_ms) {}

  std::string run(const std::vector<std::pair<Name, Value>>& variables);

  Heap& heap() noexcept { return heap_; }
  std::string text_of(const Value& value) { return to_text(value, heap_); }
  // The items that a loop over `value` would see; throws when Python could not iterate it.
  List items_of(const Value& value);
  // value.name as a template writes it: methods first, then items; and value[key].
  Value attribute(const Value& value, std::string_view name);
  Value item(const Value& value, const Value& key);
  Value call(const Value& callee, Arguments arguments);
  Value apply_filter(std::string_view name, const Value& input, Arguments arguments);
  bool apply_test(std::string_view name, const Value& input, Arguments arguments);
  [[noreturn]] void fail(const std::string& what) const;

  // Python's binary operators; in jinja_operators.cc.
  Value binary(Op op, const Value& a, const Value& b);
  bool compared(Op op, const Value& a, const Value& b);
  bool contains(const Value& container, const Value& needle);
  std::string format_percent(const std::string& format, const Value& arguments);

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue };
  // Counts how deep the walk is; throws when it is too deep.
  class Depth {
   public:
    explicit Depth(Interpreter& interpreter) : interpreter_(interpreter) {
      if (++interpreter_.depth_ > interpreter_.limits_.max_depth) {
        --interpreter_.depth_;
        interpreter_.fail("the template calls itself too deeply");
      }
    }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --interpreter_.depth_; }

   private:
    Interpreter& interpreter_;
  };

  Value eval(const Expr& expr, Scope& scope);
  Value eval_compare(const Expr& expr, Scope& scope);
  Value eval_slice(const Expr& expr, Scope& scope);
  Value eval_call(const Expr& expr, Scope& scope);
  Value eval_filter(const Expr& expr, const Value* input, Scope& scope);
  Value eval_dict(const Expr& expr, Scope& scope);
  Value lookup(Name name, Scope& scope);
  Value name_of_environment(Name name);
  Arguments eval_arguments(const CallArguments& call, Scope& scope);

  Flow exec(const Body& body, Scope& scope);
  Flow exec_statement(const Statement& statement, Scope& scope);
  void exec_for(const Statement& statement, Scope& scope, const Value& over, int64_t depth);
  void exec_with(const Statement& statement, Scope& scope);
  void exec_call_block(const Statement& statement, Scope& scope);
  std::string captured(const Body& body, Scope& scope);
  void assign_target(const Expr& target, Value value, Scope& scope);
  void print(std::string_view text);
  void print(const Value& value);

  Value call_macro(const Function& function, Arguments arguments);
  Value call_environment(const Function& function, Arguments& arguments);
  Value range(Arguments& arguments);
  Value make_dict(Arguments& arguments, Kind kind);
  Value strftime_now(const std::string& format) const;
  Value loop_attribute(Loop& loop, std::string_view name);
  Value function(Function value) {
    heap_.charge(sizeof(Function));
    return Value(&functions_.emplace_back(std::move(value)));
  }
  Scope& new_scope(Scope* parent) {
    heap_.charge(sizeof(Scope));
    return scopes_.emplace_back(Scope{parent, {}});
  }

  const Program& program_;
  const Limits& limits_;
  Heap& heap_;
  const int64_t unix_ms_;
  int depth_ = 0;
  int line_ = 1;
  std::string* out_ = nullptr;
  std::deque<Scope> scopes_;
  std::deque<Function> functions_;
  std::deque<Loop> loops_;
};

void set(Scope& scope, Name name, Value value);

// Methods: whether `value` has one of this name, and its call.
bool has_method(const Value& value, std::string_view name) noexcept;
Value call_method(Interpreter& interpreter, const Value& self, std::string_view name, Arguments& arguments);

bool has_filter(std::string_view name) noexcept;
// Work on a long text counts by its size, whichever filter or test does it.
void charge_input(Heap& heap, const Value& input);

// A whole number from an argument; throws when it is none.
int64_t integer_of(const Value& value, std::string_view what);

}  // namespace slipway::text::jinja
