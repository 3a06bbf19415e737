// The spool of one run: a folder with what it is (run.json), segments of frames, and how far they were sent (sent.json).
// docs/formats/spool.md. One process writes at a time (writer.lock), one sends (sender.lock).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "track/frame.h"

namespace slipway::track {

// What the run is to be, for whoever sends it. No credentials.
struct SpoolInfo {
  std::string id;            // 32 hex digits: the folder's name, and the tag kSpoolTag by which the run is found again
  std::string tracking_uri;  // without user and password
  std::string experiment;
  std::string name;
  std::string user;
  int64_t started_ms = 0;
  std::map<std::string, std::string> tags;
  std::string run_id;      // of a run that is there already; empty: to be made
  bool transient = false;  // gone once all of it is sent, though the run goes on
};
constexpr const char* kSpoolTag = "slipway.spool";
constexpr const char* kDroppedTag = "slipway.dropped";

void write_info(const std::filesystem::path& folder, const SpoolInfo& info);
// Throws kNotFound, kInvalid.
SpoolInfo read_info(const std::filesystem::path& folder);

struct Position {
  uint64_t segment = 1;
  uint64_t offset = kSegmentHeaderBytes;
  auto operator<=>(const Position&) const = default;
};

struct SentState {
  std::string run_id;  // at the server; empty until the run was made
  std::string artifact_uri;
  Position position;  // of the first frame that was not acknowledged
  uint64_t sent = 0;
  uint64_t refused = 0;
  uint64_t dropped = 0;  // in segments before `position`
  uint64_t damaged = 0;  // bytes
  bool ended = false;    // the end was acknowledged
  std::string error;
};
void write_state(const std::filesystem::path& folder, const SentState& state);
SentState read_state(const std::filesystem::path& folder);  // the default one when there is none

std::filesystem::path segment_path(const std::filesystem::path& folder, uint64_t number);
// Numbers of the segments that are there, rising.
std::vector<uint64_t> list_segments(const std::filesystem::path& folder);

struct SpoolLimits {
  uint64_t max_bytes = uint64_t{256} << 20;
  uint64_t segment_bytes = uint64_t{4} << 20;
};

// Appends frames to segments that are mapped into memory. Any thread.
class SpoolWriter {
 public:
  // Begins a segment after the last one there. Throws kUnavailable when the disk is full, kInvalid for bad limits.
  SpoolWriter(std::filesystem::path folder, SpoolLimits limits);
  ~SpoolWriter();
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  // False: the spool is full or the disk is, and the record was counted as dropped. `last_word`: may take one segment more
  // than the limit. Without allocation; makes a segment itself only when prepare() was too slow.
  bool append(const Frame& frame, bool last_word = false) noexcept;
  // Whether a frame with such a payload fits a segment.
  bool fits(size_t payload_bytes) const noexcept;

  Position end() const;
  uint64_t logged() const;
  uint64_t dropped() const;
  // Segments before this one were deleted.
  void forget_before(uint64_t segment);
  // Makes the next segment ready and puts on the disk what was written; by the sending thread, about once a second.
  void prepare() noexcept;

 private:
  struct Segment {
    int fd = -1;
    char* map = nullptr;
  };
  bool make_segment(const std::filesystem::path& path, Segment& segment) noexcept;
  bool roll(bool last_word) noexcept;
  void close(Segment& segment) const noexcept;

  const std::filesystem::path folder_;
  const SpoolLimits limits_;
  const std::filesystem::path spare_path_;
  mutable std::mutex mutex_;  // guards what follows
  Segment current_;
  Segment spare_;
  std::vector<int> unsynced_;  // files of full segments
  uint64_t number_ = 0;
  uint64_t oldest_ = 0;
  size_t at_ = 0;
  uint64_t logged_ = 0;
  uint64_t dropped_ = 0;
  bool dirty_ = false;
};

// Reads frames in order, also while they are written. One thread.
class SpoolReader {
 public:
  SpoolReader(std::filesystem::path folder, Position position);
  // The next frame, whose views live until the next call; nothing when there is none (yet). Frames of unknown kinds, and the
  // rest of a segment after damage, are skipped once a later segment is there, or with `at_end` (nobody writes any more).
  std::optional<Frame> next(bool at_end);
  Position position() const noexcept { return position_; }
  uint64_t damaged() const noexcept { return damaged_; }  // bytes skipped so far

 private:
  bool open();
  std::optional<uint64_t> later_segment() const;
  Parsed parse() const noexcept;

  std::filesystem::path folder_;
  Position position_;
  base::MappedFile file_;
  uint64_t opened_ = 0;  // the segment that file_ is; 0: none
  uint64_t damaged_ = 0;
};

// Records dropped according to the segments that are there, before `end`.
uint64_t dropped_in_segments(const std::filesystem::path& folder, uint64_t end = UINT64_MAX);

}  // namespace slipway::track
