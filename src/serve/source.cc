#include "serve/source.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::serve {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

// A file without its ending, a folder as it is called.
std::string name_of(const std::string& reference) {
  const fs::path path = fs::weakly_canonical(reference);
  return fs::is_directory(path) ? path.filename().string() : path.stem().string();
}

}  // namespace

std::string Source::display() const { return version > 0 ? fmt::format("{}/{}", model, version) : model; }

std::string Source::version_text() const { return std::to_string(std::max(1, version)); }

Source Sources::locate(const std::string& reference, const std::string& precision) const {
  Source source;
  source.reference = reference;
  if (hub::is_address(reference)) {
    if (hub_ == nullptr) {
      throw Error(Code::kInvalid, fmt::format("'{}' cannot be fetched here; name a model folder", reference));
    }
    const hub::Snapshot snapshot = hub_->locate(reference);
    const hub::Address address = hub::parse_address(reference);
    source.model = address.name.substr(address.name.find('/') + 1);  // all of it where there is no '/'
    source.digest = snapshot.commit;
    source.path = snapshot.path;
    return source;
  }
  if (!reference.starts_with("models:")) {
    if (!fs::is_directory(reference) && !fs::is_regular_file(reference)) {
      throw Error(Code::kNotFound,
                  fmt::format("'{}' is neither a model folder, nor a .gguf file, nor one of word vectors, nor "
                              "a reference like models:/NAME@ALIAS, models:/NAME/3 or hf://NS/NAME",
                              reference));
    }
    source.model = name_of(reference);
    source.path = reference;
    return source;
  }
  const record::ModelReference parsed = record::parse_model_reference(reference);
  if (store_ == nullptr) {
    throw Error(Code::kInvalid, fmt::format("'{}' needs a store; serve a model folder without one", reference));
  }
  const record::ModelVersion version = store_->registry().resolve(reference);
  const auto& artifacts = version.artifacts;
  const bool int8 = precision != "float32" && artifacts.contains("int8");
  const auto found = artifacts.find(int8 ? "int8" : "model");
  if (found == artifacts.end()) {
    throw Error(Code::kNotFound, fmt::format("{}/{} has no artifact 'model' to serve", version.model, version.version));
  }
  source.model = version.model;
  source.version = version.version;
  source.alias = parsed.alias;
  source.digest = found->second;
  source.path = lay_out(found->second);
  return source;
}

bool Sources::moved(const Source& source) const {
  if (store_ == nullptr || source.alias.empty()) {
    return false;
  }
  const auto alias = store_->registry().find_alias(source.model, source.alias);
  return alias && alias->version != source.version;
}

// Laid out beside and renamed, so that a folder that is there is whole.
fs::path Sources::lay_out(const std::string& digest) const {
  if (!base::is_digest(digest)) {
    throw Error(Code::kIntegrity, fmt::format("'{}' is not a digest", digest));
  }
  fs::path folder = store_folder_ / "models" / digest.substr(digest.find(':') + 1);
  if (!fs::exists(folder)) {
    const fs::path fresh = folder.string() + "." + record::new_id();
    base::make_dirs(folder.parent_path());
    store_->artifacts().checkout(digest, fresh, true);
    std::error_code error;
    fs::rename(fresh, folder, error);
    if (error) {
      fs::remove_all(fresh);  // another process was first
    }
  }
  return folder;
}

}  // namespace slipway::serve
