#include "text/jinja_value.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/python_text.h"

namespace slipway::text::jinja {
namespace {

constexpr int kMaxNesting = 128;  // of lists and dicts that are shown or compared: as base::JsonLimits

[[noreturn]] void fail(std::string message) { throw base::Error(base::Code::kInvalid, message); }

void check_nesting(int depth) {
  if (depth > kMaxNesting) {
    fail(fmt::format("a value is nested deeper than {} levels", kMaxNesting));
  }
}

int order(double a, double b) noexcept { return a < b ? -1 : (a > b ? 1 : 0); }

bool equal_at(const Value& a, const Value& b, Heap& heap, int depth) {
  heap.step();
  check_nesting(depth);
  if (a.is_number() && b.is_number()) {
    return a.is_integer() && b.is_integer() ? a.integer() == b.integer() : a.number() == b.number();
  }
  if (a.kind() != b.kind()) {
    return false;
  }
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return true;
    case Kind::kString:
      heap.step(static_cast<int64_t>(a.string().size() / kBytesPerStep));
      return a.string() == b.string();
    case Kind::kList:
    case Kind::kTuple:
      return a.list().size() == b.list().size() &&
             std::equal(a.list().begin(), a.list().end(), b.list().begin(),
                        [&](const Value& x, const Value& y) { return equal_at(x, y, heap, depth + 1); });
    case Kind::kDict:
      return a.dict().items.size() == b.dict().items.size() &&
             std::all_of(a.dict().items.begin(), a.dict().items.end(), [&](const auto& item) {
               const Value* other = find(b.dict(), item.first, heap);
               return other != nullptr && equal_at(item.second, *other, heap, depth + 1);
             });
    default: return a.identity() == b.identity();
  }
}

int compare_at(const Value& a, const Value& b, Heap& heap, int depth) {
  heap.step();
  check_nesting(depth);
  if (a.is_integer() && b.is_integer()) {
    return a.integer() < b.integer() ? -1 : (a.integer() > b.integer() ? 1 : 0);
  }
  if (a.is_number() && b.is_number()) {
    return order(a.number(), b.number());
  }
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    heap.step(static_cast<int64_t>(a.string().size() / kBytesPerStep));
    return a.string().compare(b.string());  // UTF-8 bytes are in the order of code points
  }
  if (a.kind() == b.kind() && (a.is(Kind::kList) || a.is(Kind::kTuple))) {
    const size_t common = std::min(a.list().size(), b.list().size());
    for (size_t i = 0; i < common; ++i) {
      if (!equal_at(a.list()[i], b.list()[i], heap, depth + 1)) {
        return compare_at(a.list()[i], b.list()[i], heap, depth + 1);
      }
    }
    return order(static_cast<double>(a.list().size()), static_cast<double>(b.list().size()));
  }
  for (const Value* value : {&a, &b}) {
    if (value->is(Kind::kUndefined)) {
      fail(value->undefined_message());
    }
  }
  fail(fmt::format("'{}' and '{}' have no order", type_name(a), type_name(b)));
}

// Python's repr(), which str() of a container shows for what is in it.
void append_repr(const Value& value, Heap& heap, std::string& out, int depth) {
  heap.step();
  check_nesting(depth);
  const auto items = [&](const List& list, std::string_view open, std::string_view close) {
    out += open;
    for (size_t i = 0; i < list.size(); ++i) {
      out += i > 0 ? ", " : "";
      append_repr(list[i], heap, out, depth + 1);
    }
    out += close;
  };
  switch (value.kind()) {
    case Kind::kUndefined: out += "Undefined"; break;
    case Kind::kString:
      heap.text(value.string());
      python::append_repr(value.string(), out);
      break;
    case Kind::kList: items(value.list(), "[", "]"); break;
    case Kind::kTuple: items(value.list(), "(", value.list().size() == 1 ? ",)" : ")"); break;
    case Kind::kDict: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.dict().items) {
        out += first ? "" : ", ";
        first = false;
        append_repr(key, heap, out, depth + 1);
        out += ": ";
        append_repr(item, heap, out, depth + 1);
      }
      out += '}';
      break;
    }
    default: append_text(value, heap, out);
  }
}

