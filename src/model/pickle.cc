#include "model/pickle.h"

#include <array>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "model/load.h"
#include "model/safetensors_header.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxKeyBytes = 256;  // of a storage; torch numbers them

enum class Kind : uint8_t {
  kMark,
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kTuple,
  kList,
  kDict,
  kOrderedDict,
  kRebuildTensor,
  kRebuildParameter,
  kStorageType,
  kStorage,
  kTensor
};

using Id = uint32_t;

// One value. Values are shared by id, as pickle's memo shares them, so none is ever copied.
struct Node {
  Kind kind = Kind::kNone;
  int64_t number = 0;     // kBool, kInt; the DType of kStorageType and kStorage
  std::string_view text;  // kText; the key of a kStorage
  std::vector<Id> items;  // kTuple, kList; kDict: key, value, key, ...
  uint32_t tensor = 0;    // kTensor: index in tensors
};

struct GlobalRow {
  std::string_view name;
  Kind kind;
  DType dtype;
};
// All that a file may name.
constexpr std::array<GlobalRow, 13> kGlobals = {{
    {"collections OrderedDict", Kind::kOrderedDict, DType::kF32},
    {"torch._utils _rebuild_tensor_v2", Kind::kRebuildTensor, DType::kF32},
    {"torch._utils _rebuild_parameter", Kind::kRebuildParameter, DType::kF32},
    {"torch FloatStorage", Kind::kStorageType, DType::kF32},
    {"torch DoubleStorage", Kind::kStorageType, DType::kF64},
    {"torch HalfStorage", Kind::kStorageType, DType::kF16},
    {"torch BFloat16Storage", Kind::kStorageType, DType::kBF16},
    {"torch LongStorage", Kind::kStorageType, DType::kI64},
    {"torch IntStorage", Kind::kStorageType, DType::kI32},
    {"torch ShortStorage", Kind::kStorageType, DType::kI16},
    {"torch CharStorage", Kind::kStorageType, DType::kI8},
    {"torch ByteStorage", Kind::kStorageType, DType::kU8},
    {"torch BoolStorage", Kind::kStorageType, DType::kBool},
}};

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}
  std::vector<std::pair<std::string, PickledTensor>> run();

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kIntegrity,
                fmt::format("{}: not a PyTorch file: {} at byte {} of its pickle", source_, what, at_));
  }
  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) {
      fail("the end comes too early");
    }
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  template <class T>
  T number() {
    return load<T>(take(sizeof(T)).data());
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) {
      fail("a line has no end");
    }
    const std::string_view taken = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return taken;
  }

  Id make(Node node) {
    if (nodes_.size() >= kMaxPickleNodes) {
      fail(fmt::format("more than {} values", kMaxPickleNodes));
    }
    nodes_.push_back(std::move(node));
    return static_cast<Id>(nodes_.size() - 1);
  }
  void push(Node node) { stack_.push_back(make(std::move(node))); }
  void push_kind(Kind kind) { push({kind, 0, {}, {}, 0}); }
  void push_number(Kind kind, int64_t value) { push({kind, value, {}, {}, 0}); }
  void push_text(std::string_view text) { push({Kind::kText, 0, text, {}, 0}); }
  Id pop() {
    if (stack_.empty() || nodes_[stack_.back()].kind == Kind::kMark) {
      fail("the stack is empty");
    }
    const Id id = stack_.back();
    stack_.pop_back();
    return id;
  }
  Node& top(Kind kind, const char* what) {
    if (stack_.empty() || nodes_[stack_.back()].kind != kind) {
      fail(fmt::format("{} was expected", what));
    }
    return nodes_[stack_.back()];
  }
  // What was pushed since the last mark, without it.
  std::vector<Id> pop_to_mark() {
    size_t from = stack_.size();
    while (from > 0 && nodes_[stack_[from - 1]].kind != Kind::kMark) {
      --from;
    }
    if (from == 0) {
      fail("there is no mark");
    }
    std::vector<Id> items(stack_.begin() + static_cast<std::ptrdiff_t>(from), stack_.end());
    stack_.resize(from - 1);
    return items;
  }
  void add_items(Node& to, const std::vector<Id>& items) {
    to.items.insert(to.items.end(), items.begin(), items.end());
  }
  void push_tuple(size_t size) {
    Node tuple{Kind::kTuple, 0, {}, std::vector<Id>(size), 0};
    for (size_t i = size; i > 0; --i) {
      tuple.items[i - 1] = pop();
    }
    push(std::move(tuple));
  }
  void remember(size_t index) {
    if (stack_.empty() || index > kMaxPickleNodes) {
      fail("the memo is used wrongly");
    }
    if (index >= memo_.size()) {
      // An index may be far ahead, but no further than values were made: torch numbers them one by one.
      if (index > nodes_.size()) {
        fail("the memo is used wrongly");
      }
      memo_.resize(index + 1, kNoId);
    }
    memo_[index] = stack_.back();
  }
  void recall(size_t index) {
    if (index >= memo_.size() || memo_[index] == kNoId) {
      fail("the memo has no such value");
    }
    stack_.push_back(memo_[index]);
  }

  bool step(uint8_t opcode);
  bool step_container(uint8_t opcode);
  void global(std::string_view module, std::string_view name);
  void persistent();
  void reduce();
  void build_tensor(const Node& arguments);
  std::vector<int64_t> sizes(Id id) const;
  int64_t long_number(std::string_view digits) const;
  std::vector<std::pair<std::string, PickledTensor>> collect(Id root) const;

  static constexpr Id kNoId = UINT32_MAX;
  std::string_view bytes_;
  const std::string& source_;
  size_t at_ = 0;
  std::vector<Node> nodes_;
  std::vector<Id> stack_;
  std::vector<Id> memo_;
  std::vector<PickledTensor> tensors_;
};

