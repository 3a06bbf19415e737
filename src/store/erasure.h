// What a right to erasure needs of a store beyond its records: contents that repositories of the hub and tracked files name, and texts of
// traces, assessments and evaluation sets. Other contents and texts take their place; ids stay. Any thread; writes are durable on return.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "record/stores.h"

namespace slipway::store {

// A name that a content has.
struct NamedContent {
  std::string where;  // "hub dataset NAMESPACE/NAME", "hub model …", "files"
  std::string path;   // in the repository, or of the tracked file
  std::string digest;
  uint64_t size = 0;
  int64_t commits = 0;  // of the repository, in which the path was written so; 0 of a tracked file
};

// Where a text is: a column of a table, and the trace (or evaluation set) it belongs to.
struct StoredText {
  std::string table;   // "spans", "traces", "trace_tags", "trace_metadata", "assessments", "eval_records"
  std::string column;
  std::string owner;   // id of the trace, or name of the evaluation set
};
// Another text for it; nullopt: it stays.
using RewriteText = std::function<std::optional<std::string>(const StoredText& where, const std::string& text)>;

// All names of contents in the hub (any commit of any repository) and of tracked files. Repositories first; by where, path, digest.
std::vector<NamedContent> named_contents(record::Store& store);
// The content of `file` takes the place of `digest` under all these names; commits keep their ids. Returns the names that changed. The old
// content goes when garbage is collected.
int64_t replace_content(record::Store& store, const std::string& digest, const std::filesystem::path& file);

// Calls `rewrite` with each text of traces and evaluation sets that is not empty, in order of the rows. SQLite overwrites what is no longer
// there. Returns the rows that changed. One text in memory at a time, and those that change.
int64_t rewrite_texts(record::Store& store, const RewriteText& rewrite);

}  // namespace slipway::store
