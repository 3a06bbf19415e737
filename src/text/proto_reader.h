// A forward reader of protocol buffer messages (proto3 wire format): fields in order, every length checked. Views are
// of the bytes given. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::text {

class ProtoReader {
 public:
  ProtoReader(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  // Goes to the next field; false at the end. Throws Error(kInvalid) for a broken one.
  bool next();
  uint32_t field() const noexcept { return field_; }
  // The value of the field; Throws Error(kInvalid) when it is of another wire type.
  std::string_view bytes() const;
  int64_t integer() const;
  bool boolean() const { return integer() != 0; }
  float number() const;
  double real() const;
  uint32_t fixed32() const;
  uint64_t fixed64() const;

 private:
  [[noreturn]] void fail(const char* what) const;
  uint64_t varint();

  std::string_view bytes_;
  const std::string& source_;
  size_t at_ = 0;
  uint32_t field_ = 0;
  uint32_t wire_type_ = 0;
  uint64_t value_ = 0;
  std::string_view data_;
};

}  // namespace slipway::text
