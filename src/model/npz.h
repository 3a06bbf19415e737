// numpy's archives of arrays (.npz, by numpy.savez): a zip of .npy files, which are read in place. Compressed ones
// (savez_compressed), columns-first arrays of more than one dimension and Python objects are refused.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/file.h"
#include "model/tensor_source.h"

namespace slipway::model {

inline constexpr size_t kMaxArrayDimensions = 16;

// One .npy file (versions 1 to 3): the tensor called `name`, its bytes a view. Throws Error(kIntegrity) for a damaged
// one, kInvalid for what is not read: numbers that are big-endian or of other types than bool, i1 to i8, u1 to u8, f2,
// f4, f8 and V2 (jax's bfloat16).
TensorView read_npy(std::string_view bytes, const std::string& name, const std::string& source);

// Array name (the entry's without ".npy") -> view of `bytes`. Throws as read_npy and read_zip do.
std::map<std::string, TensorView> read_npz(std::string_view bytes, const std::string& source);

class NpzSource final : public TensorSource {
 public:
  explicit NpzSource(const std::filesystem::path& path)
      : source_(path.string()), file_(path), tensors_(read_npz(file_.bytes(), source_)) {}
  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "npz"; }

 private:
  std::string source_;
  base::MappedFile file_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace slipway::model
