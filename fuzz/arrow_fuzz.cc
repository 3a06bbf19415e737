// Arrow files and streams of any bytes: rows that are JSON, faults, and an end.
#include <cstddef>
#include <cstdint>

#include "base/json.h"
#include "data/arrow.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace d = slipway::data;
  try {
    d::ArrowRows rows({reinterpret_cast<const char*>(data), size});
    std::string line;
    // Columns of nulls take no bytes, whatever their length.
    size_t bytes = 0;
    for (int n = 0; n < 20'000 && bytes < (size_t{64} << 20); ++n) {
      const d::TableRows::Step step = rows.next(line);
      if (step == d::TableRows::Step::kEnd) {
        break;
      }
      bytes += line.size();
      if (step == d::TableRows::Step::kRow && line.size() < (size_t{1} << 20)) {
        slipway::base::parse_json(line, "row");
      }
    }
  } catch (const d::BrokenFile&) {
  }
  return 0;
}
