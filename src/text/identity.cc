#include "text/identity.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/random.h"
#include "text/identity_lists.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::text {
namespace {

bool contains(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Lookup tables over the lists, built once and then only read.
struct Tables {
  std::unordered_map<std::string_view, std::string_view> group_of_term;  // one- and two-word terms, and Chinese ones
  std::vector<std::string_view> chinese_terms;                           // longest first
  std::unordered_map<std::string_view, std::string_view> counterpart;    // English
  std::unordered_map<std::string_view, std::string_view> group_of_name;  // the first list that has it
  std::vector<std::string_view> groups;
  std::vector<std::string_view> name_groups;

  Tables() {
    std::set<std::string_view> all;
    for (const GroupTerm& term : group_terms()) {
      group_of_term.emplace(term.term, term.group);
      all.insert(term.group);
      if (static_cast<unsigned char>(term.term[0]) >= 0x80) {
        chinese_terms.push_back(term.term);
      }
    }
    std::stable_sort(chinese_terms.begin(), chinese_terms.end(),
                     [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
    groups.assign(all.begin(), all.end());
    for (const GenderPair& pair : gender_pairs()) {
      counterpart.emplace(pair.female, pair.male);
      counterpart.emplace(pair.male, pair.female);
    }
    counterpart.emplace("mrs", "mr");
    counterpart.emplace("miss", "mr");
    counterpart.emplace("mum", "dad");
    counterpart.emplace("him", "her");
    counterpart["his"] = "her";
    for (const NameList& list : name_lists()) {
      name_groups.push_back(list.group);
      for (const std::string_view name : list.names) {
        group_of_name.emplace(name, list.group);
      }
    }
  }
};

const Tables& tables() {
  static const Tables built;
  return built;
}

bool is_han(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]) >= 0xE3 && is_cjk_ideograph(decode_at(text, at).code);
}

// The word in the case of `model`: "HE" -> "SHE", "He" -> "She".
std::string in_case_of(std::string_view word, std::string_view model) {
  std::string out(word);
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto raise = [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); };
  const bool all =
      model.size() > 1 && std::none_of(model.begin(), model.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (all) {
    std::transform(out.begin(), out.end(), out.begin(), raise);
  } else if (!model.empty() && upper(model[0])) {
    out[0] = raise(out[0]);
  }
  return out;
}

// A word's own part before an apostrophe: "she's" -> "she", "woman's" -> "woman".
std::string_view stem(std::string_view word) {
  const size_t straight = word.find('\'');
  const size_t curly = word.find("\xE2\x80\x99");
  return word.substr(0, std::min({straight, curly, word.size()}));
}

// "her" before a noun is "his", elsewhere "him": told by the next word.
std::string_view swap_her(std::string_view text, const std::vector<Span>& words, size_t at) {
  if (at + 1 >= words.size()) {
    return "him";
  }
  const std::string_view gap = text.substr(words[at].end, words[at + 1].begin - words[at].end);
  if (gap.find_first_not_of(" \t") != std::string_view::npos) {
    return gap.find_first_of("\"'(") != std::string_view::npos ? "his" : "him";
  }
  return contains(words_after_object(), lowercase(slice(text, words[at + 1]))) ? "him" : "his";
}

bool starts_sentence(std::string_view text, size_t at) {
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '"' || text[at - 1] == '\'' || text[at - 1] == '(')) {
    --at;
  }
  return at == 0 || text[at - 1] == '.' || text[at - 1] == '!' || text[at - 1] == '?' || text[at - 1] == '\n';
}

bool begins_upper(std::string_view word) { return !word.empty() && word.front() >= 'A' && word.front() <= 'Z'; }

// "miss" is a title only as in "Miss Marple", and not in "hit and miss", "Miss it and weep".
bool is_missed(std::string_view text, const std::vector<Span>& words, size_t at, std::string_view lower) {
  return lower == "miss" && !(begins_upper(slice(text, words[at])) && at + 1 < words.size() &&
                              begins_upper(slice(text, words[at + 1])) && !starts_sentence(text, words[at + 1].begin));
}

// The group of the name `word`, or empty; `at` is where it stands.
std::string_view name_group(std::string_view text, size_t at, std::string_view word) {
  const auto it = tables().group_of_name.find(word);
  if (it == tables().group_of_name.end()) {
    return {};
  }
  return contains(ambiguous_names(), word) && starts_sentence(text, at) ? std::string_view() : it->second;
}

}  // namespace

