#include "model/decoder_weights.h"

#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "base/error.h"
#include "model/decoder_layout.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

struct Place {
  const TensorView* tensor = nullptr;
  Layout layout = Layout::kRows;
  int64_t first = 0;  // row (column of kTransposed) of the file where ours begin
  DecoderRole role = DecoderRole::kLinear;
  std::vector<int64_t> shape;
};

// Our tensor as a copy whose row r is the file's row `row_of(r)`.
template <class RowOf>
LoadedTensor gather_rows(const Place& place, const std::string& name, RowOf row_of) {
  const size_t row_bytes = place.tensor->bytes.size() / static_cast<size_t>(place.tensor->shape.front());
  const auto rows = static_cast<size_t>(place.shape.front());
  LoadedTensor out{{name, place.tensor->dtype, place.shape, {}}, std::make_unique<char[]>(rows * row_bytes)};
  for (size_t r = 0; r < rows; ++r) {
    const auto from = static_cast<size_t>(row_of(static_cast<int64_t>(r)));
    std::memcpy(out.storage.get() + r * row_bytes, place.tensor->bytes.data() + from * row_bytes, row_bytes);
  }
  out.view.bytes = {out.storage.get(), rows * row_bytes};
  return out;
}

LoadedTensor transpose(const Place& place, const std::string& name) {
  const size_t size = dtype_size(place.tensor->dtype);
  const auto rows = static_cast<size_t>(place.shape[0]);
  const auto columns = static_cast<size_t>(place.shape[1]);
  const auto stride = static_cast<size_t>(place.tensor->shape[1]);
  const char* from = place.tensor->bytes.data() + static_cast<size_t>(place.first) * size;
  LoadedTensor out{{name, place.tensor->dtype, place.shape, {}}, std::make_unique<char[]>(rows * columns * size)};
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      std::memcpy(out.storage.get() + (r * columns + c) * size, from + (c * stride + r) * size, size);
    }
  }
  out.view.bytes = {out.storage.get(), rows * columns * size};
  return out;
}

LoadedTensor plus_one(const Place& place, const std::string& name, const std::string& source) {
  std::vector<float> values = tensor_to_f32(*place.tensor, source);
  for (float& value : values) {
    value += 1;
  }
  const size_t bytes = values.size() * sizeof(float);
  LoadedTensor out{{name, DType::kF32, place.shape, {}}, std::make_unique<char[]>(bytes)};
  std::memcpy(out.storage.get(), values.data(), bytes);
  out.view.bytes = {out.storage.get(), bytes};
  return out;
}

}  // namespace

struct DecoderWeights::State {
  DecoderSpec spec;
  std::shared_ptr<const TensorSource> source;
  FileNaming naming = FileNaming::kHuggingFace;
  std::vector<std::string> names;
  std::map<std::string, Place> places;

  Place locate(const DecoderTensor& tensor) const;
  const Place& place_of(const std::string& name) const;
  LoadedTensor load(const Place& place, const std::string& name) const;
};

Place DecoderWeights::State::locate(const DecoderTensor& tensor) const {
  const std::vector<FileSpelling> spellings = file_spellings(spec, naming, tensor);
  for (const FileSpelling& spelling : spellings) {
    const TensorView* found = source->find(spelling.name);
    if (found == nullptr) {
      continue;
    }
    const Extent extent = extent_of(spec, tensor, spelling.fusion);
    const Place place{found, layout_of(spec, naming, tensor), extent.first, tensor.role, tensor.shape};
    std::vector<int64_t> wanted = tensor.shape;
    wanted.front() = extent.total;
    if (place.layout == Layout::kTransposed) {
      std::swap(wanted[0], wanted[1]);
    }
    if (found->shape != wanted) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: tensor '{}' has the shape [{}], the configuration needs [{}]", source->source(),
                              spelling.name, fmt::join(found->shape, ", "), fmt::join(wanted, ", ")));
    }
    // A vector has no rows to be made of blocks, and blocks cannot be transposed.
    const bool blocks_allowed = wanted.size() == 2 && place.layout != Layout::kTransposed;
    if (!dtype_is_float(found->dtype) || (dtype_block(found->dtype) != 1 && !blocks_allowed)) {
      throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' is {}, which weights cannot be here", source->source(),
                                                spelling.name, dtype_name(found->dtype)));
    }
    return place;
  }
  throw Error(Code::kIntegrity, fmt::format("{}: there is no tensor '{}'", source->source(),
                                            spellings.empty() ? tensor.name : spellings.front().name));
}

LoadedTensor DecoderWeights::State::load(const Place& place, const std::string& name) const {
  switch (place.layout) {
    case Layout::kTransposed: return transpose(place, name);
    case Layout::kMinusOne: return plus_one(place, name, source->source());
    case Layout::kHeadInterleaved:
    case Layout::kPairInterleaved:
      return gather_rows(place, name,
                         [&](int64_t row) { return file_row(spec, place.layout, place.role, place.first, row); });
    case Layout::kRows: break;
  }
  const size_t row_bytes = place.tensor->bytes.size() / static_cast<size_t>(place.tensor->shape.front());
  const size_t first = static_cast<size_t>(place.first) * row_bytes;
  return {{name, place.tensor->dtype, place.shape,
           place.tensor->bytes.substr(first, static_cast<size_t>(place.shape.front()) * row_bytes)},
          nullptr};
}

DecoderWeights::DecoderWeights(const DecoderSpec& spec, std::shared_ptr<const TensorSource> source)
    : state_(std::make_unique<State>()) {
  check_decoder_spec(spec, source->source());
  state_->spec = spec;
  state_->source = std::move(source);
  state_->naming = std::string_view(state_->source->format()) == "gguf" ? FileNaming::kGguf : FileNaming::kHuggingFace;
  for (const DecoderTensor& tensor : decoder_tensors(spec)) {
    state_->places.emplace(tensor.name, state_->locate(tensor));
    state_->names.push_back(tensor.name);
  }
  if (spec.tied_embeddings) {
    state_->places.emplace("lm_head.weight", state_->places.at("model.embed_tokens.weight"));
    state_->names.emplace_back("lm_head.weight");
  }
  if (state_->naming == FileNaming::kGguf && spec.family == DecoderFamily::kLlama && spec.head_dim % 2 != 0) {
    throw Error(Code::kIntegrity, fmt::format("{}: heads of {} dimensions cannot turn in pairs",
                                              state_->source->source(), spec.head_dim));
  }
}

DecoderWeights::~DecoderWeights() = default;
DecoderWeights::DecoderWeights(DecoderWeights&&) noexcept = default;
DecoderWeights& DecoderWeights::operator=(DecoderWeights&&) noexcept = default;

const std::vector<std::string>& DecoderWeights::names() const { return state_->names; }
bool DecoderWeights::has(const std::string& name) const { return state_->places.contains(name); }
const TensorSource& DecoderWeights::source() const { return *state_->source; }

const Place& DecoderWeights::State::place_of(const std::string& name) const {
  const auto it = places.find(name);
  if (it == places.end()) {
    throw Error(Code::kInvalid, fmt::format("{}: the model has no tensor '{}'", source->source(), name));
  }
  return it->second;
}

LoadedTensor DecoderWeights::load(const std::string& name) const { return state_->load(state_->place_of(name), name); }

TensorView DecoderWeights::describe(const std::string& name) const {
  const Place& place = state_->place_of(name);
  return {name, place.layout == Layout::kMinusOne ? DType::kF32 : place.tensor->dtype, place.shape, {}};
}

}  // namespace slipway::model
