// Flatbuffers, read: what Arrow's metadata is written in. Every offset is checked against the bytes. Throws BrokenFile. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "data/thrift.h"

namespace slipway::data {

// A table in a buffer; one that is not there (valid() is false) has every field at its default.
class FlatTable {
 public:
  FlatTable() = default;
  static FlatTable root(std::string_view buffer) { return {buffer, read<uint32_t>(buffer, 0)}; }

  bool valid() const noexcept { return !buffer_.empty(); }
  template <class T>
  T number(int field, T fallback = T{}) const {
    const uint64_t at = place(field);
    return at == 0 ? fallback : read<T>(buffer_, at);
  }
  FlatTable table(int field) const {
    const uint64_t at = place(field);
    return at == 0 ? FlatTable() : FlatTable(buffer_, at + read<uint32_t>(buffer_, at));
  }
  std::string_view text(int field) const {
    uint64_t begin = 0;
    const uint64_t size = vector(field, 1, begin);
    return buffer_.substr(begin, size);
  }
  // Of a vector of tables, or of structs of `width` bytes.
  uint64_t count(int field, uint64_t width = 4) const {
    uint64_t begin = 0;
    return vector(field, width, begin);
  }
  FlatTable item(int field, uint64_t i) const {
    uint64_t begin = 0;
    vector(field, 4, begin);
    return {buffer_, begin + 4 * i + read<uint32_t>(buffer_, begin + 4 * i)};
  }
  int64_t item_number(int field, uint64_t width, uint64_t i, uint64_t offset) const {
    uint64_t begin = 0;
    vector(field, width, begin);
    return read<int64_t>(buffer_, begin + width * i + offset);
  }

 private:
  FlatTable(std::string_view buffer, uint64_t at) : buffer_(buffer), at_(at) {
    const int64_t vtable = static_cast<int64_t>(at) - read<int32_t>(buffer, at);
    vtable_ = vtable < 0 ? buffer.size() : static_cast<uint64_t>(vtable);
    fields_ = read<uint16_t>(buffer, vtable_) / 2;
  }
  template <class T>
  static T read(std::string_view buffer, uint64_t at) {
    if (at > buffer.size() || buffer.size() - at < sizeof(T)) {
      throw BrokenFile("metadata that points outside itself");
    }
    T value;
    std::memcpy(&value, buffer.data() + at, sizeof(T));
    return value;
  }
  uint64_t place(int field) const {  // 0: absent
    const auto slot = static_cast<uint64_t>(field) + 2;
    if (!valid() || slot >= fields_) {
      return 0;
    }
    const uint16_t offset = read<uint16_t>(buffer_, vtable_ + 2 * slot);
    return offset == 0 ? 0 : at_ + offset;
  }
  uint64_t vector(int field, uint64_t width, uint64_t& begin) const {
    const uint64_t at = place(field);
    if (at == 0) {
      return 0;
    }
    begin = at + read<uint32_t>(buffer_, at);
    const uint64_t n = read<uint32_t>(buffer_, begin);
    begin += 4;
    if (n > (buffer_.size() - begin) / width) {
      throw BrokenFile("metadata that points outside itself");
    }
    return n;
  }

  std::string_view buffer_;
  uint64_t at_ = 0;
  uint64_t vtable_ = 0;
  uint64_t fields_ = 0;
};

}  // namespace slipway::data
