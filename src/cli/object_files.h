// Objects of S3 as files on this machine, so that every reader of files reads them: a copy in the cache, of which only what has changed is
// fetched again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/context.h"
#include "store/object_store.h"

namespace slipway::cli {

// What `address` means: an object, all below a folder that a source may hold, or those whose keys match it (*, ?, [).
struct ObjectAddress {
  std::string bucket;
  std::string key;      // without the bucket, as given
  std::string listed;   // the prefix under which it lies
  bool pattern = false;
  bool matches(const std::string& key) const;
};
// Throws Error(kInvalid) for what is not s3://BUCKET/…
ObjectAddress object_address(const std::string& address);

// Brings the objects of `address` into `folder`/BUCKET/KEY; `objects` lists from address.listed. Returns the file, the folder, or the files of
// a pattern. What the bucket has no more is removed here. Objects are streamed to the disk in pieces of 8 MiB. Throws Error(kNotFound)
// when there is none, else as the store.
std::vector<std::filesystem::path> bring_objects(store::ObjectStore& objects, const ObjectAddress& address, const std::filesystem::path& folder,
                                                 base::Context& context);

}  // namespace slipway::cli
