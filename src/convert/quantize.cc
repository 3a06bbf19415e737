#include "convert/quantize.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "model/folder.h"
#include "model/int8_layout.h"

namespace slipway::convert {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using model::DType;
using model::TensorData;
using model::TensorInfo;
using model::TensorRole;

constexpr int64_t kRowsPerTask = 64;
// Clips tried for "mse", as shares of the row's largest weight: 1.00, 0.98, ... 0.60. Below that the clipped tail
// always costs more than the finer step gains for weights like these (near normal).
constexpr int kClipSteps = 21;
constexpr float kClipStep = 0.02F;

struct RowError {
  double squared_error = 0;
  double squared_weights = 0;
  double max_error = 0;
  bool clipped = false;
  bool finite = true;
};

// Rounds to the nearest whole number, half to even, in a way the compiler vectorises; |x| < 2^22.
float round_even(float x) noexcept {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23
  return (x + kMagic) - kMagic;
}

double clipped_error(std::span<const float> row, float clip) noexcept {
  const float scale = clip / model::kInt8Max;
  const float inverse = 1 / scale;
  float sum = 0;
  for (const float weight : row) {
    const float level = std::min(std::max(weight * inverse, -127.0F), 127.0F);
    const float error = weight - (round_even(level) * scale);
    sum += error * error;
  }
  return sum;
}

// The clip of least squared error; 0 (no clipping) when the largest weight is it.
float best_clip(std::span<const float> row, float largest) noexcept {
  double least = clipped_error(row, largest);
  float best = 0;
  for (int step = 1; step < kClipSteps; ++step) {
    const float clip = largest * (1 - (kClipStep * static_cast<float>(step)));
    const double error = clipped_error(row, clip);
    if (error < least) {
      least = error;
      best = clip;
    }
  }
  return best;
}

RowError quantize_one(std::span<const float> row, bool search, std::span<int8_t> out, float& scale) noexcept {
  RowError result;
  float largest = 0;
  for (const float weight : row) {
    result.finite = result.finite && std::isfinite(weight);
    largest = std::max(largest, std::fabs(weight));
  }
  if (!result.finite) {
    return result;
  }
  const float clip = search && largest > 0 && std::isfinite(model::kInt8Max / largest) ? best_clip(row, largest) : 0;
  result.clipped = clip > 0;
  scale = model::quantize_row(row, out, clip);
  for (size_t i = 0; i < row.size(); ++i) {
    const double error = static_cast<double>(row[i]) - (static_cast<double>(scale) * out[i]);
    result.squared_error += error * error;
    result.squared_weights += static_cast<double>(row[i]) * row[i];
    result.max_error = std::max(result.max_error, std::fabs(error));
  }
  return result;
}

std::string_view as_bytes(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// What the new file is made of: views into the mapped source, and buffers for what is new.
class Output {
 public:
  Output(const model::OpenedWeights& source, const QuantizeOptions& options, base::Context& context)
      : source_(source), search_(options.clip == "mse"), embeddings_(options.embeddings), context_(context) {}

  void add(const TensorInfo& info) {
    base::check_stop(context_, "quantisation");
    const std::string name = source_.naming.in_file(info.name);
    std::span<const float> values = source_.file->map_f32(name);
    std::vector<float> converted;  // when the file holds another type, or is not aligned
    if (static_cast<int64_t>(values.size()) != info.count()) {
      converted = source_.file->read_f32(name, info.count());
      values = converted;
    }
    if (info.role == TensorRole::kLinear || (embeddings_ && info.name == model::kWordEmbeddings)) {
      quantize(name, values, info.shape[0], info.shape[1]);
      return;
    }
    if (!converted.empty()) {
      values = floats_.emplace_back(std::move(converted));
    }
    tensors_.push_back({name, DType::kF32, info.shape, as_bytes(values)});
  }

  const std::vector<TensorData>& tensors() const { return tensors_; }
  Json layers() const { return layers_; }
  double relative_error() const { return weights_ > 0 ? std::sqrt(error_ / weights_) : 0; }

 private:
  void quantize(const std::string& name, std::span<const float> values, int64_t rows, int64_t cols) {
    model::Int8Rows& out = quantised_.emplace_back();
    out.values.resize(values.size());
    out.scales.resize(static_cast<size_t>(rows));
    std::vector<RowError> errors(static_cast<size_t>(rows));
    const auto width = static_cast<size_t>(cols);
    context_.pool.parallel_chunks(rows, kRowsPerTask, [&](int64_t begin, int64_t end) {
      for (auto r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
        errors[r] = quantize_one(values.subspan(r * width, width), search_,
                                 std::span<int8_t>(out.values).subspan(r * width, width), out.scales[r]);
      }
    });
    summarise(name, errors, rows, cols);
    tensors_.push_back(
        {name, DType::kI8, {rows, cols}, {reinterpret_cast<const char*>(out.values.data()), out.values.size()}});
    tensors_.push_back({model::scale_name(name), DType::kF32, {rows}, as_bytes(out.scales)});
  }

  void summarise(const std::string& name, const std::vector<RowError>& errors, int64_t rows, int64_t cols) {
    RowError total;
    int64_t clipped = 0;
    for (size_t r = 0; r < errors.size(); ++r) {
      if (!errors[r].finite) {
        throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' has a NaN or infinite weight in row {}",
                                                  source_.file->source(), name, r));
      }
      total.squared_error += errors[r].squared_error;
      total.squared_weights += errors[r].squared_weights;
      total.max_error = std::max(total.max_error, errors[r].max_error);
      clipped += errors[r].clipped ? 1 : 0;
    }
    error_ += total.squared_error;
    weights_ += total.squared_weights;
    const double ratio = total.squared_weights > 0 ? total.squared_error / total.squared_weights : 0;
    layers_.push_back({{"name", name},
                       {"rows", rows},
                       {"cols", cols},
                       {"relative_error", std::sqrt(ratio)},
                       {"max_error", total.max_error},
                       {"snr_db", ratio > 0 ? Json(-10 * std::log10(ratio)) : Json(nullptr)},
                       {"clipped", static_cast<double>(clipped) / static_cast<double>(rows)}});
  }