void Machine::global(std::string_view module, std::string_view name) {
  const std::string full = fmt::format("{} {}", module, name);
  for (const GlobalRow& row : kGlobals) {
    if (row.name == full) {
      push_number(row.kind, static_cast<int64_t>(row.dtype));
      return;
    }
  }
  throw Error(Code::kNotAllowed, fmt::format("{}: its pickle names '{}.{}', which is not among what a file of weights "
                                             "needs; nothing of it was run. Save the model's "
                                             "state_dict() alone, or as safetensors",
                                             source_, module.substr(0, 80), name.substr(0, 80)));
}

// ("storage", type, key, device, count)
void Machine::persistent() {
  const Id id = pop();
  const Node& tuple = nodes_[id];
  const auto is = [&](size_t i, Kind kind) { return nodes_[tuple.items[i]].kind == kind; };
  if (tuple.kind != Kind::kTuple || tuple.items.size() != 5 || !is(0, Kind::kText) ||
      nodes_[tuple.items[0]].text != "storage" || !is(1, Kind::kStorageType) || !is(2, Kind::kText) ||
      !is(4, Kind::kInt) || nodes_[tuple.items[4]].number < 0) {
    fail("a storage is described wrongly");
  }
  if (nodes_[tuple.items[2]].text.size() > kMaxKeyBytes) {
    fail("a storage's key is too long");
  }
  Node storage{Kind::kStorage, nodes_[tuple.items[1]].number, nodes_[tuple.items[2]].text, {tuple.items[4]}, 0};
  push(std::move(storage));
}

