// Where a served model comes from: a folder, a .gguf file, a file of word vectors, or a version of the registry, laid
// out as a folder under the store. Any thread.
#pragma once

#include <filesystem>
#include <string>

#include "record/stores.h"

namespace slipway::serve {

struct Source {
  std::string reference;       // as asked for
  std::string model;           // registered name, or the folder's or file's
  int version = 0;             // 0 for a folder or file
  std::string alias;           // that the reference names, or ""
  std::string digest;          // of the artifact; empty for a folder or file
  std::filesystem::path path;  // what to load

  // "movie-sentiment/3"; the name alone for a folder.
  std::string display() const;
  // What protocols show: "3", or "1" for a folder.
  std::string version_text() const;
};

class Sources {
 public:
  // The store is borrowed; null: folders and files only. Versions are laid out under `store_folder`/models/, named by
  // digest: immutable, and shared by every process that serves the same version.
  Sources(record::Store* store, std::filesystem::path store_folder)
      : store_(store), store_folder_(std::move(store_folder)) {}

  // `precision`: the int8 weights where a version has them, unless it is "float32". Throws Error(kNotFound | kInvalid)
  // saying what the reference must be, or what there is.
  Source locate(const std::string& reference, const std::string& precision) const;
  // Whether the alias that `source` came by points to another version now. Throws what the store throws.
  bool moved(const Source& source) const;

 private:
  std::filesystem::path lay_out(const std::string& digest) const;

  record::Store* store_;
  std::filesystem::path store_folder_;
};

}  // namespace slipway::serve
