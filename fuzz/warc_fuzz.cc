// WARC and ARC files and the HTTP messages in them: whatever comes in, records come out, none beyond the file, and an end.
#include <cstddef>
#include <cstdint>

#include "data/extract.h"
#include "data/http_message.h"
#include "data/warc.h"
#include "data/zstd_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  slipway::data::WarcReader reader(bytes, {4096, 65536});
  slipway::data::WarcRecord record;
  slipway::data::HttpMessage message;
  size_t records = 0;
  while (reader.next(record)) {
    // A record takes a byte of the file or, in a gzip member, one of at most 1,032 that it unpacks to; zstd's are bounded by none.
    const bool zstd = slipway::data::ZstdStream::begins(bytes);
    if ((!zstd && (++records > 1033 * (size + 1) || record.offset + record.length > size)) || record.block.size() > 65536) {
      __builtin_trap();
    }
    slipway::data::parse_http_response(record.block, 65536, message);
    if (message.body.size() > 2 * 65536) {
      __builtin_trap();
    }
  }
  slipway::data::looks_like_warc(bytes);
  return 0;
}
