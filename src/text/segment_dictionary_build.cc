// How the compact dictionary is made of jieba's text files.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <sys/stat.h>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/input.h"
#include "text/segment_dictionary.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxSource = size_t{1} << 29;   // a hundred times jieba's own
constexpr size_t kMaxWordChars = 256;            // its longest word has 16
constexpr uint64_t kMaxFrequency = uint64_t{1} << 52;  // exact in a double

// ---- the words

struct Word {
  std::u32string text;
  uint64_t frequency;
};

struct WordList {
  std::vector<Word> words;  // each once
  uint64_t total = 0;       // over all lines, as jieba counts: of a word given twice, both
};

WordList read_words(const fs::path& path) {
  WordList list;
  std::unordered_map<std::string, size_t> known;
  base::LineReader reader(path, size_t{1} << 16);
  for (std::string_view line; reader.next(line);) {
    const auto fail = [&](const char* what) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: {}; a line is WORD FREQUENCY [TAG]", path.string(), reader.line_number(), what));
    };
    const size_t begin = line.find_first_not_of(" \t\r\v\f");
    if (begin == std::string_view::npos) {
      fail("is blank");
    }
    line = line.substr(begin);
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) {
      fail("has no frequency");
    }
    const std::string_view word = line.substr(0, space);
    uint64_t frequency = 0;
    const char* const end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data() + space + 1, end, frequency);
    if (error != std::errc() || (stop != end && *stop != ' ' && *stop != '\r' && *stop != '\t')) {
      fail("has a frequency that is no number");
    }
    if (!is_valid_utf8(word)) {
      fail("is not UTF-8");
    }
    if (frequency > kMaxFrequency || list.total + frequency > kMaxFrequency) {
      fail("has a frequency that is too large");
    }
    list.total += frequency;
    const auto [it, is_new] = known.try_emplace(std::string(word), list.words.size());
    if (!is_new) {
      list.words[it->second].frequency = frequency;
      continue;
    }
    std::u32string text;
    for (size_t at = 0; at < word.size();) {
      const Decoded d = decode_at(word, at);
      text += d.code;
      at += d.size;
    }
    if (text.size() > kMaxWordChars) {
      fail("has a word of more than 256 characters");
    }
    list.words.push_back({std::move(text), frequency});
  }
  if (list.total == 0) {
    throw Error(Code::kInvalid, fmt::format("{}: has no word with a frequency", path.string()));
  }
  return list;
}

// ---- the trie as a double array

struct Node {
  uint32_t base = 0;
  uint32_t parent = SegmentDictionary::kNone;
  uint32_t value = 0;
};

struct Key {
  std::vector<uint16_t> ids;
  uint32_t value;
};

class DoubleArray {
 public:
  std::vector<Node> build(std::vector<Key> keys) {
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.ids < b.ids; });
    grow(size_t{1} << 16);
    take(0, 0);
    nodes_[0].parent = SegmentDictionary::kNone - 1;  // no node's number: the root is nobody's child
    struct Range {
      uint32_t node;
      size_t begin;
      size_t end;
      size_t depth;
    };
    std::vector<Range> open = {{0, 0, keys.size(), 0}};
    std::vector<uint16_t> children;
    std::vector<size_t> starts;
    while (!open.empty()) {
      Range range = open.back();
      open.pop_back();
      if (range.begin < range.end && keys[range.begin].ids.size() == range.depth) {
        nodes_[range.node].value = keys[range.begin++].value;
      }
      children.clear();
      starts.clear();
      for (size_t i = range.begin; i < range.end; ++i) {
        const uint16_t id = keys[i].ids[range.depth];
        if (children.empty() || children.back() != id) {
          children.push_back(id);
          starts.push_back(i);
        }
      }
      if (children.empty()) {
        continue;
      }
      starts.push_back(range.end);
      const uint32_t base = place(children);
      nodes_[range.node].base = base;
      for (size_t c = children.size(); c-- > 0;) {
        const uint32_t child = base + children[c];
        take(child, range.node);
        open.push_back({child, starts[c], starts[c + 1], range.depth + 1});
      }
    }
    nodes_.resize(used_);
    return std::move(nodes_);
  }

 private:
  // Free places are a list in order of their numbers; next_[size] is its end, previous_[0] unused.
  void grow(size_t size) {
    const size_t old = nodes_.size();
    nodes_.resize(size);
    next_.resize(size + 1);
    previous_.resize(size + 1);
    for (size_t i = old; i < size; ++i) {
      next_[i] = static_cast<uint32_t>(i + 1);
      previous_[i] = i == old ? last_free_ : static_cast<uint32_t>(i - 1);
    }
    if (old > 0) {
      if (last_free_ == SegmentDictionary::kNone) {
        first_free_ = static_cast<uint32_t>(old);
      } else {
        next_[last_free_] = static_cast<uint32_t>(old);
      }
    }
    last_free_ = static_cast<uint32_t>(size - 1);
  }

  bool is_free(size_t i) const { return i >= nodes_.size() || nodes_[i].parent == SegmentDictionary::kNone; }

  void take(uint32_t i, uint32_t parent) {
    while (i >= nodes_.size()) {
      grow(nodes_.size() * 2);
    }
    nodes_[i].parent = parent;
    used_ = std::max<size_t>(used_, size_t{i} + 1);
    const uint32_t next = next_[i];
    const uint32_t previous = previous_[i];
    const bool first = i == first_free_;
    if (first) {
      first_free_ = next;
    } else {
      next_[previous] = next;
    }
    if (i == last_free_) {
      last_free_ = first ? SegmentDictionary::kNone : previous;
    } else {
      previous_[next] = previous;
    }
    if (i == search_from_) {
      search_from_ = next;
    }
  }

  // A base at which all children fall on free places.
  uint32_t place(const std::vector<uint16_t>& children) {
    constexpr int kPatience = 256;  // after so many crowded places the search never starts there again
    uint32_t slot = children.size() == 1 ? first_free_ : search_from_;
    for (int tries = 0;; ++tries) {
      while (slot >= nodes_.size()) {
        grow(nodes_.size() * 2);
      }
      const uint32_t base = slot - children[0];
      const bool fits = slot != 0 && std::all_of(children.begin() + 1, children.end(), [&](uint16_t id) {
        return is_free(size_t{slot} + id - children[0]);
      });
      if (fits) {
        if (tries > kPatience) {
          search_from_ = slot;
        }
        return base;
      }
      slot = next_[slot];
    }
  }

  std::vector<Node> nodes_;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> previous_;
  uint32_t first_free_ = 0;
  uint32_t last_free_ = 0;
  uint32_t search_from_ = 0;
  size_t used_ = 1;
};

