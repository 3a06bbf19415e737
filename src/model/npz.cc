#include "model/npz.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "model/load.h"
#include "model/zip.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = 65'536;

struct TypeName {
  std::string_view descr;  // without the byte order
  DType dtype;
};
constexpr TypeName kTypes[] = {{"b1", DType::kBool}, {"i1", DType::kI8},  {"u1", DType::kU8},  {"i2", DType::kI16},
                               {"u2", DType::kU16},  {"i4", DType::kI32}, {"u4", DType::kU32}, {"i8", DType::kI64},
                               {"u8", DType::kU64},  {"f2", DType::kF16}, {"f4", DType::kF32}, {"f8", DType::kF64},
                               {"V2", DType::kBF16}};

// The header: a Python dictionary of the three keys 'descr', 'fortran_order' and 'shape', as repr() writes it.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  void read() {
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        descr = quoted();
      } else if (key == "fortran_order") {
        fortran = word();
      } else if (key == "shape") {
        read_shape();
      } else {
        fail(fmt::format("it has a key '{}'", key));
      }
      if (!take(',') && peek() != '}') {
        fail("a comma is missing");
      }
    }
    skip();
    if (at_ != text_.size() || !descr || !fortran || !shape) {
      fail("it is not a dictionary of 'descr', 'fortran_order' and 'shape'");
    }
  }

  std::optional<std::string_view> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<int64_t>> shape;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kIntegrity, fmt::format("{}: its header is damaged: {}", where_, what));
  }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) {
      ++at_;
    }
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) {
      return false;
    }
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) {
      fail(fmt::format("'{}' is missing at byte {}", c, at_));
    }
  }
  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') {
      if (quote == '[') {
        throw Error(Code::kInvalid, fmt::format("{}: is an array of records, which are not read", where_));
      }
      fail(fmt::format("a text is missing at byte {}", at_));
    }
    const size_t begin = at_ + 1;
    const size_t end = text_.find(quote, begin);
    if (end == std::string_view::npos) {
      fail("a text does not end");
    }
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  bool word() {
    skip();
    for (const std::string_view one : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_).starts_with(one)) {
        at_ += one.size();
        return one == "True";
      }
    }
    fail("'fortran_order' is neither True nor False");
  }
  void read_shape() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!take(')')) {
      skip();
      int64_t size = -1;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0 || sizes.size() == kMaxArrayDimensions) {
        fail("'shape' is not a tuple of sizes");
      }
      at_ = static_cast<size_t>(end - text_.data());
      sizes.push_back(size);
      if (!take(',') && peek() != ')') {
        fail("'shape' is not a tuple of sizes");
      }
    }
    shape = std::move(sizes);
  }

  std::string_view text_;
  std::string where_;
  size_t at_ = 0;
};

DType dtype_of(std::string_view descr, const std::string& where) {
  const bool ordered = !descr.empty() && std::string_view("<|=>").find(descr[0]) != std::string_view::npos;
  const std::string_view name = ordered ? descr.substr(1) : descr;
  for (const TypeName& type : kTypes) {
    if (name == type.descr && descr[0] != '>') {
      return type.dtype;
    }
  }
  throw Error(Code::kInvalid,
              fmt::format("{}: its numbers are '{}'; read are little-endian bool, i1 to i8, u1 to u8, f2, "
                          "f4, f8 and V2 (bfloat16)",
                          where, descr));
}

}  // namespace

TensorView read_npy(std::string_view bytes, const std::string& name, const std::string& source) {
  const std::string where = fmt::format("{}: array '{}'", source, name);
  const auto broken = [&](const std::string& what) {
    throw Error(Code::kIntegrity, fmt::format("{}: {}", where, what));
  };
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) {
    broken("it does not begin as a .npy file does");
  }
  const auto version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) {
    throw Error(Code::kInvalid, fmt::format("{}: .npy version {}; read are 1 to 3", where, version));
  }
  const size_t prefix = version == 1 ? 10 : 12;
  const size_t length = version == 1 ? load<uint16_t>(bytes.data() + 8) : load<uint32_t>(bytes.data() + 8);
  if (length > kMaxHeaderBytes || length > bytes.size() - prefix) {
    broken("its header does not fit");
  }
  HeaderReader header(bytes.substr(prefix, length), where);
  header.read();
  TensorView view{name, dtype_of(*header.descr, where), std::move(*header.shape), bytes.substr(prefix + length)};
  if (*header.fortran && view.shape.size() > 1) {
    throw Error(Code::kInvalid, fmt::format("{}: it lies columns first; save it with numpy.ascontiguousarray", where));
  }
  uint64_t count = 1;
  for (const int64_t size : view.shape) {
    if (size != 0 && count > (uint64_t{1} << 48U) / static_cast<uint64_t>(size)) {
      broken("its shape is larger than any file");
    }
    count *= static_cast<uint64_t>(size);
  }
  const auto needed = dtype_bytes(view.dtype, count);
  if (!needed || view.bytes.size() != *needed) {
    broken(fmt::format("its {} bytes of numbers do not fit its shape", view.bytes.size()));
  }
  return view;
}

std::map<std::string, TensorView> read_npz(std::string_view bytes, const std::string& source) {
  if (!is_zip(bytes)) {
    throw Error(Code::kIntegrity, fmt::format("{}: not an archive of numpy.savez", source));
  }
  std::map<std::string, TensorView> out;
  for (const auto& [entry, data] : read_zip(bytes, source)) {
    if (!entry.ends_with(".npy")) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' is no .npy file", source, entry));
    }
    const std::string name = entry.substr(0, entry.size() - 4);
    out.emplace(name, read_npy(data, name, source));
  }
  return out;
}

}  // namespace slipway::model
