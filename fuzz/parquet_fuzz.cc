// Parquet files of any bytes: rows that are JSON, faults, and an end.
#include <cstddef>
#include <cstdint>

#include "base/json.h"
#include "data/parquet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace d = slipway::data;
  try {
    d::ParquetRows rows({reinterpret_cast<const char*>(data), size});
    std::string line;
    // A column of nulls only takes no bytes: rows are bounded by the levels' runs, not by the file.
    for (int n = 0; n < 20'000; ++n) {
      const d::TableRows::Step step = rows.next(line);
      if (step == d::TableRows::Step::kEnd) {
        break;
      }
      if (step == d::TableRows::Step::kRow) {
        slipway::base::parse_json(line, "row");
      }
    }
  } catch (const d::BrokenFile&) {
  }
  return 0;
}
