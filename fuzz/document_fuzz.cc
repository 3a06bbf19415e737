// JSON lines of documents: what parses is written and parses to the same document again, and the general parser agrees.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "data/document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  slipway::data::Document first;
  try {
    slipway::data::parse_line(line, "fuzz", first);
  } catch (const slipway::base::Error&) {
    return 0;
  }
  std::string written;
  slipway::data::append_line(first, written);
  if (!slipway::base::Json::accept(written)) {
    __builtin_trap();
  }
  slipway::data::Document second;
  slipway::data::parse_line(written, "again", second);
  std::string again;
  slipway::data::append_line(second, again);
  if (written != again) {
    __builtin_trap();
  }
  return 0;
}
