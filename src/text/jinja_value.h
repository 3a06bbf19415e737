// What a template computes with: Python's values as far as chat templates use them. Lists, dicts and the like live in a
// Heap and die with it, so that a template that makes a ring of them leaks nothing; strings are shared. A Value is
// cheap to copy and must not outlive its Heap. A Heap belongs to one rendering.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace slipway::text::jinja {

class Value;
struct Function;
struct Loop;
using List = std::vector<Value>;

enum class Kind : uint8_t {
  kUndefined,  // string: what is not there
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kGenerator,  // what select, map and their like give: goes through a loop, has no length
  kDict,
  kNamespace,
  kFunction,
  kLoop,
};

// Keys in the order in which they came.
struct Dict {
  std::vector<std::pair<Value, Value>> items;
};

class Value {
 public:
  Value() = default;
  explicit Value(bool value) : kind_(Kind::kBool) { as_.integer = value ? 1 : 0; }
  explicit Value(int64_t value) : kind_(Kind::kInt) { as_.integer = value; }
  explicit Value(double value) : kind_(Kind::kFloat) { as_.number = value; }
  explicit Value(std::string value)
      : kind_(Kind::kString), string_(std::make_shared<const std::string>(std::move(value))) {}
  explicit Value(std::string_view value) : Value(std::string(value)) {}
  explicit Value(const char* value) : Value(std::string(value)) {}
  explicit Value(const Function* value) : kind_(Kind::kFunction) { as_.function = value; }
  explicit Value(Loop* value) : kind_(Kind::kLoop) { as_.loop = value; }
  Value(Kind kind, List* value) : kind_(kind) { as_.list = value; }  // kList, kTuple, kGenerator
  Value(Kind kind, Dict* value) : kind_(kind) { as_.dict = value; }  // kDict, kNamespace
  static Value none() {
    Value out;
    out.kind_ = Kind::kNone;
    return out;
  }
  // `what` is the message of the error that its use will give.
  static Value undefined(std::string what) {
    Value out(std::move(what));
    out.kind_ = Kind::kUndefined;
    return out;
  }

  Kind kind() const noexcept { return kind_; }
  bool is(Kind kind) const noexcept { return kind_ == kind; }
  bool is_sequence() const noexcept {
    return kind_ == Kind::kList || kind_ == Kind::kTuple || kind_ == Kind::kGenerator;
  }
  bool is_integer() const noexcept { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool is_number() const noexcept { return is_integer() || kind_ == Kind::kFloat; }
  bool truth() const noexcept;

  int64_t integer() const noexcept { return as_.integer; }  // kInt, kBool
  double number() const noexcept { return kind_ == Kind::kFloat ? as_.number : static_cast<double>(as_.integer); }
  const std::string& string() const noexcept { return *string_; }
  List& list() const noexcept { return *as_.list; }
  Dict& dict() const noexcept { return *as_.dict; }
  const Function& function() const noexcept { return *as_.function; }
  Loop& loop() const noexcept { return *as_.loop; }
  // The object itself, for `is sameas`.
  const void* identity() const noexcept;
  std::string undefined_message() const { return string_ ? *string_ : "a value is undefined"; }

 private:
  Kind kind_ = Kind::kUndefined;
  union {
    int64_t integer = 0;
    double number;
    List* list;
    Dict* dict;
    const Function* function;
    Loop* loop;
  } as_;
  std::shared_ptr<const std::string> string_;
};

constexpr size_t kBytesPerStep = 64;  // of text that work of one step looks at

// What one rendering may use; each charge throws Error(kInvalid) when the budget is spent.
class Heap {
 public:
  Heap(int64_t max_steps, int64_t max_bytes) : steps_(max_steps), bytes_(max_bytes) {}
  void step(int64_t count = 1) {
    if ((steps_ -= count) < 0) {
      spent("steps");
    }
  }
  void charge(size_t bytes) {
    if ((bytes_ -= static_cast<int64_t>(bytes)) < 0) {
      spent("memory");
    }
  }
  // For work on a text: time and memory by its size.
  void text(std::string_view text) {
    step(static_cast<int64_t>(text.size() / kBytesPerStep));
    charge(text.size());
  }
  Value string(std::string text) {
    this->text(text);
    return Value(std::move(text));
  }
  Value list(List items, Kind kind = Kind::kList);
  Value dict(Dict items, Kind kind = Kind::kDict);
  Value from_json(const base::Json& json);

 private:
  [[noreturn]] static void spent(const char* what);

  int64_t steps_;
  int64_t bytes_;
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
};

// "'list' object" and the like in messages: Python's name of the type.
std::string_view type_name(const Value& value) noexcept;
// Python's ==; charges the heap for each element looked at.
bool equal(const Value& a, const Value& b, Heap& heap);
// <0, 0, >0; throws Error(kInvalid) when Python has no order for them.
int compare(const Value& a, const Value& b, Heap& heap);
const Value* find(const Dict& dict, const Value& key, Heap& heap);
const Value* find(const Dict& dict, std::string_view key) noexcept;
void assign(Dict& dict, Value key, Value value, Heap& heap);

// Python's str().
void append_text(const Value& value, Heap& heap, std::string& out);
std::string to_text(const Value& value, Heap& heap);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool has_indent = false;
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
// json.dumps.
void append_json(const Value& value, const JsonStyle& style, Heap& heap, std::string& out);

}  // namespace slipway::text::jinja
