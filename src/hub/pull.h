// Files of a repository brought into a folder, several at once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "hub/client.h"

namespace slipway::hub {

// Those whose path is one of the patterns (fnmatch: * and ? also match '/'); all without patterns.
std::vector<RemoteFile> matching(std::vector<RemoteFile> files, const std::vector<std::string>& patterns);

// Those that a model is run from: without the weights in other formats when there are safetensors, without runs' logs and
// pictures. All when that leaves none.
std::vector<RemoteFile> model_files(std::vector<RemoteFile> files);

uint64_t total_size(const std::vector<RemoteFile>& files) noexcept;

struct Pull {
  const Address& address;
  const std::string& commit;
  const std::vector<RemoteFile>& files;
  std::filesystem::path folder;
  int parallel = 4;  // connections
};

// The first failure stops the others; what has come is kept, and the same call goes on from there. Throws as download().
void pull(const ClientOptions& options, const Pull& what, base::Progress& progress);

}  // namespace slipway::hub
