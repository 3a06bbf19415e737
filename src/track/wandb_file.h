// The file of an offline run of Weights & Biases (run-….wandb): a head of seven bytes, then LevelDB's log of blocks of 32 KiB, whose
// fragments carry a CRC-32 of type and bytes; a record is a protocol buffer wandb_internal.Record. Untrusted bytes: every length is
// checked. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::track {

// What one record tells, of what an import takes.
struct WandbRecord {
  struct Run {
    std::string id;
    std::string project;
    std::string name;
    std::string notes;
    std::string group;
    std::string job_type;
    std::string host;
    std::vector<std::string> tags;
    int64_t started_ms = 0;
  };
  std::optional<Run> run;
  std::vector<std::pair<std::string, std::string>> config;   // key ("a.b" when nested), JSON text
  std::vector<std::pair<std::string, std::string>> history;  // the same, of one step
  std::vector<std::pair<std::string, std::string>> summary;
  int64_t step = 0;
  std::optional<int64_t> exit_code;
};

class WandbFile {
 public:
  // Throws kInvalid for what does not begin as such a file.
  WandbFile(std::string_view bytes, std::string name);
  // The next record; false at the end or where the file is cut off. Damaged fragments are passed over, with their records.
  bool next(WandbRecord& record);
  uint64_t damaged() const noexcept { return damaged_; }

 private:
  bool next_bytes(std::string& out);

  std::string_view bytes_;
  const std::string name_;
  size_t at_;
  uint64_t damaged_ = 0;
};

}  // namespace slipway::track
