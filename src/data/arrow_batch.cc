#include "data/arrow_batch.h"

#include <cstring>
#include <fmt/format.h>
#include <lz4frame.h>
#include <memory>
#include <new>
#include <zstd.h>

namespace slipway::data {
namespace {

constexpr uint64_t kMaxBuffer = uint64_t{1} << 30;
constexpr uint64_t kMaxBatch = uint64_t{2} << 30;
constexpr uint64_t kMaxRows = uint64_t{1} << 28;
constexpr uint64_t kMaxRatio = 40'000;  // a block of Zstandard, 128 KiB of one byte, takes 4
constexpr uint64_t kMaxOthers = 100'000;  // buffers of a column of views

void need(std::string_view bytes, uint64_t size, const ArrowField& field, const ArrowArray& array) {
  if (bytes.size() < size) {
    throw BrokenFile(fmt::format("a buffer of '{}' is shorter than its {} values", field.name, array.length));
  }
}

size_t unpack_lz4(std::string_view packed, std::string& out) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)) != 0U) {
    throw std::bad_alloc();
  }
  const std::unique_ptr<LZ4F_dctx, size_t (*)(LZ4F_dctx*)> context(raw, LZ4F_freeDecompressionContext);
  size_t got = 0;
  for (size_t result = 1; result != 0 && !packed.empty();) {
    size_t to = out.size() - got;
    size_t from = packed.size();
    result = LZ4F_decompress(raw, out.data() + got, &to, packed.data(), &from, nullptr);
    if (LZ4F_isError(result) != 0U || (to == 0 && from == 0)) {
      return SIZE_MAX;
    }
    got += to;
    packed.remove_prefix(from);
  }
  return got;
}

}  // namespace

std::string ArrowBatch::unpack(std::string_view packed, int64_t size) {
  unpacked_bytes_ += static_cast<uint64_t>(size);
  if (size < 0 || static_cast<uint64_t>(size) > kMaxBuffer || static_cast<uint64_t>(size) / kMaxRatio > packed.size() || unpacked_bytes_ > kMaxBatch) {
    throw BrokenFile(fmt::format("a buffer of {} bytes out of {}; the limits are {} a buffer and {} a batch", size, packed.size(), kMaxBuffer, kMaxBatch));
  }
  std::string out(static_cast<size_t>(size), '\0');
  const size_t got = codec_ == 1 ? ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size()) : unpack_lz4(packed, out);
  if (got != out.size()) {
    throw BrokenFile(fmt::format("a buffer does not unpack to the {} bytes that are told", size));
  }
  return out;
}

std::string_view ArrowBatch::next_buffer() {
  if (buffer_ >= record_.count(2, 16)) {
    throw BrokenFile("a batch with fewer buffers than its columns need");
  }
  const int64_t offset = record_.item_number(2, 16, buffer_, 0);
  const int64_t size = record_.item_number(2, 16, buffer_, 8);
  ++buffer_;
  if (offset < 0 || size < 0 || static_cast<uint64_t>(offset) > body_.size() || static_cast<uint64_t>(size) > body_.size() - static_cast<uint64_t>(offset)) {
    throw BrokenFile("a buffer outside its batch");
  }
  const std::string_view bytes = body_.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
  if (codec_ < 0 || bytes.size() < sizeof(int64_t)) {
    return bytes;
  }
  int64_t unpacked = 0;  // bytes; -1: this one is not packed
  std::memcpy(&unpacked, bytes.data(), sizeof unpacked);
  const std::string_view rest = bytes.substr(sizeof unpacked);
  return unpacked == -1 ? rest : std::string_view(unpacked_.emplace_back(unpack(rest, unpacked)));
}

