// A folder sent to a repository as commits: small files within the commit, large ones by git-lfs' protocol before it. What the
// endpoint has already is not sent again, so a push that was cut off goes on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "hub/client.h"

namespace slipway::hub {

struct Push {
  std::filesystem::path folder;
  const Address& address;            // its revision is the branch
  std::string message;               // the commit's first line
  std::vector<std::string> include;  // patterns as in pull.h; empty: all
  bool hidden = false;               // of a repository that is made
};

struct Pushed {
  std::string commit;  // the branch's afterwards
  size_t files = 0;    // that were new or changed
  size_t unchanged = 0;
  size_t ignored = 0;  // files, and whole folders, that a .gitignore names
  uint64_t bytes = 0;  // of those files
};

// Makes the repository when there is none. Hidden files (".git", ".cache") and what an unfinished pull left stay here, so does what the
// .gitignore files of the folder and of those in it name (base/ignore.h); when there is none, the repository's says. Throws
// Error(kNotFound | kInvalid) for the folder, else as Client.
Pushed push(const ClientOptions& options, const Push& what, base::Progress& progress);

}  // namespace slipway::hub
