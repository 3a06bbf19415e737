// What hf://… means as a path: the files of one commit in a folder of the cache, fetched when they are not there.
//
//   FOLDER/models--NS--NAME/COMMIT/…         the files, each there only when it is whole
//   FOLDER/models--NS--NAME/COMMIT.json      what the commit has
//   FOLDER/models--NS--NAME/refs/REVISION    the commit that a revision was when it was last asked
//
// A commit never changes: one that is there is used without asking anybody. A branch or tag is asked for each time, and is
// what it was when the endpoint does not answer, or none is set. Any thread, several processes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/log.h"
#include "base/progress.h"
#include "hub/client.h"

namespace slipway::hub {

struct Snapshot {
  std::filesystem::path path;  // the commit's folder, or the file that the address names
  std::string commit;
};

class Snapshots {
 public:
  // `options.endpoint` may be empty: then only what is there is there. Log and progress are borrowed.
  Snapshots(std::filesystem::path folder, ClientOptions options, base::Log& log, base::Progress& progress)
      : folder_(std::move(folder)), options_(std::move(options)), log_(log), progress_(progress) {}

  // A model is what it is run from (model_files() in pull.h); of a repository with one .gguf and no config.json that file.
  // Throws Error(kInvalid) for an address that is none, or when there are several such files; kNotFound; as Client.
  Snapshot locate(const std::string& address) const;

 private:
  std::string commit_of(const Address& address, const std::filesystem::path& place) const;
  std::vector<RemoteFile> files_of(const Address& address, const std::string& commit, const std::filesystem::path& place) const;

  std::filesystem::path folder_;
  ClientOptions options_;
  base::Log& log_;
  base::Progress& progress_;
};

// HF_ENDPOINT and HF_TOKEN. `read` gives a variable or null.
ClientOptions options_from_environment(const std::function<const char*(const char*)>& read);

}  // namespace slipway::hub
