#include "text/dictionary_segmenter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

constexpr uint32_t kNone = SegmentDictionary::kNone;

bool is_han(char32_t c) noexcept { return c >= SegmentDictionary::kFirstHan && c <= SegmentDictionary::kLastHan; }
bool is_digit09(char32_t c) noexcept { return c >= '0' && c <= '9'; }
bool is_alnum(char32_t c) noexcept { return is_digit09(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What jieba looks words up in: [\u4E00-\u9FD5a-zA-Z0-9+#&._%-].
bool is_word_char(char32_t c) noexcept {
  return is_han(c) || is_alnum(c) || c == '+' || c == '#' || c == '&' || c == '.' || c == '_' || c == '%' || c == '-';
}

// Python's \s.
bool is_python_space(char32_t c) noexcept { return is_whitespace(c) || (c >= 0x1C && c <= 0x1F); }

}  // namespace

// Where a walk through both tries stands.
struct DictionarySegmenter::Walk {
  uint32_t main = SegmentDictionary::kRoot;
  uint32_t user = 0;
};

DictionarySegmenter::DictionarySegmenter(std::shared_ptr<const SegmentDictionary> dictionary)
    : dictionary_(std::move(dictionary)), total_(dictionary_->total()), user_nodes_(1) {
  logs_.push_back(0);  // log(1): what jieba takes in place of 0
  for (const uint64_t f : dictionary_->frequencies()) {
    logs_.push_back(std::log(static_cast<double>(f)));
  }
  weights_.resize(logs_.size());
  settle();
}

// After a change of the total. The order of operations is jieba's, so that ties fall alike.
void DictionarySegmenter::settle() {
  log_total_ = std::log(static_cast<double>(total_));
  for (size_t i = 0; i < logs_.size(); ++i) {
    weights_[i] = logs_[i] - log_total_;
  }
}

uint32_t DictionarySegmenter::user_step(uint32_t node, char32_t c) const {
  const auto it = user_edges_.find(uint64_t{node} << 32 | c);
  return it == user_edges_.end() ? kNone : it->second;
}

// Cuts one block of word characters: scratch.codes[0, n). kUser: user words have to be looked up, too.
class DictionarySegmenter::Cutter {
 public:
  Cutter(const DictionarySegmenter& owner, std::string_view text, const CutOptions& options, Scratch& scratch,
         std::vector<std::string_view>& words)
      : owner_(owner), dictionary_(*owner.dictionary_), text_(text), options_(options), s_(scratch), words_(words) {}

  void block() {
    const bool full_mode = options_.mode == CutMode::kFull;
    if (owner_.user_edges_.empty()) {
      full_mode ? full<false>() : precise<false>();
    } else {
      full_mode ? full<true>() : precise<true>();
    }
  }

 private:
  std::string_view piece(size_t begin, size_t end) const {
    return text_.substr(s_.offsets[begin], s_.offsets[end] - s_.offsets[begin]);
  }
  bool step(Walk& walk, size_t i) const {
    walk.main = walk.main == kNone ? kNone : dictionary_.step(walk.main, s_.ids[i]);
    walk.user = walk.user == kNone || owner_.user_edges_.empty() ? kNone : owner_.user_step(walk.user, s_.codes[i]);
    return walk.main != kNone || walk.user != kNone;
  }
  // Whether [begin, end) is a word with a frequency.
  bool is_word(size_t begin, size_t end) const {
    Walk walk;
    for (size_t i = begin; i < end; ++i) {
      if (!step(walk, i)) {
        return false;
      }
    }
    return is_word(walk);
  }
  bool is_word(const Walk& walk) const {
    if (walk.user != kNone && owner_.user_nodes_[walk.user].word) {
      return owner_.user_nodes_[walk.user].frequency > 0;
    }
    return walk.main != kNone && dictionary_.value(walk.main) > 0;
  }

  void emit(size_t begin, size_t end) {
    if (options_.mode == CutMode::kSearch && end - begin > 2) {
      for (size_t i = begin; i + 2 <= end; ++i) {
        if (is_word(i, i + 2)) {
          words_.push_back(piece(i, i + 2));
        }
      }
      if (end - begin > 3) {
        for (size_t i = begin; i + 3 <= end; ++i) {
          if (is_word(i, i + 3)) {
            words_.push_back(piece(i, i + 3));
          }
        }
      }
    }
    words_.push_back(piece(begin, end));
  }

  // next[k]: the end of the word at k on the best path from k to the end.
  template <bool kUser>
  void find_path() {
    const size_t n = s_.codes.size();
    s_.route.resize(n + 1);
    s_.next.resize(n + 1);
    double* const route = s_.route.data();
    const double* const weights = owner_.weights_.data();
    route[n] = 0;
    for (size_t k = n; k-- > 0;) {
      double best = 0;
      size_t end = 0;  // none yet
      // Of equal paths the one with the longest word, as jieba's max() over (weight, end) has it.
      const auto consider = [&](double weight, size_t to) {
        const double sum = weight + route[to];
        if (end == 0 || sum >= best) {
          best = sum;
          end = to;
        }
      };
      if constexpr (kUser) {
        Walk walk;
        for (size_t i = k; i < n && step(walk, i); ++i) {
          if (walk.user != kNone && owner_.user_nodes_[walk.user].word) {
            if (owner_.user_nodes_[walk.user].frequency > 0) {
              consider(owner_.user_nodes_[walk.user].log_frequency - owner_.log_total_, i + 1);
            }
          } else if (walk.main != kNone && dictionary_.value(walk.main) > 0) {
            consider(weights[dictionary_.value(walk.main)], i + 1);
          }
        }
      } else {
        uint32_t node = SegmentDictionary::kRoot;
        for (size_t i = k; i < n; ++i) {
          node = dictionary_.step(node, s_.ids[i]);
          if (node == kNone) {
            break;
          }
          if (const uint32_t value = dictionary_.value(node); value > 0) {
            consider(weights[value], i + 1);
          }
        }
      }
      if (end == 0) {
        consider(weights[0], k + 1);
      }
      route[k] = best;
      s_.next[k] = static_cast<uint32_t>(end);
    }
  }

  template <bool kUser>
  void precise() {
    find_path<kUser>();
    const size_t n = s_.codes.size();
    size_t open = 0;  // [open, x): characters that wait for a decision
    for (size_t x = 0; x < n;) {
      const size_t y = s_.next[x];
      const bool waits = y - x == 1 && (options_.hmm || is_alnum(s_.codes[x]));
      if (!waits) {
        close(open, x);
        emit(x, y);
        open = y;
      }
      x = y;
    }
    close(open, n);
  }

  void close(size_t begin, size_t end) {
    if (begin == end) {
      return;
    }
    if (!options_.hmm || end - begin == 1) {
      emit(begin, end);
    } else if (is_word(begin, end)) {
      for (size_t i = begin; i < end; ++i) {
        emit(i, i + 1);
      }
    } else {
      new_words(begin, end);
    }
  }

  // jieba.finalseg.cut: ideographs through the model, the rest by ([a-zA-Z0-9]+(?:\.\d+)?%?).
  void new_words(size_t begin, size_t end) {
    for (size_t i = begin; i < end;) {
      const bool han = is_han(s_.codes[i]);
      size_t to = i + 1;
      while (to < end && is_han(s_.codes[to]) == han) {
        ++to;
      }
      han ? viterbi(i, to) : numbers(i, to);
      i = to;
    }
  }

  void numbers(size_t begin, size_t end) {
    size_t open = begin;
    for (size_t i = begin; i < end;) {
      if (!is_alnum(s_.codes[i])) {
        ++i;
        continue;
      }
      if (open < i) {
        emit(open, i);
      }
      size_t to = i;
      while (to < end && is_alnum(s_.codes[to])) {
        ++to;
      }
      if (to + 1 < end && s_.codes[to] == '.' && is_digit09(s_.codes[to + 1])) {
        for (++to; to < end && is_digit09(s_.codes[to]);) {
          ++to;
        }
      }
      if (to < end && s_.codes[to] == '%') {
        ++to;
      }
      emit(i, to);
      i = open = to;
    }
    if (open < end) {
      emit(open, end);
    }
  }

  void emit_found(size_t begin, size_t end) {
    if (!owner_.split_.empty() && owner_.split_.contains(std::string(piece(begin, end)))) {
      for (size_t i = begin; i < end; ++i) {
        emit(i, i + 1);
      }
    } else {
      emit(begin, end);
    }
  }

  void viterbi(size_t begin, size_t end) {
    using D = SegmentDictionary;
    const size_t n = end - begin;
    s_.back.resize(n * 4);
    double v[4];
    const double* emission = dictionary_.emission(s_.codes[begin]);
    for (int y = 0; y < 4; ++y) {
      v[y] = dictionary_.start(y) + emission[y];
    }
    // The two states that may come before each; of equal ones the first, whose letter is the later one.
    constexpr int kBefore[4][2] = {{D::kSingle, D::kEnd}, {D::kMiddle, D::kBegin}, {D::kMiddle, D::kBegin}, {D::kSingle, D::kEnd}};
    double transition[4][2];
    for (int y = 0; y < 4; ++y) {
      for (int i = 0; i < 2; ++i) {
        transition[y][i] = dictionary_.transition(kBefore[y][i], y);
      }
    }
    for (size_t t = 1; t < n; ++t) {
      emission = dictionary_.emission(s_.codes[begin + t]);
      double next[4];
      for (int y = 0; y < 4; ++y) {
        const double a = v[kBefore[y][0]] + transition[y][0] + emission[y];
        const double b = v[kBefore[y][1]] + transition[y][1] + emission[y];
        next[y] = a >= b ? a : b;
        s_.back[t * 4 + static_cast<size_t>(y)] = static_cast<uint8_t>(a >= b ? kBefore[y][0] : kBefore[y][1]);
      }
      std::copy(std::begin(next), std::end(next), std::begin(v));
    }
    // Backwards into back[0..n): the state of each character.
    int state = v[D::kSingle] >= v[D::kEnd] ? D::kSingle : D::kEnd;
    for (size_t t = n; t-- > 0;) {
      const int before = t > 0 ? s_.back[t * 4 + static_cast<size_t>(state)] : 0;
      s_.back[t * 4] = static_cast<uint8_t>(state);
      state = before;
    }
    size_t open = 0;
    size_t done = 0;
    for (size_t t = 0; t < n; ++t) {
      switch (s_.back[t * 4]) {
        case D::kBegin: open = t; break;
        case D::kEnd:
          emit_found(begin + open, begin + t + 1);
          done = t + 1;
          break;
        case D::kSingle:
          emit_found(begin + t, begin + t + 1);
          done = t + 1;
          break;
        default: break;
      }
    }
    if (done < n) {
      emit_found(begin + done, end);
    }
  }

  // Into `ends` the last characters of the words with a frequency that begin at k.
  template <bool kUser>
  void find_words(size_t k, std::vector<uint32_t>& ends) const {
    const size_t n = s_.codes.size();
    ends.clear();
    if constexpr (kUser) {
      Walk walk;
      for (size_t i = k; i < n && step(walk, i); ++i) {
        if (is_word(walk)) {
          ends.push_back(static_cast<uint32_t>(i));
        }
      }
    } else {
      uint32_t node = s_.first[k];
      for (size_t i = k; node != kNone;) {
        if (dictionary_.value(node) > 0) {
          ends.push_back(static_cast<uint32_t>(i));
        }
        if (++i == n) {
          break;
        }
        node = i == k + 1 ? s_.second[k] : dictionary_.step(node, s_.ids[i]);
      }
    }
  }

  // The first two steps of every walk: the trie is larger than the caches, and here one wait for it is the next one's, too.
  void start_walks() {
    const size_t n = s_.codes.size();
    s_.first.resize(n);
    s_.second.resize(n);
    for (size_t k = 0; k < n; ++k) {
      s_.first[k] = dictionary_.step_apart(SegmentDictionary::kRoot, s_.ids[k]);
    }
    for (size_t k = 0; k + 1 < n; ++k) {
      s_.second[k] = dictionary_.step_apart(s_.first[k], s_.ids[k + 1]);
    }
  }

  // jieba's __cut_all, with its way of joining Latin letters and digits.
  template <bool kUser>
  void full() {
    const size_t n = s_.codes.size();
    std::string latin;
    bool scanning = false;
    const auto flush = [&] {
      s_.joined.push_back(std::move(latin));
      words_.push_back(s_.joined.back());
      latin.clear();
      scanning = false;
    };
    int64_t last = -1;  // the last character of what was said
    std::vector<uint32_t>& ends = s_.next;  // memory of the other modes
    if constexpr (!kUser) {
      start_walks();
    }
    for (size_t k = 0; k < n; ++k) {
      find_words<kUser>(k, ends);
      if (ends.empty()) {
        ends.push_back(static_cast<uint32_t>(k));
      }
      const bool alnum = is_alnum(s_.codes[k]);
      if (scanning && !alnum) {
        flush();
      }
      if (ends.size() == 1 && static_cast<int64_t>(k) > last) {
        if (alnum) {
          scanning = true;
          latin += piece(k, size_t{ends[0]} + 1);
        }
        if (!scanning) {
          words_.push_back(piece(k, size_t{ends[0]} + 1));
        }
        last = static_cast<int64_t>(ends[0]);
        continue;
      }
      for (const uint32_t end : ends) {
        if (end > k) {
          words_.push_back(piece(k, size_t{end} + 1));
          last = static_cast<int64_t>(end);
        }
      }
    }
    if (scanning) {
      flush();
    }
  }

  const DictionarySegmenter& owner_;
  const SegmentDictionary& dictionary_;
  std::string_view text_;
  const CutOptions& options_;
  Scratch& s_;
  std::vector<std::string_view>& words_;
};

void DictionarySegmenter::cut(std::string_view text, const CutOptions& options, Scratch& scratch,
                              std::vector<std::string_view>& words) const {
  words.clear();
  scratch.joined.clear();
  if (text.size() >= (uint64_t{1} << 32)) {
    throw Error(Code::kInvalid, "a text of 4 GiB or more cannot be cut; cut it into lines first");
  }
  if (options.hmm && options.mode != CutMode::kFull && !dictionary_->has_hmm()) {
    throw Error(Code::kInvalid, "the dictionary has no hidden Markov model; cut without one (--no-hmm)");
  }
  Cutter cutter(*this, text, options, scratch, words);
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t at = 0;
  size_t spaceless = 0;  // of kFull: where the run of other characters began
  const auto close_other = [&](size_t end) {
    if (options.mode == CutMode::kFull && spaceless < end) {
      words.push_back(text.substr(spaceless, end - spaceless));
    }
  };
  while (at < text.size()) {
    const size_t begin = at;
    scratch.codes.clear();
    scratch.ids.clear();
    scratch.offsets.clear();
    Decoded d{};
    while (at < text.size()) {
      // Ideographs of the basic plane are E4..E9 and two more bytes: most of what there is.
      const unsigned char lead = bytes[at];
      if (lead < 0x80) {
        d = {lead, 1};
      } else if (lead >= 0xE4 && lead <= 0xE9 && at + 3 <= text.size() && (bytes[at + 1] & 0xC0U) == 0x80 &&
                 (bytes[at + 2] & 0xC0U) == 0x80) {
        d = {(char32_t{lead} & 0x0FU) << 12U | (char32_t{bytes[at + 1]} & 0x3FU) << 6U | (char32_t{bytes[at + 2]} & 0x3FU), 3};
      } else {
        d = decode_at(text, at);
      }
      if (!is_word_char(d.code)) {
        break;
      }
      scratch.offsets.push_back(static_cast<uint32_t>(at));
      scratch.codes.push_back(static_cast<uint16_t>(d.code));
      scratch.ids.push_back(dictionary_->char_id(d.code));
      at += d.size;
    }
    if (at > begin) {
      close_other(begin);
      scratch.offsets.push_back(static_cast<uint32_t>(at));
      cutter.block();
      spaceless = at;
    }
    if (at == text.size()) {
      break;
    }
    const bool pair = d.code == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
    const size_t size = pair ? 2 : d.size;
    if (options.mode != CutMode::kFull || is_python_space(d.code)) {
      close_other(at);
      words.push_back(text.substr(at, size));
      spaceless = at + size;
    }
    at += size;
  }
  close_other(at);
}

uint64_t DictionarySegmenter::frequency(std::u32string_view word, uint64_t fallback) const {
  Walk walk;
  for (const char32_t c : word) {
    walk.main = walk.main == kNone ? kNone : dictionary_->step(walk.main, dictionary_->char_id(c));
    walk.user = walk.user == kNone ? kNone : user_step(walk.user, c);
  }
  if (walk.user != kNone && user_nodes_[walk.user].word) {
    return user_nodes_[walk.user].frequency;
  }
  if (walk.main == kNone) {
    return walk.user == kNone ? fallback : 0;
  }
  const uint32_t value = dictionary_->value(walk.main);
  return value == 0 ? 0 : dictionary_->frequencies()[value - 1];
}

namespace {

std::u32string decode(std::string_view bytes) {
  std::u32string out;
  for (size_t at = 0; at < bytes.size();) {
    const Decoded d = decode_at(bytes, at);
    out += d.code;
    at += d.size;
  }
  return out;
}

}  // namespace

// jieba.suggest_freq(word, tune=False).
uint64_t DictionarySegmenter::suggest(std::u32string_view word, std::string_view bytes) const {
  Scratch scratch;
  std::vector<std::string_view> words;
  cut(bytes, {CutMode::kPrecise, false}, scratch, words);
  const auto total = static_cast<double>(total_);
  double f = 1;
  for (const std::string_view one : words) {
    f *= static_cast<double>(frequency(decode(one), 1)) / total;
  }
  return std::max(static_cast<uint64_t>(f * total) + 1, frequency(word, 1));
}

void DictionarySegmenter::add_user_word(std::u32string_view word, std::string_view bytes, const uint64_t* given) {
  const uint64_t f = given != nullptr ? *given : suggest(word, bytes);
  uint32_t node = 0;
  for (const char32_t c : word) {
    const auto [it, is_new] = user_edges_.try_emplace(uint64_t{node} << 32 | c, static_cast<uint32_t>(user_nodes_.size()));
    if (is_new) {
      user_nodes_.emplace_back();
    }
    node = it->second;
  }
  user_nodes_[node] = {true, f, f > 0 ? std::log(static_cast<double>(f)) : 0.0};
  total_ += f;
  settle();
  if (f == 0) {
    split_.emplace(bytes);
  }
}

void DictionarySegmenter::add_user_words(std::string_view lines, std::string_view source) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  size_t number = 0;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    std::string_view line = lines.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
    const size_t first = line.find_first_not_of(kSpaces);
    if (first == std::string_view::npos) {
      continue;
    }
    line = line.substr(first, line.find_last_not_of(kSpaces) - first + 1);
    if (!is_valid_utf8(line)) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: is not UTF-8", source, number));
    }
    // ^(.+?)( [0-9]+)?( [a-z]+)?$: a tag, then a number, taken from the end while a word is left.
    const auto take = [&line](auto&& fits) {
      const size_t space = line.rfind(' ');
      if (space == std::string_view::npos || space == 0 || space + 1 == line.size() ||
          !std::all_of(line.begin() + static_cast<std::ptrdiff_t>(space) + 1, line.end(), fits)) {
        return std::string_view();
      }
      const std::string_view taken = line.substr(space + 1);
      line = line.substr(0, space);
      return taken;
    };
    take([](char c) { return c >= 'a' && c <= 'z'; });
    const std::string_view digits = take([](char c) { return c >= '0' && c <= '9'; });
    uint64_t f = 0;
    if (!digits.empty() && (std::from_chars(digits.data(), digits.data() + digits.size(), f).ec != std::errc() || f > (uint64_t{1} << 52))) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: the frequency is too large", source, number));
    }
    if (line.size() > 1024) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: the word is longer than 1024 bytes", source, number));
    }
    add_user_word(decode(line), line, digits.empty() ? nullptr : &f);
  }
}

}  // namespace slipway::text
