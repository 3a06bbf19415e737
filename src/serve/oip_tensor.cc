#include "serve/oip_tensor.h"

#include <cstring>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::serve::oip {

namespace {

[[noreturn]] void refuse(const std::string& message) { throw base::Error(base::Code::kInvalid, message); }

struct IntType {
  std::string_view name;
  size_t size;
  bool is_signed;
};
constexpr IntType kIntTypes[] = {{"INT64", 8, true},   {"INT32", 4, true},   {"INT16", 2, true},   {"INT8", 1, true},
                                 {"UINT64", 8, false}, {"UINT32", 4, false}, {"UINT16", 2, false}, {"UINT8", 1, false}};

const IntType* int_type(std::string_view name) {
  for (const IntType& type : kIntTypes) {
    if (type.name == name) {
      return &type;
    }
  }
  return nullptr;
}

void read_texts(std::string_view bytes, Tensor& tensor, const std::string& where) {
  while (!bytes.empty()) {
    uint32_t length = 0;
    if (bytes.size() < sizeof length) {
      refuse(fmt::format("{}: the length of an element is cut off", where));
    }
    std::memcpy(&length, bytes.data(), sizeof length);  // little-endian, as all machines we build for
    bytes.remove_prefix(sizeof length);
    if (length > bytes.size()) {
      refuse(fmt::format("{}: an element says {} bytes where {} are left", where, length, bytes.size()));
    }
    tensor.texts.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
}

void read_ints(std::string_view bytes, const IntType& type, Tensor& tensor, const std::string& where) {
  if (bytes.size() % type.size != 0) {
    refuse(fmt::format("{}: {} bytes are not a multiple of {}", where, bytes.size(), type.size));
  }
  for (size_t at = 0; at < bytes.size(); at += type.size) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, type.size);
    if (type.is_signed && type.size < 8 && (value >> (8 * type.size - 1)) != 0) {
      value |= ~uint64_t{0} << (8 * type.size);  // sign extension
    }
    tensor.ints.push_back(static_cast<int64_t>(value));
  }
}

}  // namespace

int64_t Tensor::count() const noexcept {
  int64_t product = 1;
  for (const int64_t size : shape) {
    product *= size;
  }
  return product;
}

void check_datatype(const Tensor& tensor, const std::string& where) {
  if (tensor.datatype != "BYTES" && int_type(tensor.datatype) == nullptr) {
    refuse(fmt::format("{}: datatype {} is not taken; BYTES (texts) and integers (token ids) are", where,
                       tensor.datatype.substr(0, 20)));
  }
}

void check_shape(const Tensor& tensor, const std::string& where) {
  if (tensor.shape.size() > kMaxRank) {
    refuse(fmt::format("{} needs \"shape\": a list of at most {} sizes", where, kMaxRank));
  }
  int64_t elements = 1;
  for (const int64_t size : tensor.shape) {
    if (size < 0 || size > kMaxElements) {
      refuse(fmt::format("{}: a size of its shape is not a whole number from 0 to {}", where, kMaxElements));
    }
    elements *= size;  // both factors are at most 2^24
    if (elements > kMaxElements) {
      refuse(fmt::format("{} has more than {} elements", where, kMaxElements));
    }
  }
}

void check_length(const Tensor& tensor, const std::string& where) {
  const size_t length = tensor.texts.size() + tensor.ints.size();
  if (static_cast<int64_t>(length) != tensor.count()) {
    refuse(fmt::format("{} has {} elements, its shape says {}", where, length, tensor.count()));
  }
}

void read_raw(std::string_view bytes, Tensor& tensor, const std::string& where) {
  const IntType* integers = int_type(tensor.datatype);
  integers == nullptr ? read_texts(bytes, tensor, where) : read_ints(bytes, *integers, tensor, where);
}

void append_raw(const Tensor& tensor, std::string& out) {
  for (const std::string& text : tensor.texts) {
    const auto length = static_cast<uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof length);
    out += text;
  }
  out.append(reinterpret_cast<const char*>(tensor.floats.data()), tensor.floats.size() * sizeof(float));
}

}  // namespace slipway::serve::oip
