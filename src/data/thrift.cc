#include "data/thrift.h"

namespace slipway::data {

void ThriftReader::enter() {
  if (++depth_ > 32) {
    throw BrokenFile("metadata nested deeper than 32");
  }
}

uint8_t ThriftReader::byte() { return static_cast<uint8_t>(take(1)[0]); }

std::string_view ThriftReader::take(uint64_t n) {
  if (n > bytes_.size() - at_) {
    throw BrokenFile("metadata that ends in the middle");
  }
  const std::string_view taken = bytes_.substr(at_, n);
  at_ += n;
  return taken;
}

uint64_t ThriftReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t b = byte();
    value |= static_cast<uint64_t>(b & 127U) << shift;
    if (b < 128) {
      return value;
    }
  }
  throw BrokenFile("a number of more than 64 bits");
}

int64_t ThriftReader::integer() {
  const uint64_t value = varint();
  return static_cast<int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
}

std::string_view ThriftReader::binary() { return take(varint()); }

void ThriftReader::skip(Type type) {
  switch (type) {
    case kTrue:
    case kFalse: return;
    case kByte: byte(); return;
    case kI16:
    case kI32:
    case kI64: varint(); return;
    case kDouble: take(8); return;
    case kBinary: binary(); return;
    case kList:
    case kSet:
      read_list([this](Type item) { item == kTrue || item == kFalse ? static_cast<void>(byte()) : skip(item); });
      return;
    case kMap: {
      const uint64_t size = varint();
      if (size > bytes_.size() - at_) {
        throw BrokenFile("a map longer than its file");
      }
      const uint8_t types = size > 0 ? byte() : 0;
      for (uint64_t i = 0; i < size; ++i) {
        skip(static_cast<Type>(types >> 4U));
        skip(static_cast<Type>(types & 15U));
      }
      return;
    }
    case kStruct: read_struct([](int, Type) { return false; }); return;
    default: throw BrokenFile("metadata of an unknown type");
  }
}

}  // namespace slipway::data