// ---- the hidden Markov model: Python dictionaries of numbers, one or two levels deep

class PythonNumbers {
 public:
  PythonNumbers(std::string bytes, std::string source) : bytes_(std::move(bytes)), source_(std::move(source)) {}

  // Calls take(first key, second key, number); the second key is "" in a dictionary of one level.
  template <class Take>
  void read(Take&& take) {
    at_ = bytes_.find("P={");
    if (at_ == std::string::npos) {
      fail("has no table 'P={'");
    }
    at_ += 3;
    for (std::string first; next_key(first);) {
      skip_spaces();
      if (at_ < bytes_.size() && bytes_[at_] == '{') {
        ++at_;
        for (std::string second; next_key(second);) {
          take(first, second, number());
        }
      } else {
        take(first, std::string(), number());
      }
    }
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Error(Code::kInvalid, fmt::format("{}: {} (byte {})", source_, what, std::min(at_, bytes_.size())));
  }
  void skip_spaces() {
    while (at_ < bytes_.size() && (bytes_[at_] == ' ' || bytes_[at_] == '\n' || bytes_[at_] == '\r')) {
      ++at_;
    }
  }
  // The key before a colon; false at the dictionary's end.
  bool next_key(std::string& key) {
    skip_spaces();
    if (at_ < bytes_.size() && bytes_[at_] == ',') {
      ++at_;
      skip_spaces();
    }
    if (at_ >= bytes_.size()) {
      fail("ends within a table");
    }
    if (bytes_[at_] == '}') {
      ++at_;
      return false;
    }
    if (bytes_[at_++] != '\'') {
      fail("lacks a key in quotes");
    }
    key.clear();
    while (at_ < bytes_.size() && bytes_[at_] != '\'') {
      if (bytes_[at_] != '\\') {
        key += bytes_[at_++];
        continue;
      }
      const char* const begin = bytes_.data() + at_ + 2;
      uint32_t code = 0;
      if (at_ + 6 > bytes_.size() || bytes_[at_ + 1] != 'u' || std::from_chars(begin, begin + 4, code, 16).ptr != begin + 4) {
        fail("has an escape that is not \\uXXXX");
      }
      append_utf8(code, key);
      at_ += 6;
    }
    at_ += 1;
    skip_spaces();
    if (at_ >= bytes_.size() || bytes_[at_++] != ':') {
      fail("lacks a colon after a key");
    }
    return true;
  }
  double number() {
    skip_spaces();
    double value = 0;
    const auto [stop, error] = std::from_chars(bytes_.data() + at_, bytes_.data() + bytes_.size(), value);
    if (error != std::errc()) {
      fail("lacks a number");
    }
    at_ = static_cast<size_t>(stop - bytes_.data());
    return value;
  }

  std::string bytes_;
  std::string source_;
  size_t at_ = 0;
};

struct Hmm {
  double start[4];
  double transitions[16];
  std::vector<double> emissions;
};

