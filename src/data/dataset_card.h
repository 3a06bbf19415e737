// Papers of a dataset's version: Croissant (MLCommons, JSON-LD, format version 1.0) and a dataset card as the Hugging Face Hub reads it
// (README.md, its metadata in YAML in front). Made of what is there: files, digests, columns. Pure but for reading the files.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "data/profile.h"

namespace slipway::data {

struct CardFacts {
  std::string name;
  std::string description;
  std::string licence;  // SPDX or a URL; "" not told
  std::string version;  // id of the commit, or the digest
  std::string message;
  std::string author;
  int64_t created_ms = 0;
};

// Files and columns; a record set for each of the first 20 files with rows.
Json croissant(const CardFacts& facts, const VersionFiles& files, base::Context& context);
std::string dataset_card(const CardFacts& facts, const VersionFiles& files, base::Context& context);

}  // namespace slipway::data
