#include "track/frame.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "base/crc32c.h"

namespace slipway::track {
namespace {

static_assert(std::endian::native == std::endian::little, "a spool is little-endian; swap bytes here for other machines");

constexpr std::string_view kMagic = "SLWYSPL1";

template <class T>
void put(Payload& payload, T value) noexcept {
  std::memcpy(payload.head.data() + payload.head_size, &value, sizeof value);
  payload.head_size += sizeof value;
}

// Takes fields off the front; false, and nothing, when there are too few bytes.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  bool take(T& value) noexcept {
    if (bytes_.size() < sizeof value) {
      return false;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return true;
  }
  bool take(size_t size, std::string_view& text) noexcept {
    if (bytes_.size() < size) {
      return false;
    }
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  std::string_view rest() const noexcept { return bytes_; }

 private:
  std::string_view bytes_;
};

bool parse_payload(std::string_view payload, Frame& frame) noexcept {
  Fields fields(payload);
  char kind = 0;
  uint16_t size = 0;
  if (!fields.take(kind)) {
    return false;
  }
  if (kind == 'e') {
    EndFrame end;
    const bool good = fields.take(end.status) && fields.take(end.time_ms) && fields.rest().empty() && end.status <= 2;
    frame = end;
    return good;
  }
  if (!fields.take(size) || size == 0) {
    return false;
  }
  switch (kind) {
    case 'm': {
      MetricFrame metric;
      const bool good = fields.take(metric.time_ms) && fields.take(metric.step) && fields.take(metric.value) &&
                        fields.take(size, metric.key) && fields.rest().empty() && size <= kMaxKeyBytes;
      frame = metric;
      return good;
    }
    case 'p':
    case 't': {
      PairFrame pair;
      pair.tag = kind == 't';
      const bool good = fields.take(size, pair.key) && size <= kMaxKeyBytes;
      pair.value = fields.rest();
      frame = pair;
      return good;
    }
    case 'b': {
      BytesFrame bytes;
      const bool good = fields.take(size, bytes.path) && size <= kMaxPathBytes;
      bytes.bytes = fields.rest();
      frame = bytes;
      return good;
    }
    case 'f': {
      FileFrame file;
      const bool good = fields.take(file.size) && fields.take(file.mtime_ns) && fields.take(size, file.path) &&
                        size <= kMaxPathBytes && !fields.rest().empty() && fields.rest().size() <= kMaxPathBytes;
      file.source = fields.rest();
      frame = file;
      return good;
    }
    default:
      return false;
  }
}

}  // namespace

Payload payload_of(const Frame& frame) noexcept {
  Payload payload;
  if (const auto* metric = std::get_if<MetricFrame>(&frame)) {
    put(payload, 'm');
    put(payload, static_cast<uint16_t>(metric->key.size()));
    put(payload, metric->time_ms);
    put(payload, metric->step);
    put(payload, metric->value);
    payload.first = metric->key;
  } else if (const auto* pair = std::get_if<PairFrame>(&frame)) {
    put(payload, pair->tag ? 't' : 'p');
    put(payload, static_cast<uint16_t>(pair->key.size()));
    payload.first = pair->key;
    payload.second = pair->value;
  } else if (const auto* bytes = std::get_if<BytesFrame>(&frame)) {
    put(payload, 'b');
    put(payload, static_cast<uint16_t>(bytes->path.size()));
    payload.first = bytes->path;
    payload.second = bytes->bytes;
  } else if (const auto* file = std::get_if<FileFrame>(&frame)) {
    put(payload, 'f');
    put(payload, static_cast<uint16_t>(file->path.size()));
    put(payload, file->size);
    put(payload, file->mtime_ns);
    payload.first = file->path;
    payload.second = file->source;
  } else {
    const auto& end = std::get<EndFrame>(frame);
    put(payload, 'e');
    put(payload, end.status);
    put(payload, end.time_ms);
  }
  return payload;
}

void write_frame(char* place, const Payload& payload) noexcept {
  char* at = place + kFrameHeaderBytes;
  for (const std::string_view piece :
       {std::string_view(payload.head.data(), payload.head_size), payload.first, payload.second}) {
    if (!piece.empty()) {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
    }
  }
  const auto size = static_cast<uint32_t>(payload.size());
  const uint32_t check = base::crc32c({place + kFrameHeaderBytes, size});
  std::memcpy(place + 4, &check, sizeof check);
  std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(place)).store(size, std::memory_order_release);
}

Parsed parse_frame(std::string_view bytes) noexcept {
  Parsed parsed;
  Fields fields(bytes);
  uint32_t size = 0;
  uint32_t check = 0;
  if (!fields.take(size) || size == 0) {
    return parsed;
  }
  std::string_view payload;
  if (!fields.take(check) || !fields.take(size, payload) || base::crc32c(payload) != check) {
    parsed.found = Found::kBroken;
    return parsed;
  }
  parsed.bytes = std::min(frame_bytes(size), bytes.size());
  parsed.found = parse_payload(payload, parsed.frame) ? Found::kFrame : Found::kUnknown;
  return parsed;
}

void write_segment_header(char* place, uint64_t number) noexcept {
  std::memcpy(place, kMagic.data(), kMagic.size());
  std::memcpy(place + 8, &number, sizeof number);
  const uint32_t check = base::crc32c({place, 16});
  std::memcpy(place + 16, &check, sizeof check);
}

bool parse_segment_header(std::string_view bytes, SegmentHeader& out) noexcept {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) {
    return false;
  }
  uint32_t check = 0;
  std::memcpy(&out.number, bytes.data() + 8, sizeof out.number);
  std::memcpy(&check, bytes.data() + 16, sizeof check);
  std::memcpy(&out.dropped, bytes.data() + kDroppedOffset, sizeof out.dropped);
  return base::crc32c(bytes.substr(0, 16)) == check;
}

}  // namespace slipway::track
