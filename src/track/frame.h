// The records of a spool as bytes (docs/formats/spool.md). Read from files that a killed process left, or that anyone may have
// changed: every length is checked. Any thread; views are of the bytes given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace slipway::track {

constexpr size_t kSegmentHeaderBytes = 32;
constexpr size_t kFrameHeaderBytes = 8;  // size and checksum
constexpr size_t kMaxKeyBytes = 250;     // MLflow's limit
constexpr size_t kMaxPathBytes = 4096;

struct MetricFrame {
  std::string_view key;
  double value = 0;
  int64_t step = 0;
  int64_t time_ms = 0;
};
struct PairFrame {
  bool tag = false;  // else a parameter
  std::string_view key;
  std::string_view value;
};
struct BytesFrame {
  std::string_view path;
  std::string_view bytes;
};
struct FileFrame {
  std::string_view path;
  std::string_view source;  // absolute; or a name without '/' in the spool's folder
  uint64_t size = 0;
  int64_t mtime_ns = 0;
};
struct EndFrame {
  uint8_t status = 0;  // slipway::RunEnd
  int64_t time_ms = 0;
};
using Frame = std::variant<MetricFrame, PairFrame, BytesFrame, FileFrame, EndFrame>;

// A payload as pieces to be laid one after the other: fixed fields, then up to two texts.
struct Payload {
  std::array<char, 32> head{};
  size_t head_size = 0;
  std::string_view first = {};
  std::string_view second = {};
  size_t size() const noexcept { return head_size + first.size() + second.size(); }
};
Payload payload_of(const Frame& frame) noexcept;

// Bytes that a frame with this payload takes: a multiple of eight.
constexpr size_t frame_bytes(size_t payload) noexcept { return (kFrameHeaderBytes + payload + 7) / 8 * 8; }

// Lays a frame at `place` (aligned to eight, frame_bytes() long, zeros): the size comes last, so that a reader of the same bytes
// sees a whole frame or none.
void write_frame(char* place, const Payload& payload) noexcept;

enum class Found {
  kFrame,
  kEnd,      // nothing more, or not yet
  kUnknown,  // a whole frame of a kind that is not known, or with contents that make no sense
  kBroken,   // the checksum does not hold, or it is cut off: what follows cannot be found
};
struct Parsed {
  Found found = Found::kEnd;
  Frame frame = {};
  size_t bytes = 0;  // of the frame, when kFrame or kUnknown
};
// The frame at the beginning of `bytes`.
Parsed parse_frame(std::string_view bytes) noexcept;

struct SegmentHeader {
  uint64_t number = 0;
  uint64_t dropped = 0;  // records that found the spool full while this segment was the last
};
void write_segment_header(char* place, uint64_t number) noexcept;
bool parse_segment_header(std::string_view bytes, SegmentHeader& out) noexcept;
constexpr size_t kDroppedOffset = 24;  // of `dropped` in the header: changed in place

}  // namespace slipway::track
