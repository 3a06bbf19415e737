// One file of a repository brought to its place. What has come is kept under `NAME.OID.partial` and goes on from there next
// time, after a kill too; nothing is under its name before its digest was verified and it is on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "hub/client.h"

namespace slipway::hub {

struct Download {
  const Address& address;
  const std::string& commit;
  const RemoteFile& file;
  std::filesystem::path target;  // its folder is made
};

// `progress` gets bytes as they come, and at once those that are there already; negative when what was there is no good.
// Several processes may want the same file: one fetches it, the others wait. Throws Error(kIntegrity) when the endpoint sends other bytes than it says, kInterrupted,
// kUnavailable (full disk, no answer after the client's attempts without a byte), else as Client::read.
void download(Client& client, const Download& what, const std::function<void(int64_t)>& progress);

// Whether `path` has the content of `file`. Reads all of it.
bool is_file_content(const std::filesystem::path& path, const RemoteFile& file);

}  // namespace slipway::hub
