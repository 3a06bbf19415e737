#include "api/xet_view.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/xet_format.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

constexpr uint64_t kStride = kXetChunkHeader + kViewChunkBytes;  // of a whole chunk in a xorb

}  // namespace

std::string XetView::xorb_name(uint64_t index) const { return base::sha256_hex(fmt::format("{} {}", sha256_, index)); }

uint64_t XetView::xorb_size(uint64_t index) const {
  const uint64_t bytes = std::min(kViewXorbBytes, size_ - index * kViewXorbBytes);
  return bytes + (bytes + kViewChunkBytes - 1) / kViewChunkBytes * kXetChunkHeader;
}

std::string XetView::xorb_bytes(std::string_view file, uint64_t index, uint64_t first, uint64_t size) const {
  std::string out;
  out.reserve(size);
  for (uint64_t at = first; at < first + size;) {
    const uint64_t chunk = at / kStride;
    const std::string_view content = file.substr(index * kViewXorbBytes + chunk * kViewChunkBytes, kViewChunkBytes);
    const std::string header = xet_chunk_header(content.size());
    const uint64_t within = at - chunk * kStride;
    const std::string_view rest = within < header.size() ? std::string_view(header).substr(within) : content.substr(within - header.size());
    const std::string_view piece = rest.substr(0, first + size - at);
    out += piece;
    at += piece.size();
  }
  return out;
}

base::Json XetView::reconstruction(int version, const Range& part, const std::function<std::string(uint64_t)>& url) const {
  using base::Json;
  const uint64_t begin = part.first / kViewChunkBytes;                                        // chunks of the file
  const uint64_t end = (part.first + part.size + kViewChunkBytes - 1) / kViewChunkBytes;
  Json terms = Json::array();
  Json places = Json::object();
  for (uint64_t chunk = begin; chunk < end;) {
    const uint64_t index = chunk / kViewXorbChunks;
    const uint64_t from = chunk % kViewXorbChunks;
    const uint64_t to = std::min(kViewXorbChunks, from + (end - chunk));
    const std::string name = xorb_name(index);
    const Json chunks = {{"start", from}, {"end", to}};
    const Json bytes = {{"start", from * kStride}, {"end", std::min(to * kStride, xorb_size(index)) - 1}};  // the last is within
    terms.push_back({{"hash", name},
                     {"unpacked_length", std::min((chunk + to - from) * kViewChunkBytes, size_) - chunk * kViewChunkBytes},
                     {"range", chunks}});
    places[name] = Json::array({version == 1 ? Json{{"range", chunks}, {"url", url(index)}, {"url_range", bytes}}
                                             : Json{{"url", url(index)}, {"ranges", Json::array({{{"chunks", chunks}, {"bytes", bytes}}})}}});
    chunk += to - from;
  }
  return {{"offset_into_first_range", part.first - begin * kViewChunkBytes},
          {"terms", std::move(terms)},
          {version == 1 ? "fetch_info" : "xorbs", std::move(places)}};
}

}  // namespace slipway::api
