#include "text/regex.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/regex_program.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Program = Regex::Program;

// Simple case folding through upper case, so that U+017F is an s and U+212A a k.
char32_t fold(char32_t c) noexcept { return to_lower(to_upper(c)); }

bool in_items(const CharSet& set, char32_t c, const uint8_t* table) noexcept {
  for (const CodeRange& range : set.ranges) {
    if (c >= range.first && c <= range.last) {
      return true;
    }
  }
  if ((char_kind(c, table) & set.kinds) != 0 || set.any || (set.word && hf_is_word(c))) {
    return true;
  }
  for (const CharSet& part : set.any_of) {
    if (part.lookup(c, table)) {
      return true;
    }
  }
  return false;
}

// Steps that one search may take, for each character of the text: real patterns take under 20.
constexpr uint64_t kStepsPerChar = 2'000;
constexpr uint64_t kMinSteps = 100'000;

// Where to go on when a path fails: at `pc` from `at`, and for a span from each place down to (or up to) `limit`.
struct Retry {
  uint32_t pc;
  uint32_t at;
  uint32_t limit;
  bool lazy;      // a span that grows
  bool restores;  // no path: slot `pc` gets its old value `at` back
};

struct Stacks {
  std::vector<uint32_t> marks;
  std::vector<Retry> retries;
};

class Machine {
 public:
  Machine(const Program& program, std::u32string_view text, uint32_t begin, uint32_t end, Stacks& stacks)
      : program_(program),
        text_(text),
        begin_(begin),
        end_(end),
        table_(char_kind_table()),
        marks_(stacks.marks),
        retries_(stacks.retries),
        steps_left_(kMinSteps + kStepsPerChar * (end - begin)) {
    marks_.resize(program.slots);
    retries_.clear();
  }

  // The end of the match of the program from `pc` at `at`, or -1.
  int64_t run(uint32_t pc, uint32_t at);

 private:
  bool retry(size_t base, uint32_t& pc, uint32_t& at);
  bool span(const Program::Instruction& in, uint32_t pc, uint32_t& at);
  bool holds(const Program::Instruction& in, uint32_t at) const;
  bool is_word(uint32_t at) const { return hf_is_word(text_[at]); }

  const Program& program_;
  const std::u32string_view text_;
  const uint32_t begin_;
  const uint32_t end_;
  const uint8_t* table_;
  std::vector<uint32_t>& marks_;
  std::vector<Retry>& retries_;
  uint64_t steps_left_;
};

bool Machine::retry(size_t base, uint32_t& pc, uint32_t& at) {
  while (retries_.size() > base) {
    Retry& top = retries_.back();
    if (top.restores) {
      marks_[top.pc] = top.at;
      retries_.pop_back();
      continue;
    }
    pc = top.pc;
    at = top.at;
    if (top.at == top.limit) {
      retries_.pop_back();
    } else if (top.lazy) {
      const CharSet& set = program_.sets[program_.code[pc - 1].set];
      if (top.at < end_ && set.contains(text_[top.at], table_)) {
        ++top.at;
      } else {
        retries_.pop_back();
      }
    } else {
      --top.at;
    }
    return true;
  }
  return false;
}

bool Machine::span(const Program::Instruction& in, uint32_t pc, uint32_t& at) {
  const CharSet& set = program_.sets[in.set];
  const bool lazy = in.op == Program::kSpanLazy;
  const uint32_t most = in.b == kNoLimit ? end_ - at : std::min(in.b, end_ - at);
  const uint32_t wanted = lazy ? std::min(in.a, most) : most;
  uint32_t count = 0;
  while (count < wanted && set.contains(text_[at + count], table_)) {
    ++count;
  }
  steps_left_ -= std::min<uint64_t>(steps_left_, count / 8);
  if (count < in.a) {
    return false;
  }
  if (lazy && count < most && set.contains(text_[at + count], table_)) {
    retries_.push_back({pc + 1, at + count + 1, at + most, true, false});
  } else if (in.op == Program::kSpan && count > in.a) {
    retries_.push_back({pc + 1, at + count - 1, at + in.a, false, false});
  }
  at += count;
  return true;
}

bool Machine::holds(const Program::Instruction& in, uint32_t at) const {
  switch (in.op) {
    case Program::kTextBegin: return at == begin_;
    case Program::kTextEnd: return at == end_;
    case Program::kTextEndOrNewline: return at == end_ || (at + 1 == end_ && text_[at] == U'\n');
    case Program::kLineBegin: return at == begin_ || text_[at - 1] == U'\n';
    case Program::kLineEnd: return at == end_ || text_[at] == U'\n';
    default: return ((at > begin_ && is_word(at - 1)) != (at < end_ && is_word(at))) != in.negated;
  }
}

