#include "data/zstd_stream.h"

#include <algorithm>
#include <fmt/format.h>
#include <new>
#include <zstd.h>

namespace slipway::data {
namespace {

constexpr std::string_view kFrame = "\x28\xb5\x2f\xfd";
constexpr std::string_view kDictionary = "\x5d\x2a\x4d\x18";  // a skippable frame that holds one
constexpr size_t kMaxDictionary = size_t{16} << 20;

}  // namespace

bool ZstdStream::begins(std::string_view raw) noexcept { return raw.starts_with(kFrame) || raw.starts_with(kDictionary); }

ZstdStream::ZstdStream(std::string_view raw) : raw_(raw), context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
  if (context_ == nullptr) {
    throw std::bad_alloc();
  }
  load_dictionary();
}

ZstdStream::~ZstdStream() = default;

void ZstdStream::load_dictionary() {
  if (!raw_.starts_with(kDictionary) || raw_.size() < 8) {
    return;
  }
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) {
    size |= static_cast<size_t>(static_cast<unsigned char>(raw_[4 + i])) << (8 * i);
  }
  std::string_view bytes = raw_.substr(8, size);
  std::string unpacked;
  if (bytes.starts_with(kFrame)) {
    const unsigned long long told = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    unpacked.resize(told <= kMaxDictionary ? static_cast<size_t>(told) : kMaxDictionary);
    const size_t got = ZSTD_decompress(unpacked.data(), unpacked.size(), bytes.data(), bytes.size());
    unpacked.resize(ZSTD_isError(got) != 0U ? 0 : got);
    bytes = unpacked;
  }
  if (!bytes.empty() && bytes.size() <= kMaxDictionary) {
    ZSTD_DCtx_loadDictionary(context_.get(), bytes.data(), bytes.size());  // a bad one shows at the first frame
  }
}

ZstdStream::Step ZstdStream::broken(std::string why) {
  damage_ = std::move(why);
  open_ = false;
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  at_ = std::min(raw_.find(kFrame, std::min(at_ + 1, raw_.size())), raw_.size());
  return Step::kDamaged;
}

ZstdStream::Step ZstdStream::append(size_t n, std::string& out) {
  const size_t before = out.size();
  if (at_ == raw_.size() && !open_) {
    return Step::kEnd;
  }
  out.resize(before + n);
  ZSTD_outBuffer to{out.data() + before, n, 0};
  ZSTD_inBuffer from{raw_.data() + at_, raw_.size() - at_, 0};
  const size_t result = ZSTD_decompressStream(context_.get(), &to, &from);
  out.resize(before + to.pos);
  if (ZSTD_isError(result) != 0U) {
    return broken(fmt::format("the zstd data is damaged behind byte {}: {}", at_, ZSTD_getErrorName(result)));
  }
  at_ += from.pos;
  open_ = result != 0;
  if (to.pos == 0 && open_ && at_ == raw_.size()) {
    return broken("the file ends in the middle of a zstd frame");
  }
  return Step::kMore;
}

}  // namespace slipway::data
