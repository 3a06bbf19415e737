#include "text/regex_prefix.h"

#include <cstdint>
#include <set>
#include <utility>

namespace slipway::text {
namespace {

using Program = Regex::Program;
using Place = std::pair<uint32_t, uint32_t>;  // an instruction, and how many characters it has taken when it is a span

// The instructions that take the next character, reached without taking one.
class Front {
 public:
  explicit Front(const Program& program) : program_(&program) {}

  void enter(uint32_t pc) {
    std::vector<Place> open = {{pc, 0}};
    while (!open.empty()) {
      const Place place = open.back();
      open.pop_back();
      if (!seen_.insert(place).second) {
        continue;
      }
      const Program::Instruction& in = program_->code[place.first];
      switch (in.op) {
        case Program::kSet: takers_.insert(place); break;
        case Program::kSpan:
        case Program::kSpanLazy:
        case Program::kSpanAtomic:
          if (place.second < in.b) {
            takers_.insert(place);
          }
          if (place.second >= in.a) {
            open.emplace_back(place.first + 1, 0);
          }
          break;
        case Program::kSplit:
          open.emplace_back(in.a, 0);
          open.emplace_back(in.b, 0);
          break;
        case Program::kJump: open.emplace_back(in.a, 0); break;
        case Program::kAhead:
        case Program::kBehind: open.emplace_back(in.b, 0); break;
        case Program::kAtomic:  // where it ends another part goes on: whatever it may be
        case Program::kMatch: ended_ = true; break;
        default: open.emplace_back(place.first + 1, 0); break;
      }
    }
  }

  bool ended() const noexcept { return ended_; }
  std::bitset<128> first() const {
    std::bitset<128> first;
    for (const Place& place : takers_) {
      const auto& ascii = program_->sets[program_->code[place.first].set].ascii;
      for (size_t c = 0; c < first.size(); ++c) {
        first[c] = first[c] || ascii[c];
      }
    }
    return first;
  }
  Front after_one() const {
    Front next(*program_);
    for (const Place& place : takers_) {
      if (program_->code[place.first].op == Program::kSet) {
        next.enter(place.first + 1);
      } else {
        next.go_on(place.first, place.second + 1);
      }
    }
    return next;
  }

 private:
  // A span that has taken `taken` characters.
  void go_on(uint32_t pc, uint32_t taken) {
    const Program::Instruction& in = program_->code[pc];
    if (taken < in.b) {
      takers_.insert({pc, taken});
    }
    if (taken >= in.a) {
      enter(pc + 1);
    }
  }

  const Program* program_;
  std::set<Place> seen_;
  std::set<Place> takers_;
  bool ended_ = false;
};

}  // namespace

std::vector<std::bitset<128>> regex_prefix(const Program& program, size_t depth) {
  std::vector<std::bitset<128>> prefix(depth, std::bitset<128>().set());
  Front front(program);
  front.enter(0);
  for (size_t d = 0; d < depth && !front.ended(); ++d) {
    prefix[d] = front.first();
    front = front.after_one();
  }
  return prefix;
}

}  // namespace slipway::text