ArrowBatch::ArrowBatch(const FlatTable& record, std::string_view body, const std::vector<ArrowField>& fields) : record_(record), body_(body) {
  const FlatTable compression = record.table(3);
  codec_ = compression.valid() ? compression.number<int8_t>(0) : -1;
  const auto length = record.number<int64_t>(0);
  if (length < 0 || static_cast<uint64_t>(length) > kMaxRows || codec_ > 1) {
    throw BrokenFile(fmt::format("a batch of {} rows, codec {}", length, codec_));
  }
  length_ = static_cast<uint64_t>(length);
  for (const ArrowField& field : fields) {
    columns_.emplace_back();
    fill(field, columns_.back());
    if (columns_.back().length < length_) {
      throw BrokenFile(fmt::format("'{}' has fewer values than rows", field.name));
    }
  }
}

// A field's node and buffers, then those of its children: RecordBatch's order.
void ArrowBatch::fill(const ArrowField& field, ArrowArray& array) {
  if (node_ >= record_.count(1, 16)) {
    throw BrokenFile("a batch with fewer columns than the schema");
  }
  const int64_t length = record_.item_number(1, 16, node_, 0);
  const int64_t nulls = record_.item_number(1, 16, node_, 8);
  ++node_;
  if (length < 0 || static_cast<uint64_t>(length) > kMaxRows) {
    throw BrokenFile(fmt::format("{} values of '{}' in a batch; {} are the most", length, field.name, kMaxRows));
  }
  array.length = static_cast<uint64_t>(length);
  if (field.type == ArrowType::kNull) {
    return;
  }
  array.validity = next_buffer();
  if (nulls == 0 || array.validity.empty()) {
    if (nulls > 0 && array.length > 0) {
      throw BrokenFile(fmt::format("'{}' does not say which of its values are missing", field.name));
    }
    array.validity = {};
  } else {
    need(array.validity, (array.length + 7) / 8, field, array);
  }
  fill_values(field, array);
  for (const ArrowField& child : field.children) {
    array.children.emplace_back();
    fill(child, array.children.back());
    const uint64_t wanted = field.type == ArrowType::kStruct      ? array.length
                            : field.type == ArrowType::kFixedList ? array.length * static_cast<uint64_t>(field.width)
                                                                  : 0;
    if (array.children.back().length < wanted) {
      throw BrokenFile(fmt::format("'{}' has fewer values than rows", child.name));
    }
  }
}

void ArrowBatch::fill_values(const ArrowField& field, ArrowArray& array) {
  if (field.is_view()) {
    fill_views(field, array);
    return;
  }
  const bool offsets = field.is_text() || (field.is_list() && field.type != ArrowType::kFixedList);
  if (offsets) {
    array.offsets = next_buffer();
    if (array.length > 0) {
      need(array.offsets, (array.length + 1) * (field.is_wide() ? 8 : 4), field, array);
    }
    array.values = field.is_text() ? next_buffer() : std::string_view();
  } else if (field.type == ArrowType::kBool) {
    array.values = next_buffer();
    need(array.values, (array.length + 7) / 8, field, array);
  } else if (field.type != ArrowType::kStruct && field.type != ArrowType::kFixedList) {
    array.values = next_buffer();
    need(array.values, array.length * static_cast<uint64_t>(field.type == ArrowType::kFixedBinary ? field.width : field.width / 8), field, array);
  }
}

// Views of 16 bytes, then as many buffers as the batch says of this column.
void ArrowBatch::fill_views(const ArrowField& field, ArrowArray& array) {
  array.values = next_buffer();
  need(array.values, array.length * 16, field, array);
  if (view_ >= record_.count(4, 8)) {
    throw BrokenFile(fmt::format("the batch does not say how many buffers '{}' has", field.name));
  }
  const int64_t n = record_.item_number(4, 8, view_++, 0);
  if (n < 0 || static_cast<uint64_t>(n) > kMaxOthers) {
    throw BrokenFile(fmt::format("{} buffers of '{}'", n, field.name));
  }
  for (int64_t i = 0; i < n; ++i) {
    array.others.push_back(next_buffer());
  }
}

}  // namespace slipway::data
