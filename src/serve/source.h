// Where a model comes from: a folder, a .gguf file, a file of word vectors, a version of the registry, laid out as a folder
// under the store, or a repository of a hub, laid out in the cache. Any thread.
#pragma once

#include <filesystem>
#include <string>

#include "hub/snapshots.h"
#include "record/stores.h"

namespace slipway::serve {

struct Source {
  std::string reference;       // as asked for
  std::string model;           // registered name, the repository's, or the folder's or file's
  int version = 0;             // 0 for a folder or file
  std::string alias;           // that the reference names, or ""
  std::string digest;          // of the artifact, or the hub's commit; empty for a folder or file
  std::filesystem::path path;  // what to load

  // "movie-sentiment/3"; the name alone for a folder.
  std::string display() const;
  // What protocols show: "3", or "1" for a folder.
  std::string version_text() const;
};

class Sources {
 public:
  // The store is borrowed; null: folders and files only. Versions are laid out under `store_folder`/models/, named by
  // digest: immutable, and shared by every process that serves the same version. `hub` null: no hf://….
  Sources(record::Store* store, std::filesystem::path store_folder, std::shared_ptr<const hub::Snapshots> hub)
      : store_(store), store_folder_(std::move(store_folder)), hub_(std::move(hub)) {}

  // `precision`: the int8 weights where a version has them, unless it is "float32". hf://… is fetched when it is not here.
  // Throws Error(kNotFound | kInvalid) saying what the reference must be, or what there is; as hub::Snapshots::locate.
  Source locate(const std::string& reference, const std::string& precision) const;
  // Whether the alias that `source` came by points to another version now. Throws what the store throws.
  bool moved(const Source& source) const;

 private:
  std::filesystem::path lay_out(const std::string& digest) const;

  record::Store* store_;
  std::filesystem::path store_folder_;
  std::shared_ptr<const hub::Snapshots> hub_;
};

}  // namespace slipway::serve