std::vector<int64_t> Machine::sizes(Id id) const {
  const Node& tuple = nodes_[id];
  if (tuple.kind != Kind::kTuple || tuple.items.size() > 16) {
    fail("a tensor's shape is wrong");
  }
  std::vector<int64_t> out;
  for (const Id item : tuple.items) {
    if (nodes_[item].kind != Kind::kInt || nodes_[item].number < 0) {
      fail("a tensor's shape is wrong");
    }
    out.push_back(nodes_[item].number);
  }
  return out;
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, ...)
void Machine::build_tensor(const Node& arguments) {
  if (arguments.items.size() < 4 || nodes_[arguments.items[0]].kind != Kind::kStorage ||
      nodes_[arguments.items[1]].kind != Kind::kInt) {
    fail("a tensor is described wrongly");
  }
  const Node& storage = nodes_[arguments.items[0]];
  PickledTensor tensor;
  tensor.storage = std::string(storage.text);
  tensor.dtype = static_cast<DType>(storage.number);
  tensor.storage_count = nodes_[storage.items[0]].number;
  tensor.offset = nodes_[arguments.items[1]].number;
  tensor.shape = sizes(arguments.items[2]);
  const std::vector<int64_t> strides = sizes(arguments.items[3]);
  if (strides.size() != tensor.shape.size() || tensor.offset < 0) {
    fail("a tensor's shape is wrong");
  }
  int64_t count = 1;
  for (size_t i = tensor.shape.size(); i > 0; --i) {
    const int64_t size = tensor.shape[i - 1];
    if (size != 1 && count != 0 && strides[i - 1] != count) {
      throw Error(Code::kInvalid,
                  fmt::format("{}: a tensor of storage {} is not contiguous; save it after .contiguous()", source_,
                              tensor.storage));
    }
    if (__builtin_mul_overflow(count, size, &count)) {
      fail("a tensor's shape is too large to be true");
    }
  }
  if (count > tensor.storage_count || tensor.offset > tensor.storage_count - count) {
    fail("a tensor is larger than its storage");
  }
  tensors_.push_back(std::move(tensor));
  push({Kind::kTensor, 0, {}, {}, static_cast<uint32_t>(tensors_.size() - 1)});
}

void Machine::reduce() {
  const Id arguments = pop();
  const Id callee = pop();
  if (nodes_[arguments].kind != Kind::kTuple) {
    fail("arguments are no tuple");
  }
  switch (nodes_[callee].kind) {
    case Kind::kOrderedDict:
      if (!nodes_[arguments].items.empty()) {
        fail("a dictionary is described wrongly");
      }
      return push_kind(Kind::kDict);
    case Kind::kRebuildTensor: return build_tensor(nodes_[arguments]);
    case Kind::kRebuildParameter:
      if (nodes_[arguments].items.empty() || nodes_[nodes_[arguments].items[0]].kind != Kind::kTensor) {
        fail("a parameter is described wrongly");
      }
      stack_.push_back(nodes_[arguments].items[0]);
      return;
    default: fail("something that is no function is called");
  }
}

int64_t Machine::long_number(std::string_view digits) const {
  if (digits.size() > 8) {
    fail("a number is too large");
  }
  uint64_t value = !digits.empty() && (static_cast<uint8_t>(digits.back()) & 0x80U) != 0 ? UINT64_MAX : 0;
  for (size_t i = digits.size(); i > 0; --i) {
    value = (value << 8) | static_cast<uint8_t>(digits[i - 1]);
  }
  return static_cast<int64_t>(value);
}

bool Machine::step_container(uint8_t opcode) {
  switch (opcode) {
    case '(': push_kind(Kind::kMark); return true;
    case '}': push_kind(Kind::kDict); return true;
    case ']': push_kind(Kind::kList); return true;
    case ')': push_kind(Kind::kTuple); return true;
    case 't': {
      std::vector<Id> items = pop_to_mark();
      push({Kind::kTuple, 0, {}, std::move(items), 0});
      return true;
    }
    case 0x85:
    case 0x86:
    case 0x87: push_tuple(opcode - 0x84U); return true;
    case 'a': {
      const Id item = pop();
      add_items(top(Kind::kList, "a list"), {item});
      return true;
    }
    case 'e': {
      const std::vector<Id> items = pop_to_mark();
      add_items(top(Kind::kList, "a list"), items);
      return true;
    }
    case 's': {
      const Id value = pop();
      const Id key = pop();
      add_items(top(Kind::kDict, "a dictionary"), {key, value});
      return true;
    }
    case 'u': {
      const std::vector<Id> items = pop_to_mark();
      if (items.size() % 2 != 0) {
        fail("a key has no value");
      }
      add_items(top(Kind::kDict, "a dictionary"), items);
      return true;
    }
    default: return false;
  }
}

