#include "text/stream_decoder.h"

namespace slipway::text {
namespace {

// A broken character at the end, which more bytes may yet complete.
bool ends_open(const std::string& text) noexcept { return text.ends_with("\xEF\xBF\xBD"); }

// No character needs more tokens than it has bytes; beyond that what is held back is broken for good.
constexpr size_t kMaxHeld = 4;

}  // namespace

std::string StreamDecoder::push(int32_t id) {
  if (skip_special_tokens_ && tokenizer_.is_special(id)) {
    return {};
  }
  ids_.push_back(id);
  return take(ids_.size() - out_ids_ > kMaxHeld);
}

std::string StreamDecoder::flush() {
  std::string text = take(true);
  ids_.clear();
  out_ids_ = out_size_ = 0;
  return text;
}

std::string StreamDecoder::take(bool all) {
  const std::string text = tokenizer_.decode(ids_, skip_special_tokens_);
  if (text.size() <= out_size_ || (!all && ends_open(text))) {
    return {};
  }
  std::string fresh = text.substr(out_size_);
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(out_ids_));
  out_ids_ = ids_.size();
  out_size_ = tokenizer_.decode(ids_, skip_special_tokens_).size();
  return fresh;
}

}  // namespace slipway::text