std::vector<std::string> mentioned_groups(std::string_view text) {
  const Tables& t = tables();
  std::set<std::string_view> found;
  std::vector<Span> words;
  split_words(text, words);
  std::string previous;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = slice(text, words[i]);
    if (is_han(text, words[i].begin)) {
      for (const std::string_view term : t.chinese_terms) {
        if (text.compare(words[i].begin, term.size(), term) == 0) {
          // 他 in 其他 (other) is no person.
          const bool other = term == "他" && text.substr(0, words[i].begin).ends_with("其");
          if (!other) {
            found.insert(t.group_of_term.at(term));
          }
          const size_t end = words[i].begin + term.size();
          while (i + 1 < words.size() && words[i + 1].begin < end) {
            ++i;
          }
          break;
        }
      }
      previous.clear();
      continue;
    }
    const std::string whole = lowercase(word);
    const std::string lower = lowercase(stem(word));
    const bool missed = is_missed(text, words, i, lower);
    for (const std::string& key : {whole, lower, previous + " " + lower}) {
      const auto it = t.group_of_term.find(key);
      if (it != t.group_of_term.end() && !missed) {
        found.insert(it->second);
      }
    }
    previous = lower;
  }
  return {found.begin(), found.end()};
}

std::span<const std::string_view> all_groups() { return tables().groups; }

std::optional<std::string> swap_gender(std::string_view text) {
  const Tables& t = tables();
  std::vector<Span> words;
  split_words(text, words);
  std::string out;
  size_t done = 0;
  bool swapped = false;
  const auto replace = [&](size_t begin, size_t end, std::string_view with) {
    out.append(text, done, begin - done);
    out += with;
    done = end;
    swapped = true;
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t begin = words[i].begin;
    if (begin < done) {
      continue;  // the rest of a Chinese term
    }
    if (is_han(text, begin)) {
      for (const GenderPair& pair : chinese_gender_pairs()) {
        const bool female = text.compare(begin, pair.female.size(), pair.female) == 0;
        const bool male = !female && text.compare(begin, pair.male.size(), pair.male) == 0;
        const bool other = male && pair.male == "他" && text.substr(0, begin).ends_with("其");
        if ((female || male) && !other) {
          const std::string_view from = female ? pair.female : pair.male;
          replace(begin, begin + from.size(), female ? pair.male : pair.female);
          break;
        }
      }
      continue;
    }
    const std::string_view word = stem(slice(text, words[i]));
    const std::string lower = lowercase(word);
    if (lower == "her") {
      replace(begin, begin + word.size(), in_case_of(swap_her(text, words, i), word));
    } else if (const auto it = t.counterpart.find(lower);
               it != t.counterpart.end() && !is_missed(text, words, i, lower)) {
      replace(begin, begin + word.size(), in_case_of(it->second, word));
    }
  }
  if (!swapped) {
    return std::nullopt;
  }
  out.append(text, done, text.size() - done);
  return out;
}

std::span<const std::string_view> names_of(std::string_view group) {
  for (const NameList& list : name_lists()) {
    if (list.group == group) {
      return list.names;
    }
  }
  return {};
}

std::span<const std::string_view> name_groups() { return tables().name_groups; }

std::optional<std::string> replace_names(std::string_view text, std::string_view group, uint64_t seed) {
  std::vector<Span> words;
  split_words(text, words);
  std::unordered_map<std::string_view, std::string_view> chosen;
  std::set<std::string_view> used;
  base::Rng rng(seed, group);
  std::string out;
  size_t done = 0;
  for (const Span span : words) {
    const std::string_view word = stem(slice(text, span));
    const std::string_view own = name_group(text, span.begin, word);
    if (own.empty()) {
      continue;
    }
    auto it = chosen.find(word);
    if (it == chosen.end()) {
      std::span<const std::string_view> names = names_of(group);
      if (names.empty()) {
        const bool female = own.ends_with("female");
        names = names_of(std::string(group) + (female ? ":female" : ":male"));
      }
      if (names.empty()) {
        return std::nullopt;
      }
      std::string_view pick = names[rng.below(names.size())];
      for (size_t tries = 0; tries < 4 && (used.contains(pick) || pick == word); ++tries) {
        pick = names[rng.below(names.size())];
      }
      used.insert(pick);
      it = chosen.emplace(word, pick).first;
    }
    out.append(text, done, span.begin - done);
    out += it->second;
    done = span.begin + word.size();
  }
  if (chosen.empty()) {
    return std::nullopt;
  }
  out.append(text, done, text.size() - done);
  return out;
}

}  // namespace slipway::text
