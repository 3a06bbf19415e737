#include <fmt/format.h>
#include <utility>

#include "base/error.h"
#include "text/aligned_text.h"
#include "text/regex_node.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Node = RegexNode;
using Program = Regex::Program;

constexpr size_t kMaxPattern = 20'000;       // characters
constexpr size_t kMaxInstructions = 50'000;  // after {n,m} are written out

// Writes the tree as instructions.
class Emitter {
 public:
  Emitter(Program& program, const std::string& source) : program_(program), source_(source) {}
  void emit(const Node& node);
  void finish() { add({Program::kMatch}); }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: regular expression: {}", source_, what));
  }
  uint32_t here() const noexcept { return static_cast<uint32_t>(program_.code.size()); }
  uint32_t add(Program::Instruction instruction) {
    if (program_.code.size() >= kMaxInstructions) {
      fail("too large");
    }
    program_.code.push_back(instruction);
    return here() - 1;
  }
  uint32_t add_set(const CharSet& set) {
    program_.sets.push_back(set);
    program_.sets.back().freeze();
    return static_cast<uint32_t>(program_.sets.size() - 1);
  }
  void emit_repeat(const Node& node);
  void emit_look(const Node& node);
  static const CharSet* single_set(const Node& node);
  uint32_t width(const Node& node) const;

  Program& program_;
  const std::string& source_;
};

// The set when the node is one character whatever the path.
const CharSet* Emitter::single_set(const Node& node) {
  if (node.type == Node::kSet) {
    return &node.set;
  }
  return node.type == Node::kSequence && node.parts.size() == 1 ? single_set(node.parts[0]) : nullptr;
}

uint32_t Emitter::width(const Node& node) const {
  switch (node.type) {
    case Node::kSet: return 1;
    case Node::kLook:
    case Node::kAssert: return 0;
    case Node::kSequence: {
      uint32_t sum = 0;
      for (const Node& part : node.parts) {
        sum += width(part);
      }
      return sum;
    }
    case Node::kAtomic: return width(node.parts[0]);
    case Node::kAlternatives: {
      const uint32_t first = width(node.parts[0]);
      for (const Node& part : node.parts) {
        if (width(part) != first) {
          fail("a look-behind whose alternatives differ in length is not supported");
        }
      }
      return first;
    }
    case Node::kRepeat:
      if (node.min != node.max) {
        fail("a look-behind of changing length is not supported");
      }
      return node.min * width(node.parts[0]);
  }
  return 0;
}

void Emitter::emit(const Node& node) {
  switch (node.type) {
    case Node::kSet: add({Program::kSet, false, add_set(node.set)}); break;
    case Node::kSequence:
      for (const Node& part : node.parts) {
        emit(part);
      }
      break;
    case Node::kAlternatives: {
      std::vector<uint32_t> jumps;
      for (size_t i = 0; i < node.parts.size(); ++i) {
        const bool last = i + 1 == node.parts.size();
        const uint32_t split = last ? 0 : add({Program::kSplit});
        if (!last) {
          program_.code[split].a = here();
        }
        emit(node.parts[i]);
        if (!last) {
          jumps.push_back(add({Program::kJump}));
          program_.code[split].b = here();
        }
      }
      for (const uint32_t jump : jumps) {
        program_.code[jump].a = here();
      }
      break;
    }
    case Node::kRepeat: emit_repeat(node); break;
    case Node::kLook: emit_look(node); break;
    case Node::kAtomic: {
      const uint32_t at = add({Program::kAtomic});
      program_.code[at].a = here();
      emit(node.parts[0]);
      add({Program::kMatch});
      program_.code[at].b = here();
      break;
    }
    case Node::kAssert: add({node.assertion, node.negated}); break;
  }
}

void Emitter::emit_look(const Node& node) {
  const uint32_t at = add({node.behind ? Program::kBehind : Program::kAhead, node.negated});
  if (node.behind) {
    program_.code[at].set = width(node.parts[0]);
  }
  program_.code[at].a = here();
  emit(node.parts[0]);
  add({Program::kMatch});
  program_.code[at].b = here();
}

void Emitter::emit_repeat(const Node& node) {
  const Node& inner = node.parts[0];
  if (const CharSet* set = single_set(inner)) {
    const Program::Op op = node.mode == Node::kGreedy ? Program::kSpan
                           : node.mode == Node::kLazy ? Program::kSpanLazy
                                                      : Program::kSpanAtomic;
    add({op, false, add_set(*set), node.min, node.max});
    return;
  }
  if (node.mode == Node::kPossessive) {
    Node greedy = node;
    greedy.mode = Node::kGreedy;
    Node atomic;
    atomic.type = Node::kAtomic;
    atomic.parts.push_back(std::move(greedy));
    emit(atomic);
    return;
  }
  const auto split_to = [&](uint32_t split, uint32_t body, uint32_t after) {
    program_.code[split].a = node.mode == Node::kLazy ? after : body;
    program_.code[split].b = node.mode == Node::kLazy ? body : after;
  };
  for (uint32_t i = 0; i < node.min; ++i) {
    emit(inner);
  }
  if (node.max == kNoLimit) {
    const uint32_t slot = program_.slots++;
    const uint32_t split = add({Program::kSplit});
    const uint32_t body = add({Program::kMark, false, 0, slot});
    emit(inner);
    add({Program::kProgress, false, 0, slot});
    add({Program::kJump, false, 0, split});
    split_to(split, body, here());
    return;
  }
  std::vector<uint32_t> splits;
  for (uint32_t i = node.min; i < node.max; ++i) {
    splits.push_back(add({Program::kSplit}));
    emit(inner);
  }
  for (const uint32_t split : splits) {
    split_to(split, split + 1, here());
  }
}

}  // namespace

void compile_regex(std::string_view pattern, Regex::Flavor flavor, const std::string& source, Program& program) {
  if (!is_valid_utf8(pattern)) {
    throw base::Error(base::Code::kInvalid, source + ": a regular expression that is not UTF-8");
  }
  std::u32string chars = to_utf32(pattern);
  if (chars.size() > kMaxPattern) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: a regular expression of {} characters; the limit is {}",
                                                        source, chars.size(), kMaxPattern));
  }
  const Node tree = parse_regex(std::move(chars), flavor, source);
  Emitter emitter(program, source);
  emitter.emit(tree);
  emitter.finish();
  program.source = source;
}

}  // namespace slipway::text