std::string json_key(const Value& key) {
  switch (key.kind()) {
    case Kind::kString: return key.string();
    case Kind::kNone: return "null";
    case Kind::kBool: return key.truth() ? "true" : "false";
    case Kind::kInt: return std::to_string(key.integer());
    case Kind::kFloat: return python::float_repr(key.number());
    default: fail(fmt::format("tojson: a key must be a string, not a '{}'", type_name(key)));
  }
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Heap& heap, std::string& out) : style_(style), heap_(heap), out_(out) {}

  void write(const Value& value, int depth) {
    heap_.step();
    check_nesting(depth);
    switch (value.kind()) {
      case Kind::kNone: out_ += "null"; break;
      case Kind::kBool: out_ += value.truth() ? "true" : "false"; break;
      case Kind::kInt: out_ += std::to_string(value.integer()); break;
      case Kind::kFloat: number(value.number()); break;
      case Kind::kString: string(value.string()); break;
      case Kind::kList:
      case Kind::kTuple: list(value.list(), depth); break;
      case Kind::kDict: dict(value.dict(), depth); break;
      case Kind::kUndefined: fail("tojson: " + value.undefined_message());
      default: fail(fmt::format("tojson: a '{}' is not JSON", type_name(value)));
    }
  }

 private:
  void number(double value) {
    out_ += std::isnan(value)   ? "NaN"
            : std::isinf(value) ? (value < 0 ? "-Infinity" : "Infinity")
                                : python::float_repr(value);
  }

  void string(std::string_view text) {
    heap_.text(text);
    python::append_json(text, style_.ensure_ascii, out_);
  }

  void separate(bool needed) {
    if (needed) {
      heap_.charge(style_.item_separator.size());
      out_ += style_.item_separator;
    }
  }

  void line(int depth) {
    if (style_.has_indent) {
      heap_.charge(static_cast<size_t>(depth) * style_.indent.size());
      out_ += '\n';
      for (int i = 0; i < depth; ++i) {
        out_ += style_.indent;
      }
    }
  }

  void list(const List& items, int depth) {
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      separate(i > 0);
      line(depth + 1);
      write(items[i], depth + 1);
    }
    line(depth);
    out_ += ']';
  }

  void dict(const Dict& dict, int depth) {
    if (dict.items.empty()) {
      out_ += "{}";
      return;
    }
    std::vector<const std::pair<Value, Value>*> items;
    for (const auto& item : dict.items) {
      items.push_back(&item);
    }
    if (style_.sort_keys) {
      std::stable_sort(items.begin(), items.end(),
                       [&](const auto* a, const auto* b) { return compare(a->first, b->first, heap_) < 0; });
    }
    out_ += '{';
    for (size_t i = 0; i < items.size(); ++i) {
      separate(i > 0);
      line(depth + 1);
      string(json_key(items[i]->first));
      heap_.charge(style_.key_separator.size());
      out_ += style_.key_separator;
      write(items[i]->second, depth + 1);
    }
    line(depth);
    out_ += '}';
  }

  const JsonStyle& style_;
  Heap& heap_;
  std::string& out_;
};

}  // namespace

bool Value::truth() const noexcept {
  switch (kind_) {
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return as_.integer != 0;
    case Kind::kFloat: return as_.number != 0;
    case Kind::kString: return !string_->empty();
    case Kind::kList:
    case Kind::kTuple: return !as_.list->empty();
    case Kind::kDict: return !as_.dict->items.empty();
    default: return true;
  }
}

const void* Value::identity() const noexcept {
  switch (kind_) {
    case Kind::kString: return string_.get();
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kGenerator: return as_.list;
    case Kind::kDict:
    case Kind::kNamespace: return as_.dict;
    case Kind::kFunction: return as_.function;
    case Kind::kLoop: return as_.loop;
    default: return nullptr;
  }
}

void Heap::spent(const char* what) { fail(fmt::format("the chat template uses more {} than its limit allows", what)); }

Value Heap::list(List items, Kind kind) {
  step(1 + static_cast<int64_t>(items.size() / 8));
  charge(sizeof(List) + items.size() * sizeof(Value));
  return {kind, &lists_.emplace_back(std::move(items))};
}

