// A tensor of the Open Inference Protocol and what all its forms share: limits, datatypes, raw bytes. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::serve::oip {

constexpr size_t kMaxInputs = 16;
constexpr size_t kMaxOutputs = 32;
constexpr size_t kMaxRank = 8;
constexpr int64_t kMaxElements = int64_t{1} << 24;  // of a tensor; a 32 MiB body cannot hold more texts than that

// A tensor of texts (BYTES), integers (INT32, INT64, …) or floats (FP32): one of the three vectors is used.
struct Tensor {
  std::string name;
  std::string datatype;
  std::vector<int64_t> shape;
  std::vector<std::string> texts;
  std::vector<int64_t> ints;
  std::vector<float> floats;

  int64_t count() const noexcept;  // product of the shape
};

// Each throws Error(kInvalid) with `where` ("input 'ids'") and what is wrong.
// BYTES and integers of 8 to 64 bits are taken.
void check_datatype(const Tensor& tensor, const std::string& where);
// At most kMaxRank sizes of 0 and more, kMaxElements elements.
void check_shape(const Tensor& tensor, const std::string& where);
// As many elements as the shape says.
void check_length(const Tensor& tensor, const std::string& where);
// Appends the elements in `bytes`, by the tensor's datatype: integers little-endian; of BYTES each is its length (4 bytes,
// little-endian) and its bytes.
void read_raw(std::string_view bytes, Tensor& tensor, const std::string& where);
// The same the other way, of BYTES and FP32.
void append_raw(const Tensor& tensor, std::string& out);

}  // namespace slipway::serve::oip
