// Bytes as a segment of a spool: header and frames. Every frame must end within the bytes, and every view within its frame.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "track/frame.h"

namespace {

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool views_inside(const slipway::track::Frame& frame, std::string_view bytes) {
  using namespace slipway::track;
  if (const auto* metric = std::get_if<MetricFrame>(&frame)) {
    return inside(metric->key, bytes);
  }
  if (const auto* pair = std::get_if<PairFrame>(&frame)) {
    return inside(pair->key, bytes) && inside(pair->value, bytes);
  }
  if (const auto* content = std::get_if<BytesFrame>(&frame)) {
    return inside(content->path, bytes) && inside(content->bytes, bytes);
  }
  if (const auto* file = std::get_if<FileFrame>(&frame)) {
    return inside(file->path, bytes) && inside(file->source, bytes);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::track;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  SegmentHeader header;
  if (parse_segment_header(bytes, header)) {
    bytes.remove_prefix(kSegmentHeaderBytes);
  }
  while (true) {
    const Parsed parsed = parse_frame(bytes);
    if (parsed.found == Found::kEnd || parsed.found == Found::kBroken) {
      return 0;
    }
    if (parsed.bytes == 0 || parsed.bytes > bytes.size() || !views_inside(parsed.frame, bytes)) {
      std::abort();
    }
    bytes.remove_prefix(parsed.bytes);
  }
}
