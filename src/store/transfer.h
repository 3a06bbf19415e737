// All of a store as one folder or one file, and a store from it. docs/formats/export.md.
//
// A store is not changed by its export, which is one state of it however many write meanwhile. An import makes a store where none
// is: it appears whole or not at all; what an interrupted one left is used by the next. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "store/store.h"

namespace slipway::store {

struct TransferReport {
  int64_t tables = 0;
  int64_t rows = 0;
  int64_t blobs = 0;
  uint64_t bytes = 0;       // of the blobs
  int64_t sealed = 0;       // of an export: secrets of webhooks, which open with the store's key alone
  int64_t plain = 0;        // and those that no server of this version has sealed yet
  int64_t blobs_there = 0;  // of them, that an earlier attempt had brought
  bool already = false;     // of an import: this very export was imported there before
};

struct TransferOptions {
  // Told now and then: blobs done, of how many (0: unknown).
  std::function<void(int64_t, int64_t)> progress;
};

// To `target`: a file when its name ends in ".tar.zst", else a folder, in which an interrupted export goes on. Throws kNotFound
// when there is no store, kConflict when the file is there or the folder is something else, kIntegrity when a blob is missing.
TransferReport export_store(const std::filesystem::path& folder, const std::filesystem::path& target,
                            const TransferOptions& options = {}, const StoreOptions& store = {});

// From an export of this or an older version. Throws kConflict when `folder` has a store of other origin, kIntegrity for what
// does not have its digest, kInvalid for what is not an export, was written by a newer Slipway, or passes a limit. The rows come to lie in SQLite.
TransferReport import_store(const std::filesystem::path& source, const std::filesystem::path& folder,
                            const TransferOptions& options = {});

}  // namespace slipway::store
