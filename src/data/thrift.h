// Thrift's compact protocol, read: what Parquet's metadata is written in. Every length is checked against the bytes there are. Throws
// BrokenFile, never anything else but std::bad_alloc. One thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace slipway::data {

// What is wrong with a file's bytes; the file is named by who catches it.
struct BrokenFile : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ThriftReader {
 public:
  enum Type : uint8_t { kStop, kTrue, kFalse, kByte, kI16, kI32, kI64, kDouble, kBinary, kList, kSet, kMap, kStruct };

  explicit ThriftReader(std::string_view bytes) : bytes_(bytes) {}

  // Calls `field(id, type)` for each field of a struct; a field that it does not take (returns false) is passed over.
  template <class Field>
  void read_struct(const Field& field) {
    enter();
    int16_t id = 0;
    for (;;) {
      const uint8_t head = byte();
      const auto type = static_cast<Type>(head & 15U);
      if (type == kStop) {
        break;
      }
      id = head >> 4U != 0 ? static_cast<int16_t>(id + (head >> 4U)) : static_cast<int16_t>(integer());
      if (!field(id, type)) {
        skip(type);
      }
    }
    --depth_;
  }
  // Calls `item(type)` for each item of a list.
  template <class Item>
  void read_list(const Item& item) {
    enter();
    const uint8_t head = byte();
    const uint64_t size = head >> 4U == 15 ? varint() : head >> 4U;
    if (size > bytes_.size() - at_) {  // an item takes a byte at least
      throw BrokenFile("a list longer than its file");
    }
    for (uint64_t i = 0; i < size; ++i) {
      item(static_cast<Type>(head & 15U));
    }
    --depth_;
  }
  int64_t integer();             // of kI16, kI32, kI64
  std::string_view binary();     // valid as long as the bytes are
  void skip(Type type);
  size_t at() const noexcept { return at_; }

 private:
  uint8_t byte();
  uint64_t varint();
  std::string_view take(uint64_t n);
  void enter();

  std::string_view bytes_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace slipway::data
