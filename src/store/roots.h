// What must be told of every table so that nothing is forgotten: which columns name blobs, and which rows belong to a run or an
// experiment. One list each; tests/store/gc_test.cc holds them to the schema, so a new table is not overlooked.
#pragma once

#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "store/blobs.h"
#include "store/database.h"

namespace slipway::store {

// A column with digests of blobs that must stay. An empty text and NULL name none.
struct BlobColumn {
  const char* table;
  const char* column;
  const char* folder;  // column that is 1 where the blob is a listing, whose files must stay too; null: never
};
std::span<const BlobColumn> blob_columns();

// Rows that go with the row of `owner` whose `number` is their `column`.
struct OwnedRows {
  const char* table;
  const char* column;
  const char* owner;
};
std::span<const OwnedRows> owned_rows();

struct Named {
  std::unordered_set<std::string> digests;
  int64_t artifacts = 0;
  std::vector<std::string> problems;  // listings that cannot be read
};
// All that rows, and the listings they name, say is there; without the names of files below `without` ("0/RUN/").
Named named_blobs(Database& database, const Blobs& blobs, const std::unordered_set<std::string>& without = {});

}  // namespace slipway::store