Hmm read_hmm(const fs::path& folder) {
  constexpr double kImpossible = SegmentDictionary::kImpossible;
  Hmm hmm;
  std::fill(std::begin(hmm.start), std::end(hmm.start), kImpossible);
  std::fill(std::begin(hmm.transitions), std::end(hmm.transitions), kImpossible);
  hmm.emissions.assign(size_t{4} * (SegmentDictionary::kLastHan - SegmentDictionary::kFirstHan + 1), kImpossible);
  const auto table = [&](const char* name) {
    const fs::path path = folder / name;
    return PythonNumbers(base::read_file(path, kMaxSource), path.string());
  };
  const auto state = [&](const std::string& key) {
    const size_t at = std::string_view("BMES").find(key);
    if (key.size() != 1 || at == std::string_view::npos) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' is none of the states B, M, E, S", folder.string(), key));
    }
    return at;
  };
  table("prob_start.py").read([&](const std::string& to, const std::string&, double p) { hmm.start[state(to)] = p; });
  table("prob_trans.py").read([&](const std::string& from, const std::string& to, double p) {
    hmm.transitions[state(from) * 4 + state(to)] = p;
  });
  table("prob_emit.py").read([&](const std::string& from, const std::string& character, double p) {
    const char32_t c = character.empty() ? 0 : decode_at(character, 0).code;
    if (c >= SegmentDictionary::kFirstHan && c <= SegmentDictionary::kLastHan) {
      hmm.emissions[size_t{4} * (c - SegmentDictionary::kFirstHan) + state(from)] = p;
    }
  });
  return hmm;
}

// ---- all of it

template <class T>
void append(std::string& out, const T* values, size_t count) {
  out.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}
template <class T>
void append(std::string& out, T value) {
  append(out, &value, 1);
}

}  // namespace

std::string build_segment_dictionary(const SegmentDictionarySources& sources) {
  WordList list = read_words(sources.words);
  std::map<char32_t, uint64_t> counts;
  std::vector<uint64_t> frequencies;
  for (const Word& word : list.words) {
    for (const char32_t c : word.text) {
      ++counts[c];
    }
    if (word.frequency > 0) {
      frequencies.push_back(word.frequency);
    }
  }
  std::sort(frequencies.begin(), frequencies.end());
  frequencies.erase(std::unique(frequencies.begin(), frequencies.end()), frequencies.end());
  // Frequent characters get small numbers: siblings then lie close together.
  std::vector<std::pair<char32_t, uint64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (order.size() > 0xFFFF) {
    throw Error(Code::kInvalid, fmt::format("{}: has more than 65535 different characters", sources.words.string()));
  }
  std::unordered_map<char32_t, uint16_t> ids;
  std::vector<uint32_t> chars;
  for (const auto& [code, count] : order) {
    chars.push_back(code);
    ids[code] = static_cast<uint16_t>(chars.size());
  }
  std::vector<Key> keys;
  keys.reserve(list.words.size());
  for (const Word& word : list.words) {
    Key key;
    for (const char32_t c : word.text) {
      key.ids.push_back(ids[c]);
    }
    key.value = 0;
    if (word.frequency > 0) {
      key.value = 1 + static_cast<uint32_t>(std::lower_bound(frequencies.begin(), frequencies.end(), word.frequency) - frequencies.begin());
    }
    keys.push_back(std::move(key));
  }
  const std::vector<Node> nodes = DoubleArray().build(std::move(keys));

  Hmm hmm{};
  if (!sources.hmm.empty()) {
    hmm = read_hmm(sources.hmm);
  }
  std::string body;
  append(body, list.total);
  append(body, static_cast<uint32_t>(nodes.size()));
  append(body, static_cast<uint32_t>(chars.size()));
  append(body, static_cast<uint32_t>(frequencies.size()));
  append(body, static_cast<uint32_t>(hmm.emissions.size() / 4));
  append(body, hmm.start, 4);
  append(body, hmm.transitions, 16);
  append(body, hmm.emissions.data(), hmm.emissions.size());
  append(body, frequencies.data(), frequencies.size());
  append(body, chars.data(), chars.size());
  append(body, nodes.data(), nodes.size());
  std::string out = "SLSEGD01";
  append(out, base::xxh64(body));
  return out + body;
}

std::shared_ptr<const SegmentDictionary> cached_segment_dictionary(const SegmentDictionarySources& sources, const fs::path& folder) {
  if (folder.empty()) {
    return SegmentDictionary::from_bytes(build_segment_dictionary(sources), sources.words.string());
  }
  std::string key;
  std::vector<fs::path> files = {sources.words};
  if (!sources.hmm.empty()) {
    for (const char* name : {"prob_start.py", "prob_trans.py", "prob_emit.py"}) {
      files.push_back(sources.hmm / name);
    }
  }
  for (const fs::path& file : files) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
      throw Error(Code::kNotFound, fmt::format("there is no '{}'; Debian's package python3-jieba brings it", file.string()));
    }
    key += fmt::format("{}\n{} {} {}\n", fs::absolute(file).string(), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  const fs::path path = folder / fmt::format("{:016x}.words", base::xxh64(key));
  if (base::is_file(path)) {
    try {
      return SegmentDictionary::open(path);
    } catch (const Error& error) {
      if (error.code() != Code::kIntegrity) {
        throw;
      }
    }  // a damaged cache is no reason to fail
  }
  const std::string bytes = build_segment_dictionary(sources);
  base::make_dirs(folder);
  base::write_file_atomic(path, bytes);
  return SegmentDictionary::open(path);
}

}  // namespace slipway::text
