// YAML to Json, for configuration that people write: libyaml's parser with the YAML 1.2 core schema for plain scalars
// (true, null, 12, 0x1f, 1.5, .inf), and limits on size, depth and node count, so that no alias can blow up memory.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::base {

struct YamlLimits {
  size_t max_bytes = size_t{4} << 20;
  int max_depth = 64;
  size_t max_nodes = 200000;  // counted again for each use of an alias
};

struct YamlDocument {
  Json value;
  // JSON pointer of every mapping value and sequence entry -> 1-based line, for messages.
  std::map<std::string, int> lines;
  // "FILE:LINE" of the pointer, or FILE alone when it is not there.
  std::string where(std::string_view source, const std::string& pointer) const;
};

// One document; an empty text is an empty object. Throws Error(kInvalid) naming `source`, line and column for a syntax
// error, a duplicate key, a key that is not text, a second document, or a limit that was passed.
YamlDocument parse_yaml(std::string_view text, std::string_view source, const YamlLimits& limits = {});

}  // namespace slipway::base
