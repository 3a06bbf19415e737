#include "model/int8_layout.h"

#include <cmath>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

[[noreturn]] void broken(const TensorSource& file, const std::string& name, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' {}", file.source(), name, what));
}

}  // namespace

std::string scale_name(const std::string& name) { return name + ".scale"; }

bool is_int8_file(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kInt8Format) {
    return false;
  }
  const auto version = file.metadata().find("version");
  if (version == file.metadata().end() || version->second != kInt8Version) {
    throw Error(Code::kInvalid,
                fmt::format("{}: version '{}' of the int8 layout is not known; this program reads version {}",
                            file.source(), version == file.metadata().end() ? "" : version->second, kInt8Version));
  }
  return true;
}

Int8Matrix read_int8(const TensorSource& file, const std::string& name, int64_t rows, int64_t cols) {
  const TensorView* values = file.find(name);
  if (values == nullptr || values->dtype != DType::kI8 || values->shape != std::vector<int64_t>{rows, cols}) {
    broken(file, name, fmt::format("must be I8 [{}, {}]", rows, cols));
  }
  const std::string scales_name = scale_name(name);
  const TensorView* scales = file.find(scales_name);
  if (scales == nullptr || scales->dtype != DType::kF32 || scales->shape != std::vector<int64_t>{rows}) {
    broken(file, scales_name, fmt::format("must be F32 [{}]", rows));
  }
  Int8Matrix matrix;
  matrix.scales = file.map_f32(scales_name);
  if (static_cast<int64_t>(matrix.scales.size()) != rows) {
    broken(file, scales_name, "does not lie at a multiple of 4 bytes");
  }
  for (const float scale : matrix.scales) {
    if (!std::isfinite(scale) || scale < 0) {
      broken(file, scales_name, "has a scale that is negative or not finite");
    }
  }
  // int8_t is signed char here: reading the map's char bytes through it is allowed.
  matrix.values = {reinterpret_cast<const int8_t*>(values->bytes.data()), values->bytes.size()};
  matrix.rows = static_cast<int>(rows);
  matrix.cols = static_cast<int>(cols);
  return matrix;
}

float quantize_row(std::span<const float> weights, std::span<int8_t> out, float clip) noexcept {
  float largest = 0;
  for (const float weight : weights) {
    largest = std::max(largest, std::fabs(weight));
  }
  const float bound = clip > 0 ? std::min(clip, largest) : largest;
  const float scale = bound / kInt8Max;
  if (!(scale > 0) || !std::isfinite(1 / scale)) {
    std::fill(out.begin(), out.end(), int8_t{0});
    return 0;
  }
  const float inverse = 1 / scale;
  for (size_t i = 0; i < weights.size(); ++i) {
    const float scaled = std::min(std::max(weights[i] * inverse, -127.0F), 127.0F);
    out[i] = static_cast<int8_t>(std::lrintf(scaled));  // the default rounding mode: half to even
  }
  return scale;
}

Int8Rows quantize_rows(std::span<const float> weights, int64_t rows, int64_t cols) {
  SLIPWAY_CHECK(static_cast<int64_t>(weights.size()) == rows * cols);
  Int8Rows result;
  result.values.resize(weights.size());
  result.scales.resize(static_cast<size_t>(rows));
  const auto width = static_cast<size_t>(cols);
  for (size_t r = 0; r < result.scales.size(); ++r) {
    result.scales[r] =
        quantize_row(weights.subspan(r * width, width), std::span<int8_t>(result.values).subspan(r * width, width));
  }
  return result;
}

}  // namespace slipway::model