Value Heap::dict(Dict items, Kind kind) {
  step(1 + static_cast<int64_t>(items.items.size() / 8));
  charge(sizeof(Dict) + items.items.size() * 2 * sizeof(Value));
  return {kind, &dicts_.emplace_back(std::move(items))};
}

Value Heap::from_json(const base::Json& json) {
  switch (json.type()) {
    case base::Json::value_t::boolean: return Value(json.get<bool>());
    case base::Json::value_t::number_integer: return Value(json.get<int64_t>());
    case base::Json::value_t::number_unsigned: {
      const auto value = json.get<uint64_t>();
      return value <= INT64_MAX ? Value(static_cast<int64_t>(value)) : Value(static_cast<double>(value));
    }
    case base::Json::value_t::number_float: return Value(json.get<double>());
    case base::Json::value_t::string: return string(json.get_ref<const std::string&>());
    case base::Json::value_t::array: {
      List items;
      items.reserve(json.size());
      for (const base::Json& item : json) {
        items.push_back(from_json(item));
      }
      return list(std::move(items));
    }
    case base::Json::value_t::object: {
      Dict dict_value;
      dict_value.items.reserve(json.size());
      for (const auto& [key, item] : json.items()) {
        dict_value.items.emplace_back(string(key), from_json(item));
      }
      return dict(std::move(dict_value));
    }
    default: return Value::none();
  }
}

std::string_view type_name(const Value& value) noexcept {
  switch (value.kind()) {
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return "str";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kGenerator: return "generator";
    case Kind::kDict: return "dict";
    case Kind::kNamespace: return "Namespace";
    case Kind::kFunction: return "function";
    case Kind::kLoop: return "LoopContext";
  }
  return "object";
}

bool equal(const Value& a, const Value& b, Heap& heap) { return equal_at(a, b, heap, 0); }
int compare(const Value& a, const Value& b, Heap& heap) { return compare_at(a, b, heap, 0); }

const Value* find(const Dict& dict, std::string_view key) noexcept {
  for (const auto& [name, value] : dict.items) {
    if (name.is(Kind::kString) && name.string() == key) {
      return &value;
    }
  }
  return nullptr;
}

const Value* find(const Dict& dict, const Value& key, Heap& heap) {
  heap.step(static_cast<int64_t>(dict.items.size() / 16));
  if (key.is(Kind::kString)) {
    return find(dict, key.string());
  }
  if (key.is(Kind::kList) || key.is(Kind::kDict)) {
    fail(fmt::format("a '{}' cannot be a key", type_name(key)));
  }
  const auto it = std::find_if(dict.items.begin(), dict.items.end(),
                               [&](const auto& item) { return equal(item.first, key, heap); });
  return it == dict.items.end() ? nullptr : &it->second;
}

void assign(Dict& dict, Value key, Value value, Heap& heap) {
  heap.step(static_cast<int64_t>(dict.items.size() / 16));
  for (auto& [name, old] : dict.items) {
    if (equal(name, key, heap)) {
      old = std::move(value);
      return;
    }
  }
  heap.charge(2 * sizeof(Value));
  dict.items.emplace_back(std::move(key), std::move(value));
}

void append_text(const Value& value, Heap& heap, std::string& out) {
  switch (value.kind()) {
    case Kind::kUndefined: return;
    case Kind::kNone: out += "None"; return;
    case Kind::kBool: out += value.truth() ? "True" : "False"; return;
    case Kind::kInt: out += std::to_string(value.integer()); return;
    case Kind::kFloat: out += python::float_repr(value.number()); return;
    case Kind::kString: out += value.string(); return;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict: append_repr(value, heap, out, 0); return;
    default: fmt::format_to(std::back_inserter(out), "<{}>", type_name(value));
  }
}

std::string to_text(const Value& value, Heap& heap) {
  std::string out;
  append_text(value, heap, out);
  return out;
}

void append_json(const Value& value, const JsonStyle& style, Heap& heap, std::string& out) {
  JsonWriter(style, heap, out).write(value, 0);
}

}  // namespace slipway::text::jinja
