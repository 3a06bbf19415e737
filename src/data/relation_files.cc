#include "data/relation_files.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/input.h"
#include "text/tag_scheme.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using base::Json;

[[noreturn]] void refuse(const std::string& where, const std::string& why) { throw Error(Code::kInvalid, fmt::format("{}: {}", where, why)); }

// Calls take(line, number) for each line, without its end.
void for_lines(std::string_view text, const std::string& source, const std::function<void(std::string_view line, uint64_t number)>& take) {
  for (uint64_t number = 1; !text.empty(); ++number) {
    const size_t feed = text.find('\n');
    std::string_view line = text.substr(0, feed);
    text = feed == std::string_view::npos ? std::string_view() : text.substr(feed + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!text::is_valid_utf8(line)) {
      refuse(fmt::format("{}:{}", source, number), "is not UTF-8");
    }
    take(line, number);
  }
}

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "['Live_In', 'Kill']" or "[8, 22]": what stands between commas, without quotes.
std::vector<std::string_view> list_of(std::string_view text, const std::string& where) {
  text = trim(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    refuse(where, fmt::format("'{}' is no list in brackets", text));
  }
  text = text.substr(1, text.size() - 2);
  std::vector<std::string_view> items;
  while (!trim(text).empty()) {
    const size_t comma = text.find(',');
    std::string_view item = trim(text.substr(0, comma));
    if (item.size() >= 2 && (item.front() == '\'' || item.front() == '"') && item.back() == item.front()) {
      item = item.substr(1, item.size() - 2);
    }
    items.push_back(item);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return items;
}

// A sentence of columns: relations name the last tokens of their entities.
class ColumnSentence {
 public:
  explicit ColumnSentence(const std::string& source) : source_(source) {}

  void add(std::string_view line, uint64_t number) {
    std::vector<std::string_view> columns;
    for (size_t at = 0; at != std::string_view::npos;) {
      const size_t tab = line.find('\t', at);
      columns.push_back(line.substr(at, tab - at));
      at = tab == std::string_view::npos ? tab : tab + 1;
    }
    const std::string where = fmt::format("{}:{}", source_, number);
    if (columns.size() < 5 || columns[1].empty()) {
      refuse(where, "has not the five columns index, token, tag, relations, heads");
    }
    if (tokens_.size() == kMaxSentenceTokens) {
      refuse(where, fmt::format("a sentence has more than {} tokens; is a '#doc' line missing?", kMaxSentenceTokens));
    }
    const std::vector<std::string_view> types = list_of(columns[3], where);
    const std::vector<std::string_view> heads = list_of(columns[4], where);
    if (types.size() != heads.size()) {
      refuse(where, fmt::format("has {} relations and {} heads", types.size(), heads.size()));
    }
    for (size_t i = 0; i < types.size(); ++i) {
      size_t to = 0;
      if (std::from_chars(heads[i].data(), heads[i].data() + heads[i].size(), to).ec != std::errc()) {
        refuse(where, fmt::format("the head '{}' is no number", heads[i]));
      }
      if (types[i].empty()) {
        refuse(where, "a relation has no type");
      }
      if (types[i] != "N") {
        links_.push_back({tokens_.size(), to, std::string(types[i]), number});
      }
    }
    tokens_.emplace_back(columns[1]);
    tags_.emplace_back(columns[2]);
  }

  void close(std::vector<RelationSentence>& out) {
    if (!tokens_.empty()) {
      RelationSentence sentence;
      const std::vector<std::string_view> tags(tags_.begin(), tags_.end());
      std::vector<text::TagSpan> spans;
      text::spans_of_tags(tags, spans);
      std::map<size_t, size_t> by_end;
      for (const text::TagSpan& span : spans) {
        by_end[span.end - 1] = sentence.entities.size();
        sentence.entities.push_back({span.begin, span.end, std::string(span.type)});
      }
      for (const Link& link : links_) {
        const auto head = by_end.find(link.from);
        const auto tail = by_end.find(link.to);
        if (head == by_end.end() || tail == by_end.end() || head == tail) {
          refuse(fmt::format("{}:{}", source_, link.line), fmt::format("the relation {} is not between the last tokens of two entities", link.type));
        }
        sentence.relations.push_back({head->second, tail->second, link.type});
      }
      sentence.tokens = std::move(tokens_);
      out.push_back(std::move(sentence));
    }
    tokens_.clear();
    tags_.clear();
    links_.clear();
  }

 private:
  struct Link {
    size_t from;
    size_t to;
    std::string type;
    uint64_t line;
  };
  const std::string& source_;
  std::vector<std::string> tokens_;
  std::vector<std::string> tags_;
  std::vector<Link> links_;
};

std::vector<RelationSentence> parse_columns(std::string_view text, const std::string& source) {
  std::vector<RelationSentence> out;
  ColumnSentence sentence(source);
  for_lines(text, source, [&](std::string_view line, uint64_t number) {
    if (line.starts_with("#doc") || trim(line).empty()) {
      sentence.close(out);
    } else {
      sentence.add(line, number);
    }
  });
  sentence.close(out);
  return out;
}

struct Word {
  size_t begin;  // characters
  size_t end;
};

// Runs of letters and digits are words, any other character but white space is one of its own.
void split(std::string_view text, std::vector<std::string>& tokens, std::vector<Word>& words) {
  size_t character = 0;
  bool run = false;
  for (size_t at = 0; at < text.size(); ++character) {
    const text::Decoded d = text::decode_at(text, at);
    const bool part = (text::is_letter(d.code) || text::is_number(d.code) || text::is_mark(d.code)) && !text::is_cjk_ideograph(d.code);
    if (part && run) {
      tokens.back().append(text, at, d.size);
      words.back().end = character + 1;
    } else if (!text::is_whitespace(d.code)) {
      tokens.emplace_back(text.substr(at, d.size));
      words.push_back({character, character + 1});
    }
    run = part;
    at += d.size;
  }
}

// The words that a span of characters touches.
RelationEntity touched(const std::vector<Word>& words, size_t begin, size_t end, const std::string& where) {
  RelationEntity entity;
  entity.begin = static_cast<size_t>(std::partition_point(words.begin(), words.end(), [&](const Word& w) { return w.end <= begin; }) - words.begin());
  entity.end = static_cast<size_t>(std::partition_point(words.begin(), words.end(), [&](const Word& w) { return w.begin < end; }) - words.begin());
  if (begin >= end || entity.begin >= entity.end) {
    refuse(where, fmt::format("the entity from {} to {} has no words", begin, end));
  }
  return entity;
}

std::vector<RelationSentence> parse_marked(std::string_view text, const std::string& source) {
  std::vector<RelationSentence> out;
  for_lines(text, source, [&](std::string_view line, uint64_t number) {
    if (trim(line).empty()) {
      return;
    }
    const std::string where = fmt::format("{}:{}", source, number);
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) {
      refuse(where, "has not a label, a tab and a text");
    }
    std::string_view label = line.substr(0, tab);
    std::string plain;
    size_t places[4] = {};
    size_t found = 0;
    constexpr std::string_view kMarks[] = {"<e1>", "</e1>", "<e2>", "</e2>"};
    for (std::string_view rest = line.substr(tab + 1); !rest.empty();) {
      const auto* const mark = std::find_if(std::begin(kMarks), std::end(kMarks), [&](std::string_view m) { return rest.starts_with(m); });
      if (mark == std::end(kMarks)) {
        plain += rest.front();
        rest.remove_prefix(1);
        continue;
      }
      plain += ' ';  // a mark may touch a word
      places[mark - std::begin(kMarks)] = text::count_code_points(plain);
      ++found;
      rest.remove_prefix(mark->size());
    }
    if (found != 4) {
      refuse(where, "has not <e1>…</e1> and <e2>…</e2>, each once");
    }
    RelationSentence sentence;
    std::vector<Word> words;
    split(plain, sentence.tokens, words);
    if (sentence.tokens.size() > kMaxSentenceTokens) {
      refuse(where, fmt::format("has more than {} words", kMaxSentenceTokens));
    }
    sentence.entities.push_back(touched(words, places[0], places[1], where));
    sentence.entities.push_back(touched(words, places[2], places[3], where));
    constexpr size_t kDirection = std::string_view("(e1,e2)").size();
    const bool turned = label.ends_with("(e2,e1)");
    if (label.size() > kDirection && (turned || label.ends_with("(e1,e2)"))) {
      sentence.relations.push_back({turned ? size_t{1} : size_t{0}, turned ? size_t{0} : size_t{1}, std::string(label.substr(0, label.size() - kDirection))});
    } else if (label != "Other") {
      refuse(where, fmt::format("the label '{}' does not end in (e1,e2) or (e2,e1) and is not Other", label));
    }
    out.push_back(std::move(sentence));
  });
  return out;
}

