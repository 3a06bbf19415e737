// Sentences with entities and relations, from files of four kinds, told by their first lines: columns as of CoNLL04 ("#doc ID", then index,
// token, BIO tag, list of relations, list of heads), lines of SemEval-2010 task 8 (label, tab, text with <e1>, <e2>), JSON lines with
// "text", "entities", "relations" as doccano writes them, and JSON lines with "tokens" and "entities" as `slipway tag --json` does.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::data {

struct RelationEntity {
  size_t begin = 0;  // tokens, half-open
  size_t end = 0;
  std::string type;
};
struct Relation {
  size_t head = 0;  // indices of entities
  size_t tail = 0;
  std::string type;
};
struct RelationSentence {
  std::vector<std::string> tokens;
  std::vector<RelationEntity> entities;
  std::vector<Relation> relations;
};

enum class RelationFormat { kColumns, kMarked, kJson };

// Limits of one sentence; beyond them it is refused.
constexpr size_t kMaxSentenceTokens = 65536;
constexpr size_t kMaxSentenceEntities = 4096;

RelationFormat relation_format(std::string_view text);
// All sentences of a file. Throws Error(kInvalid) naming `source` and line, Error(kNotFound).
std::vector<RelationSentence> read_relations(const std::filesystem::path& file);
std::vector<RelationSentence> parse_relations(std::string_view text, const std::string& source);
// One JSON line; of "text" words are runs of letters and digits, other characters stand alone, offsets are in characters.
RelationSentence relation_sentence(const base::Json& row, const std::string& where);

}  // namespace slipway::data