// False for an opcode that is not read.
bool Machine::step(uint8_t opcode) {
  switch (opcode) {
    case 0x80:
      if (number<uint8_t>() > 5) {
        fail("the protocol is unknown");
      }
      return true;
    case 0x95:
      take(8);  // a frame's length: we have the whole
      return true;
    case 'N': push_kind(Kind::kNone); return true;
    case 0x88:
    case 0x89: push_number(Kind::kBool, opcode == 0x88 ? 1 : 0); return true;
    case 'K': push_number(Kind::kInt, number<uint8_t>()); return true;
    case 'M': push_number(Kind::kInt, number<uint16_t>()); return true;
    case 'J': push_number(Kind::kInt, number<int32_t>()); return true;
    case 0x8a: push_number(Kind::kInt, long_number(take(number<uint8_t>()))); return true;
    case 'G':
      take(8);
      push_kind(Kind::kFloat);
      return true;
    case 'X':
    case 'B': push_text(take(number<uint32_t>())); return true;
    case 0x8c:
    case 'C':
    case 'U': push_text(take(number<uint8_t>())); return true;
    case 'q': remember(number<uint8_t>()); return true;
    case 'r': remember(number<uint32_t>()); return true;
    case 0x94: remember(memo_.size()); return true;
    case 'h': recall(number<uint8_t>()); return true;
    case 'j': recall(number<uint32_t>()); return true;
    case '0': pop(); return true;
    case 'c': {
      const std::string_view module = line();
      global(module, line());
      return true;
    }
    case 0x93: {
      const Id name = pop();
      const Id module = pop();
      if (nodes_[name].kind != Kind::kText || nodes_[module].kind != Kind::kText) {
        fail("a global has no name");
      }
      global(nodes_[module].text, nodes_[name].text);
      return true;
    }
    case 'Q': persistent(); return true;
    case 'R': reduce(); return true;
    case 'b':
      // The attributes of a dictionary (torch's _metadata): of no use, and not looked at.
      pop();
      top(Kind::kDict, "a dictionary");
      return true;
    default: return step_container(opcode);
  }
}

std::vector<std::pair<std::string, PickledTensor>> Machine::collect(Id root) const {
  std::vector<std::pair<std::string, PickledTensor>> out;
  const auto add = [&](const Node& dict) {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const Node& key = nodes_[dict.items[i]];
      const Node& value = nodes_[dict.items[i + 1]];
      if (key.kind != Kind::kText || value.kind != Kind::kTensor) {
        continue;
      }
      // A name that the memo repeats costs two bytes in the file.
      if (key.text.size() > kMaxTensorNameBytes || out.size() >= kMaxTensors) {
        fail("there are too many tensors, or one has too long a name");
      }
      out.emplace_back(std::string(key.text), tensors_[value.tensor]);
    }
  };
  const Node& top = nodes_[root];
  if (top.kind != Kind::kDict) {
    throw Error(Code::kInvalid,
                fmt::format("{}: holds no dictionary of tensors; save the model's state_dict()", source_));
  }
  add(top);
  for (size_t i = 0; out.empty() && i + 1 < top.items.size(); i += 2) {
    const Node& key = nodes_[top.items[i]];
    const bool nested =
        key.text == "state_dict" || key.text == "model_state_dict" || key.text == "model" || key.text == "module";
    if (nested && nodes_[top.items[i + 1]].kind == Kind::kDict) {
      add(nodes_[top.items[i + 1]]);
    }
  }
  return out;
}

std::vector<std::pair<std::string, PickledTensor>> Machine::run() {
  while (true) {
    const auto opcode = number<uint8_t>();
    if (opcode == '.') {
      return collect(pop());
    }
    if (!step(opcode)) {
      fail(fmt::format("the opcode 0x{:02x} is not one that weights need", opcode));
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, PickledTensor>> read_torch_pickle(std::string_view bytes,
                                                                     const std::string& source) {
  if (bytes.size() > kMaxPickleBytes) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: its pickle has {} bytes, more than {}", source, bytes.size(), kMaxPickleBytes));
  }
  return Machine(bytes, source).run();
}

}  // namespace slipway::model