int64_t Machine::run(uint32_t pc, uint32_t at) {
  const size_t base = retries_.size();
  for (;;) {
    if (steps_left_ == 0) {
      throw base::Error(base::Code::kInvalid,
                        program_.source + ": a regular expression takes too many steps on this text");
    }
    --steps_left_;
    const Program::Instruction& in = program_.code[pc];
    bool ok = true;
    switch (in.op) {
      case Program::kSet:
        ok = at < end_ && program_.sets[in.set].contains(text_[at], table_);
        ++at;
        ++pc;
        break;
      case Program::kSpan:
      case Program::kSpanLazy:
      case Program::kSpanAtomic:
        ok = span(in, pc, at);
        ++pc;
        break;
      case Program::kSplit:
        retries_.push_back({in.b, at, at, false, false});
        pc = in.a;
        break;
      case Program::kJump: pc = in.a; break;
      case Program::kAhead: {
        ok = (run(in.a, at) >= 0) != in.negated;
        pc = in.b;
        break;
      }
      case Program::kBehind:
        ok = (at - begin_ >= in.set && run(in.a, at - in.set) >= 0) != in.negated;
        pc = in.b;
        break;
      case Program::kAtomic: {
        const int64_t end = run(in.a, at);
        ok = end >= 0;
        at = ok ? static_cast<uint32_t>(end) : at;
        pc = in.b;
        break;
      }
      case Program::kMark:
        retries_.push_back({in.a, marks_[in.a], 0, false, true});
        marks_[in.a] = at;
        ++pc;
        break;
      case Program::kProgress:
        ok = marks_[in.a] != at;
        ++pc;
        break;
      case Program::kMatch: retries_.resize(base); return at;
      default:
        ok = holds(in, at);
        ++pc;
        break;
    }
    if (!ok && !retry(base, pc, at)) {
      return -1;
    }
  }
}

}  // namespace

bool CharSet::lookup(char32_t c, const uint8_t* table) const noexcept {
  bool found = in_items(*this, c, table);
  if (!found && ignore_case) {
    const char32_t folded = fold(c);
    found = in_items(*this, folded, table) || in_items(*this, to_upper(folded), table);
  }
  for (const CharSet& part : all_of) {
    found = found && part.lookup(c, table);
  }
  return found != negated;
}

void CharSet::freeze() {
  for (char32_t c = 0; c < 128; ++c) {
    ascii[c] = lookup(c, char_kind_table());
  }
}

Regex::Regex(std::string_view pattern, const std::string& source, Flavor flavor) {
  auto program = std::make_unique<Program>();
  compile_regex(pattern, flavor, source, *program);
  program_ = std::move(program);
}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::find(std::u32string_view text, uint32_t begin, uint32_t end, uint32_t from, Match& match) const {
  Stacks stacks;
  Machine machine(*program_, text, begin, end, stacks);
  for (uint32_t at = from; at <= end; ++at) {
    const int64_t stop = machine.run(0, at);
    if (stop >= 0) {
      match = {at, static_cast<uint32_t>(stop)};
      return true;
    }
  }
  return false;
}

struct Regex::Scratch::State {
  Stacks stacks;
};
Regex::Scratch::Scratch() : state_(std::make_unique<State>()) {}
Regex::Scratch::~Scratch() = default;
Regex::Scratch::Scratch(Scratch&&) noexcept = default;
Regex::Scratch& Regex::Scratch::operator=(Scratch&&) noexcept = default;

bool Regex::match_at(std::u32string_view text, uint32_t begin, uint32_t end, uint32_t at, Scratch& scratch,
                     uint32_t& end_of_match) const {
  Machine machine(*program_, text, begin, end, scratch.state_->stacks);
  const int64_t stop = machine.run(0, at);
  end_of_match = stop >= 0 ? static_cast<uint32_t>(stop) : at;
  return stop >= 0;
}

std::bitset<128> Regex::first_ascii() const {
  std::bitset<128> first;
  std::vector<bool> seen(program_->code.size());
  std::vector<uint32_t> open = {0};
  while (!open.empty()) {
    const uint32_t pc = open.back();
    open.pop_back();
    if (seen[pc]) {
      continue;
    }
    seen[pc] = true;
    const Program::Instruction& in = program_->code[pc];
    switch (in.op) {
      case Program::kSet:
      case Program::kSpan:
      case Program::kSpanLazy:
      case Program::kSpanAtomic:
        for (size_t c = 0; c < first.size(); ++c) {
          first[c] = first[c] || program_->sets[in.set].ascii[c];
        }
        if (in.op != Program::kSet && in.a == 0) {
          open.push_back(pc + 1);
        }
        break;
      case Program::kSplit:
        open.push_back(in.a);
        open.push_back(in.b);
        break;
      case Program::kJump: open.push_back(in.a); break;
      case Program::kAhead:
      case Program::kBehind: open.push_back(in.b); break;
      case Program::kAtomic: open.push_back(in.a); break;
      case Program::kMatch: first.set(); break;
      default: open.push_back(pc + 1); break;
    }
  }
  return first;
}

}  // namespace slipway::text
