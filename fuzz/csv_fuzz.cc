// CSV records in small pieces; the first bytes choose the format. Whatever comes in, records or an Error come out.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) {
    return 0;
  }
  slipway::data::CsvFormat format;
  format.delimiter = (data[0] & 1) != 0 ? '\t' : ',';
  format.quote = (data[0] & 2) != 0 ? '\0' : '"';
  format.max_record_bytes = 4096;
  format.max_fields = 64;
  const size_t piece = 1 + data[1] % 16;
  size_t at = 2;
  slipway::data::CsvReader reader(
      [&](char* buffer, size_t capacity) {
        const size_t n = std::min({capacity, piece, size - at});
        std::copy_n(data + at, n, buffer);
        at += n;
        return n;
      },
      "fuzz", format);
  std::vector<std::string_view> fields;
  size_t bytes = 0;
  try {
    while (reader.next(fields)) {
      for (const std::string_view field : fields) {
        bytes += field.size();
      }
    }
  } catch (const slipway::base::Error&) {
  }
  if (bytes > size) {
    __builtin_trap();  // fields never have more bytes than the file
  }
  return 0;
}
