#include "text/proto_reader.h"

#include <bit>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {

void ProtoReader::fail(const char* what) const {
  throw base::Error(base::Code::kInvalid,
                    fmt::format("{}: not a valid protocol buffer at byte {}: {}", source_, at_, what));
}

uint64_t ProtoReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ >= bytes_.size()) {
      fail("it ends too early");
    }
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  fail("a number of more than 64 bits");
}

bool ProtoReader::next() {
  if (at_ >= bytes_.size()) {
    return false;
  }
  const uint64_t tag = varint();
  field_ = static_cast<uint32_t>(tag >> 3);
  wire_type_ = static_cast<uint32_t>(tag & 7);
  if (tag >> 32 != 0 || field_ == 0) {
    fail("a field number out of range");
  }
  switch (wire_type_) {
    case 0: value_ = varint(); return true;
    case 1:
    case 5:
    case 2: break;
    default: fail("a wire type that does not exist");
  }
  const uint64_t size = wire_type_ == 2 ? varint() : wire_type_ == 1 ? 8 : 4;
  if (size > bytes_.size() - at_) {
    fail("a field longer than the rest");
  }
  data_ = bytes_.substr(at_, size);
  at_ += size;
  return true;
}

std::string_view ProtoReader::bytes() const {
  if (wire_type_ != 2) {
    fail("expected a field of bytes");
  }
  return data_;
}

int64_t ProtoReader::integer() const {
  if (wire_type_ != 0) {
    fail("expected a whole number");
  }
  return static_cast<int64_t>(value_);
}

uint32_t ProtoReader::fixed32() const {
  if (wire_type_ != 5) {
    fail("expected a 32-bit number");
  }
  uint32_t bits = 0;
  for (size_t i = 4; i-- > 0;) {
    bits = (bits << 8) | static_cast<unsigned char>(data_[i]);
  }
  return bits;
}

uint64_t ProtoReader::fixed64() const {
  if (wire_type_ != 1) {
    fail("expected a 64-bit number");
  }
  uint64_t bits = 0;
  for (size_t i = 8; i-- > 0;) {
    bits = (bits << 8) | static_cast<unsigned char>(data_[i]);
  }
  return bits;
}

double ProtoReader::real() const { return std::bit_cast<double>(fixed64()); }
float ProtoReader::number() const { return std::bit_cast<float>(fixed32()); }

}  // namespace slipway::text
