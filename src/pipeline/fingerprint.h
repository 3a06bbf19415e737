// What a step's result depends on, as JSON and as a key; and the words for how two of them differ.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/step.h"
#include "record/stores.h"

namespace slipway::pipeline {

// Outputs of steps: step name -> output name -> artifact digest.
using Outputs = std::map<std::string, std::map<std::string, std::string>>;

// Digests of raw files and folders through the store's stamps: a file is read only when its size, times or inode differ
// from when it was last read. One thread.
class FileDigests {
 public:
  // `settle_ns`: a file that changed this short a time before it was read is not stamped, since it may change again
  // within one tick of the file system's clock (2 s on FAT, 1 s on some network file systems).
  explicit FileDigests(record::StepCache& cache, int64_t settle_ns = 2'000'000'000)
      : cache_(cache), settle_ns_(settle_ns) {}

  // Path as given -> "sha256:…": of the content; of a folder, of the canonical JSON {relative path: digest} of the
  // files in it. Throws kNotFound and others, naming `step`.
  std::map<std::string, std::string> of(const std::vector<std::filesystem::path>& paths, const std::string& step);
  uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  struct Found {
    std::filesystem::path path;
    record::FileStamp stamp;
  };
  std::map<std::string, std::string> digests(const std::vector<Found>& files);

  record::StepCache& cache_;
  int64_t settle_ns_;
  uint64_t bytes_read_ = 0;
};

struct Fingerprint {
  Json inputs;      // {name, code_version, config, needs, files}
  std::string key;  // SHA-256 of its canonical JSON, 64 hex digits
};

// `outputs` has at least the steps that `step` needs.
Fingerprint fingerprint(const Step& step, const Outputs& outputs, const std::map<std::string, std::string>& files);

// How `now` differs from `before`, both inputs of a Fingerprint: one sentence each; empty when they do not differ.
// Members that only one of them has ("needs" while unknown) are not compared unless `whole`.
std::vector<std::string> differences(const Json& before, const Json& now, bool whole);

}  // namespace slipway::pipeline
