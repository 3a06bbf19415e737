#include "model/gguf.h"

#include <array>
#include <bit>
#include <fmt/format.h>
#include <fstream>

#include "base/error.h"
#include "model/load.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxKeyBytes = 65'535;
constexpr size_t kMaxTensorNameBytes = 63;  // GGML_MAX_NAME with its terminator
constexpr uint32_t kMaxDimensions = 4;

[[noreturn]] void broken(const std::string& source, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: not a GGUF file: {}", source, what));
}

// Bytes of a scalar; 0 for strings, arrays and numbers that are no type.
size_t scalar_size(uint32_t type) noexcept {
  constexpr std::array<uint8_t, 13> kSizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < kSizes.size() ? kSizes[type] : 0;
}

// ggml's numbers of tensor types, those that are read.
struct TypeRow {
  uint32_t number;
  DType dtype;
};
constexpr std::array<TypeRow, 20> kTypes = {{
    {0, DType::kF32},   {1, DType::kF16},   {2, DType::kQ4_0},    {3, DType::kQ4_1},    {6, DType::kQ5_0},
    {7, DType::kQ5_1},  {8, DType::kQ8_0},  {10, DType::kQ2_K},   {11, DType::kQ3_K},   {12, DType::kQ4_K},
    {13, DType::kQ5_K}, {14, DType::kQ6_K}, {20, DType::kIQ4_NL}, {23, DType::kIQ4_XS}, {24, DType::kI8},
    {25, DType::kI16},  {26, DType::kI32},  {27, DType::kI64},    {28, DType::kF64},    {30, DType::kBF16},
}};
constexpr uint32_t kTypeNumbers = 41;  // numbers below it are or were types of ggml

class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}
  size_t at() const noexcept { return at_; }

  std::string_view take(uint64_t count, const std::string& what) {
    if (count > bytes_.size() - at_) {
      broken(source_, fmt::format("{} at byte {} needs {} bytes, {} are left: the file is cut short", what, at_, count,
                                  bytes_.size() - at_));
    }
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    if (at_ > kMaxGgufHeaderBytes) {
      broken(source_, fmt::format("metadata and tensor list are larger than {} bytes", kMaxGgufHeaderBytes));
    }
    return taken;
  }
  template <class T>
  T number(const std::string& what) {
    return load<T>(take(sizeof(T), what).data());
  }
  std::string_view text(const std::string& what, uint64_t max_bytes) {
    const auto size = number<uint64_t>(what);
    if (size > max_bytes) {
      broken(source_, fmt::format("{} at byte {} has {} bytes, more than {}", what, at_ - 8, size, max_bytes));
    }
    return take(size, what);
  }

 private:
  std::string_view bytes_;
  const std::string& source_;
  size_t at_ = 0;
};

void check_bools(std::string_view bytes, const std::string& key, const std::string& source) {
  for (const char byte : bytes) {
    if (byte != 0 && byte != 1) {
      broken(source, fmt::format("'{}' is a boolean of {}", key, static_cast<int>(static_cast<unsigned char>(byte))));
    }
  }
}

GgufValue read_value(Cursor& cursor, std::string_view whole, const std::string& key, const std::string& source) {
  GgufValue value;
  auto type = cursor.number<uint32_t>("the type of a value");
  if (type == static_cast<uint32_t>(GgufType::kArray)) {
    value.is_array = true;
    type = cursor.number<uint32_t>("the type of an array");
    value.count = cursor.number<uint64_t>("the length of an array");
    if (type == static_cast<uint32_t>(GgufType::kArray)) {
      broken(source, fmt::format("'{}' is an array of arrays", key));
    }
  }
  value.type = static_cast<GgufType>(type);
  const size_t begin = cursor.at();
  if (value.type == GgufType::kString) {
    // Each costs at least the 8 bytes of its length, so a false count ends with the file.
    for (uint64_t i = 0; i < value.count; ++i) {
      cursor.text("a text", kMaxGgufStringBytes);
    }
    value.bytes = whole.substr(begin, cursor.at() - begin);
    return value;
  }
  const size_t size = scalar_size(type);
  if (size == 0) {
    broken(source, fmt::format("'{}' has the unknown type {}", key, type));
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(value.count, size, &bytes)) {
    broken(source, fmt::format("'{}' has {} elements", key, value.count));
  }
  value.bytes = cursor.take(bytes, "a value");
  if (value.type == GgufType::kBool) {
    check_bools(value.bytes, key, source);
  }
  return value;
}