  const model::OpenedWeights& source_;
  bool search_;
  bool embeddings_;
  base::Context& context_;
  std::vector<TensorData> tensors_;
  // Deques in spirit: vectors moved into a vector keep their buffers, which tensors_ points into.
  std::vector<model::Int8Rows> quantised_;
  std::vector<std::vector<float>> floats_;
  Json layers_ = Json::array();
  double error_ = 0;
  double weights_ = 0;
};

// Of all tensors: the files of shards together, without their headers.
double bytes_of(const model::TensorSource& source) {
  size_t bytes = 0;
  for (const auto& [name, tensor] : source.tensors()) {
    bytes += tensor.bytes.size();
  }
  return static_cast<double>(bytes);
}

bool same_folder(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

}  // namespace

void QuantizeOptions::describe(base::FieldTable& table) {
  table.add("clip", clip, "how a row's scale is chosen: its largest weight, or the clip of least squared error",
            {"max", "mse"});
  table.add("embeddings", embeddings, "quantise the word embeddings too");
}

Json quantize_int8(const fs::path& folder_in, const fs::path& folder_out, const QuantizeOptions& options,
                   base::Context& context) {
  const double started = base::monotonic_seconds();
  const model::ModelFolder folder = model::open_model_folder(folder_in, {.weights = true, .tokenizer = false});
  if (folder.spec.recurrent) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is an {}, which is computed in float32 only", folder_in.string(),
                                  model::architecture_name(folder.spec.architecture)));
  }
  const model::OpenedWeights source = model::open_float_weights(folder);
  const std::vector<TensorInfo> infos = model::encoder_tensors(source.spec, source.naming.has_pooler);
  const std::string digest = base::sha256_file(*folder.weights);
  QuantizeOptions resolved = options;
  base::FieldTable table;
  resolved.describe(table);

  Output output(source, options, context);
  context.progress.start("quantize", static_cast<int64_t>(infos.size()), "tensors");
  for (size_t i = 0; i < infos.size(); ++i) {
    output.add(infos[i]);
    context.progress.update(static_cast<int64_t>(i) + 1, infos[i].name);
  }

  base::make_dirs(folder_out);
  if (!same_folder(folder_in, folder_out)) {
    base::write_file_atomic(folder_out / model::kConfigFile, base::dump_json_pretty(folder.config));
    model::copy_tokenizer_files(folder_in, folder_out);
  }
  const fs::path target = folder_out / model::kInt8WeightsFile;
  model::write_safetensors(target, output.tensors(),
                           {{"format", model::kInt8Format},
                            {"version", model::kInt8Version},
                            {"source_sha256", digest},
                            {"options", base::dump_json(table.to_json())}});

  const auto before = bytes_of(*source.file);
  const auto after = static_cast<double>(fs::file_size(target));
  context.progress.finish(fmt::format("{:.1f} MB instead of {:.1f} MB", after / 1e6, before / 1e6));
  return {{"format", model::kInt8Format},
          {"bytes_before", static_cast<int64_t>(before)},
          {"bytes_after", static_cast<int64_t>(after)},
          {"ratio", before / after},
          {"seconds", base::monotonic_seconds() - started},
          {"source_sha256", digest},
          {"options", table.to_json()},
          {"relative_error", output.relative_error()},
          {"layers", output.layers()}};
}

}  // namespace slipway::convert
