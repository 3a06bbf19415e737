// The body of a commit as the Hub's clients send it: a JSON object a line, the header first, then what changes. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::api {

struct HubCommitHeader {
  std::string summary;
  std::string description;
  std::string parent;  // "" when none is given
};

struct HubOperation {
  enum class Kind { kFile, kLfsFile, kDeletedFile, kDeletedFolder };
  Kind kind = Kind::kFile;
  std::string path;              // as given: not checked
  std::string content;           // of a file, decoded
  std::string digest;            // of an LFS file: "sha256:…", well formed
  std::optional<uint64_t> size;  // of an LFS file, when it is given
};

// A line of kMaxHubLine holds a file of 48 MiB; what is larger goes through LFS or Xet.
constexpr size_t kMaxHubLine = size_t{64} << 20;
constexpr size_t kMaxHubLines = 100'000;

// Gives the operations in order, one in memory at a time; returns the header. Throws base::Error(kInvalid) naming the line:
// what was given before it counts for nothing.
HubCommitHeader read_hub_commit(std::string_view body, const std::function<void(HubOperation)>& take);

}  // namespace slipway::api