struct Described {
  TensorView view;
  uint64_t offset = 0;
};

DType dtype_of(uint32_t number, const std::string& name, const std::string& source) {
  for (const TypeRow& row : kTypes) {
    if (row.number == number) {
      return row.dtype;
    }
  }
  if (number < kTypeNumbers) {
    throw Error(
        Code::kInvalid,
        fmt::format(
            "{}: tensor '{}' is of ggml's type {}, which is not supported; supported: F32, F16, BF16, F64, Q4_0, "
            "Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS",
            source, name, number));
  }
  broken(source, fmt::format("tensor '{}' has the unknown type {}", name, number));
}

// Name, dimensions, type and offset of a tensor; its bytes are set when the data's begin is known.
Described read_tensor(Cursor& cursor, const std::string& source) {
  Described out;
  out.view.name = std::string(cursor.text("a tensor's name", kMaxTensorNameBytes));
  const std::string& name = out.view.name;
  const auto rank = cursor.number<uint32_t>("a tensor's rank");
  if (name.empty() || rank > kMaxDimensions) {
    broken(source,
           fmt::format("tensor '{}' has {} dimensions; at most {} and a name are allowed", name, rank, kMaxDimensions));
  }
  std::array<uint64_t, kMaxDimensions> sizes{};
  for (uint32_t i = 0; i < rank; ++i) {
    sizes[i] = cursor.number<uint64_t>("a tensor's size");
    if (sizes[i] > INT64_MAX) {
      broken(source, fmt::format("tensor '{}' has a negative dimension", name));
    }
  }
  out.view.dtype = dtype_of(cursor.number<uint32_t>("a tensor's type"), name, source);
  out.offset = cursor.number<uint64_t>("a tensor's offset");
  uint64_t count = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    if (__builtin_mul_overflow(count, sizes[i], &count) || count > INT64_MAX) {
      broken(source, fmt::format("tensor '{}' has a shape too large to be true", name));
    }
  }
  const auto block = static_cast<uint64_t>(dtype_block(out.view.dtype));
  if ((rank == 0 ? 1 : sizes[0]) % block != 0) {
    broken(source, fmt::format("tensor '{}' is {} but its rows have {} values, no multiple of {}", name,
                               dtype_name(out.view.dtype), sizes[0], block));
  }
  for (uint32_t i = rank; i > 0; --i) {
    out.view.shape.push_back(static_cast<int64_t>(sizes[i - 1]));
  }
  return out;
}

