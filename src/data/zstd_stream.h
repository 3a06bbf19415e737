// A whole zstd file of any size unpacked piece by piece, as web archives use it: frames one after the other, perhaps with a dictionary of
// their own in front (IIPC, WARC/zstd). What is damaged costs its frame. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ZSTD_DCtx_s;

namespace slipway::data {

class ZstdStream {
 public:
  // `raw` is the file, borrowed.
  explicit ZstdStream(std::string_view raw);
  ~ZstdStream();
  ZstdStream(const ZstdStream&) = delete;
  ZstdStream& operator=(const ZstdStream&) = delete;

  enum class Step : uint8_t { kMore, kEnd, kDamaged };
  // Appends at most `n` bytes to `out`. kDamaged: damage() says what; the next call goes on at the next frame.
  Step append(size_t n, std::string& out);
  const std::string& damage() const noexcept { return damage_; }
  uint64_t consumed() const noexcept { return at_; }

  // Do these bytes begin a zstd file?
  static bool begins(std::string_view raw) noexcept;

 private:
  void load_dictionary();
  Step broken(std::string why);

  const std::string_view raw_;
  std::unique_ptr<ZSTD_DCtx_s, size_t (*)(ZSTD_DCtx_s*)> context_;
  size_t at_ = 0;
  bool open_ = false;  // inside a frame
  std::string damage_;
};

}  // namespace slipway::data