// The entities of a JSON line that its relations name by number or by place.
// A member that is a whole number from 0: one with a point may be beyond any integer.
size_t place_in(const Json& json, const char* key, const std::string& where) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (found == json.end() || !found->is_number_unsigned()) {
    refuse(where, fmt::format("'{}' is missing, or no whole number from 0", key));
  }
  return found->get<size_t>();
}

void read_json_relations(const Json& row, const std::string& where, const std::map<int64_t, size_t>& ids, RelationSentence& sentence) {
  const auto list = row.find("relations");
  if (list == row.end() || list->is_null()) {
    return;
  }
  if (!list->is_array()) {
    refuse(where, "'relations' is no list");
  }
  for (const Json& one : *list) {
    Relation relation;
    const auto place = [&](const char* id, const char* index) -> size_t {
      if (one.is_object() && one.contains(id)) {
        const auto found = one[id].is_number_integer() ? ids.find(one[id].get<int64_t>()) : ids.end();
        if (found == ids.end()) {
          refuse(where, fmt::format("'{}' of a relation names no entity", id));
        }
        return found->second;
      }
      return place_in(one, index, where);
    };
    relation.head = place("from_id", "head");
    relation.tail = place("to_id", "tail");
    relation.type = base::get<std::string>(one, "type", where);
    if (relation.head >= sentence.entities.size() || relation.tail >= sentence.entities.size() || relation.head == relation.tail || relation.type.empty()) {
      refuse(where, "a relation is between two entities of the line and has a type");
    }
    sentence.relations.push_back(std::move(relation));
  }
}

}  // namespace

