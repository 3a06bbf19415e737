// One document taken out of files: found by the key of its row or the digest of its text, in rows, in documents of JSON, and anywhere as
// bytes. Nothing here knows the store: the caller goes through its files (cli: `slipway data forget`).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "data/row_diff.h"

namespace slipway::data {

// What is looked for.
struct ForgetTarget {
  std::vector<std::string> fields;  // that may hold the key: "id"
  std::string key;                  // "": by text alone
  std::string text_field = "text";
  std::set<std::string> text_digests;  // "sha256:…" of texts: those asked for, and those of the rows that were found
  std::vector<std::string> texts;      // the same texts, where they are known: looked for as bytes

  // Whether a row is the document's. Numbers are keys as they are written.
  bool matches(const Json& row) const;
  // Adds the row's text, so that copies of it under other keys are found, too.
  void learn(const Json& row);
};

// Texts shorter than this are not looked for as bytes: other documents may have them by chance.
inline constexpr size_t kMinSearchedBytes = 20;

struct FoundRow {
  std::string at;  // "FILE:LINE"
  Json row;
};

// The rows of one file that are the document's; none for a file without rows.
std::vector<FoundRow> find_rows(const std::filesystem::path& place, const std::string& name, const ForgetTarget& target);
// How often a text of the target is in the file, as it is or as JSON writes it; through zstd and gzip. Files that are damaged count as none.
int64_t count_texts(const std::filesystem::path& place, const ForgetTarget& target);
// The file without the document's rows, compressed as before. 
int64_t write_without(const std::filesystem::path& place, const std::string& name, const ForgetTarget& target, const std::filesystem::path& out);
// Takes objects that are the document's out of the lists of a JSON document, and texts that hold its text out of everything ("[forgotten]"
// in their place). Returns how many.
int64_t scrub_json(Json& document, const ForgetTarget& target);
// Puts "[forgotten]" in the place of the target's texts in a text file, plain or as JSON or HTML writes them. Returns how many.
int64_t scrub_text(std::string& text, const ForgetTarget& target);

// A text of the record: plain, or JSON, in whose strings there may be JSON again; also one that was cut within the target's text. Returns
// how much of it is now "[forgotten]".
int64_t scrub_stored_text(std::string& text, const ForgetTarget& target);

struct RewrittenShard {
  std::filesystem::path place;
  std::vector<Json> removed;  // rows
};
// A dataset's manifest (docs/formats/dataset.md) as it is for shards that lost rows, by their names. The statistics of words stay as they were:
// they tell of no document.
void rewrite_manifest(Json& manifest, const std::map<std::string, RewrittenShard>& shards);

}  // namespace slipway::data
