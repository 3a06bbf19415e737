// A stored file as Xet's clients read one (docs/formats/xet.md): cut into chunks of one size, and these into xorbs, none of which is
// kept anywhere: their bytes are made of the file's when they are asked for. So every file can be read so, however it came. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/range.h"
#include "base/json.h"

namespace slipway::api {

constexpr uint64_t kViewChunkBytes = uint64_t{128} << 10;  // the protocol's longest
constexpr uint64_t kViewXorbChunks = 32;                   // 4 MiB: what one request brings, and what an answer holds in memory
constexpr uint64_t kViewXorbBytes = kViewXorbChunks * kViewChunkBytes;
// Smaller files come sooner by one plain request.
constexpr uint64_t kMinViewBytes = kViewXorbBytes + 1;

class XetView {
 public:
  // `sha256` of the content, 64 hex digits, is the file's name.
  XetView(std::string sha256, uint64_t size) : sha256_(std::move(sha256)), size_(size) {}

  uint64_t xorbs() const noexcept { return (size_ + kViewXorbBytes - 1) / kViewXorbBytes; }
  // The name of a xorb: of what is in it and where.
  std::string xorb_name(uint64_t index) const;
  uint64_t xorb_size(uint64_t index) const;  // bytes, with its chunks' headers
  // Bytes [first, first + size) of a xorb, out of the file's.
  std::string xorb_bytes(std::string_view file, uint64_t index, uint64_t first, uint64_t size) const;

  // The answer to a question for a part of the file, as whole chunks: of version 1 (`fetch_info`) or 2 (`xorbs`). `url` gives where a
  // xorb is read. Cost: the number of xorbs in it.
  base::Json reconstruction(int version, const Range& part, const std::function<std::string(uint64_t)>& url) const;

 private:
  std::string sha256_;
  uint64_t size_;
};

}  // namespace slipway::api