RelationFormat relation_format(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const std::string_view line = begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find('\n', begin) - begin);
  return line.starts_with('{') ? RelationFormat::kJson : line.find("<e1>") != std::string_view::npos ? RelationFormat::kMarked : RelationFormat::kColumns;
}

RelationSentence relation_sentence(const Json& row, const std::string& where) {
  RelationSentence sentence;
  std::vector<Word> words;
  const bool tokens = row.is_object() && row.contains("tokens");
  if (tokens) {
    sentence.tokens = base::get<std::vector<std::string>>(row, "tokens", where);
  } else {
    split(base::get<std::string>(row, "text", where), sentence.tokens, words);
  }
  const Json entities = base::get<Json>(row, "entities", where);
  if (!entities.is_array() || entities.size() > kMaxSentenceEntities || sentence.tokens.size() > kMaxSentenceTokens) {
    refuse(where, fmt::format("'entities' is no list of at most {}, or there are more than {} words", kMaxSentenceEntities, kMaxSentenceTokens));
  }
  std::map<int64_t, size_t> ids;
  for (const Json& one : entities) {
    RelationEntity entity;
    if (tokens) {
      entity.begin = place_in(one, "begin", where);
      entity.end = place_in(one, "end", where);
      if (entity.begin >= entity.end || entity.end > sentence.tokens.size()) {
        refuse(where, fmt::format("the entity from {} to {} is not in the sentence", entity.begin, entity.end));
      }
    } else {
      entity = touched(words, place_in(one, "start_offset", where), place_in(one, "end_offset", where), where);
    }
    entity.type = base::get_or<std::string>(one, "label", "", where);
    if (const auto id = one.find("id"); id != one.end() && id->is_number_integer()) {
      ids[id->get<int64_t>()] = sentence.entities.size();
    }
    sentence.entities.push_back(std::move(entity));
  }
  read_json_relations(row, where, ids, sentence);
  return sentence;
}

std::vector<RelationSentence> parse_relations(std::string_view text, const std::string& source) {
  switch (relation_format(text)) {
    case RelationFormat::kColumns: return parse_columns(text, source);
    case RelationFormat::kMarked: return parse_marked(text, source);
    case RelationFormat::kJson: break;
  }
  std::vector<RelationSentence> out;
  for_lines(text, source, [&](std::string_view line, uint64_t number) {
    if (!trim(line).empty()) {
      const std::string where = fmt::format("{}:{}", source, number);
      out.push_back(relation_sentence(base::parse_json(line, where), where));
    }
  });
  return out;
}

std::vector<RelationSentence> read_relations(const std::filesystem::path& file) {
  constexpr size_t kMaxFile = size_t{4} << 30U;
  return parse_relations(base::read_decompressed(file, kMaxFile), file.string());
}

}  // namespace slipway::data
