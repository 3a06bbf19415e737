// The few pieces of the protocol-buffer wire format that a writer of ONNX needs: varints, fixed32, length-delimited
// fields. A Message is its encoded bytes; nothing is parsed. Internal to the room.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::convert {

class Message {
 public:
  Message& integer(int field, int64_t value) {
    key(field, 0);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& real(int field, float value) {
    key(field, 5);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes_.push_back(static_cast<char>((bits >> shift) & 0xffU));
    }
    return *this;
  }
  Message& text(int field, std::string_view value) {
    begin(field, value.size());
    bytes_.append(value);
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  // The key and length of a field whose `size` bytes the caller writes after this message's.
  Message& begin(int field, uint64_t size) {
    key(field, 2);
    varint(size);
    return *this;
  }
  // Bytes already encoded.
  Message& append(std::string_view encoded) {
    bytes_.append(encoded);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, unsigned wire_type) { varint((static_cast<uint64_t>(field) << 3) | wire_type); }
  void varint(uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>((value & 0x7fU) | 0x80U));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }
  std::string bytes_;
};

}  // namespace slipway::convert