uint64_t padded(uint64_t offset, uint64_t alignment) noexcept {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : GgufFile(path, OnePart{}) {
  if (const int64_t parts = metadata_.integer("split.count").value_or(1); parts > 1) {
    open_other_parts(path, parts);
  }
}
GgufFile::GgufFile(const std::filesystem::path& path, OnePart)
    : file_(path), source_(path.string()), metadata_(source_) {
  parse(file_.bytes());
}
GgufFile::GgufFile(std::string_view bytes, const std::string& source) : source_(source), metadata_(source_) {
  parse(bytes);
}

void GgufFile::parse(std::string_view bytes) {
  Cursor cursor(bytes, source_);
  if (bytes.starts_with("version https://git-lfs")) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: a Git LFS pointer, not the model; fetch it with 'git lfs pull'", source_));
  }
  if (!bytes.starts_with("GGUF")) {
    broken(source_, "it does not begin with 'GGUF'");
  }
  cursor.take(4, "the magic number");
  version_ = cursor.number<uint32_t>("the version");
  if (version_ != 2 && version_ != 3) {
    broken(source_, version_ != 0 && version_ % 0x10000 == 0
                        ? "it is big-endian"
                        : fmt::format("version {} is not supported, 2 and 3 are", version_));
  }
  const auto tensor_count = cursor.number<uint64_t>("the number of tensors");
  const auto key_count = cursor.number<uint64_t>("the number of keys");
  if (tensor_count > kMaxGgufTensors || key_count > kMaxGgufKeys) {
    broken(source_, fmt::format("{} tensors and {} keys, more than {} and {}", tensor_count, key_count, kMaxGgufTensors,
                                kMaxGgufKeys));
  }
  for (uint64_t i = 0; i < key_count; ++i) {
    const std::string key(cursor.text("a key", kMaxKeyBytes));
    if (key.empty()) {
      broken(source_, fmt::format("key {} is empty", i));
    }
    if (!metadata_.values_.emplace(key, read_value(cursor, bytes, key, source_)).second) {
      broken(source_, fmt::format("the key '{}' is there twice", key));
    }
  }
  if (const GgufValue* value = metadata_.find("general.alignment"); value != nullptr) {
    const auto alignment = value->type == GgufType::kU32 ? metadata_.integer("general.alignment") : std::nullopt;
    if (!alignment || *alignment <= 0 || !std::has_single_bit(static_cast<uint64_t>(*alignment))) {
      broken(source_, "'general.alignment' must be a power of two of 32 bits");
    }
    alignment_ = static_cast<uint64_t>(*alignment);
  }
  std::vector<Described> described;
  for (uint64_t i = 0; i < tensor_count; ++i) {
    described.push_back(read_tensor(cursor, source_));
  }
  const uint64_t begin = padded(cursor.at(), alignment_);
  uint64_t expected = 0;
  for (Described& one : described) {
    const std::string name = one.view.name;
    const auto size = dtype_bytes(one.view.dtype, static_cast<uint64_t>(one.view.count()));
    if (!size || *size > bytes.size()) {
      broken(source_, fmt::format("tensor '{}' is larger than the file", name));
    }
    if (one.offset != expected) {
      broken(source_, fmt::format("tensor '{}' has offset {}, the ones before it end at {}: {}", name, one.offset,
                                  expected, one.offset < expected ? "they overlap" : "there is a hole"));
    }
    if (begin > bytes.size() || one.offset > bytes.size() - begin || *size > bytes.size() - begin - one.offset) {
      broken(source_, fmt::format("tensor '{}' ends at byte {} but the file has {}: it is cut short", name,
                                  begin + one.offset + *size, bytes.size()));
    }
    one.view.bytes = bytes.substr(begin + one.offset, *size);
    expected = padded(one.offset + *size, alignment_);
    if (!tensors_.emplace(name, std::move(one.view)).second) {
      broken(source_, fmt::format("the tensor '{}' is there twice", name));
    }
  }
}

void GgufFile::open_other_parts(const std::filesystem::path& path, int64_t parts) {
  if (parts > kMaxGgufParts) {
    broken(source_, fmt::format("it has {} parts, more than {}", parts, kMaxGgufParts));
  }
  const std::string name = path.filename().string();
  const auto ending = [&](int64_t part) { return fmt::format("-{:05}-of-{:05}.gguf", part + 1, parts); };
  const int64_t number = metadata_.integer("split.no").value_or(0);
  if (number != 0 || !name.ends_with(ending(0))) {
    const size_t suffix = ending(0).size();
    const std::string stem =
        number > 0 && name.ends_with(ending(number)) ? name.substr(0, name.size() - suffix) : "NAME";
    throw Error(Code::kInvalid,
                fmt::format("{}: part {} of {} of a split model; give its first part, {}{}, with the others beside it",
                            source_, number + 1, parts, stem, ending(0)));
  }
  const std::string stem = name.substr(0, name.size() - ending(0).size());
  for (int64_t part = 1; part < parts; ++part) {
    others_.push_back(std::unique_ptr<GgufFile>(new GgufFile(path.parent_path() / (stem + ending(part)), OnePart{})));
    const GgufFile& other = *others_.back();
    if (other.metadata_.integer("split.no") != part || other.metadata_.integer("split.count") != parts) {
      broken(other.source_, fmt::format("its metadata do not say that it is part {} of {}", part + 1, parts));
    }
    for (const auto& [tensor, view] : other.tensors_) {
      if (!tensors_.emplace(tensor, view).second) {
        broken(other.source_, fmt::format("the tensor '{}' is in an earlier part too", tensor));
      }
    }
  }
  const auto expected = metadata_.integer("split.tensors.count");
  if (expected && *expected != static_cast<int64_t>(tensors_.size())) {
    broken(source_, fmt::format("its parts have {} tensors together, not {}", tensors_.size(), *expected));
  }
}

bool is_gguf_file(const std::filesystem::path& path) noexcept {
  try {
    std::ifstream file(path, std::ios::binary);
    std::array<char, 4> magic{};
    return file.read(magic.data(), magic.size()) && std::string_view(magic.data(), magic.size()) == "GGUF";
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace slipway::model
