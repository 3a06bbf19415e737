// Rows of Parquet files of any bytes copied into a file of our own: its footer and pages can be read (what lies between levels that contradict
// each other is anybody's guess).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "data/parquet.h"
#include "data/parquet_copy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace d = slipway::data;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  constexpr int kMaxRows = 2000;
  const slipway::base::TempDir folder;
  try {
    d::ParquetCopyReader copies(file);
    d::ParquetCopyWriter writer(folder.path() / "copy", file);
    std::string record;
    for (int n = 0; n < kMaxRows && copies.next(record); ++n) {
      writer.write(record);
    }
    writer.finish();
  } catch (const d::BrokenFile&) {
    return 0;
  }
  const std::string copy = slipway::base::read_file(folder.path() / "copy");
  d::ParquetRows reader(copy);  // throws, where the footer is broken: that is our fault
  std::string line;
  for (int n = 0; n < 2 * kMaxRows && reader.next(line) != d::TableRows::Step::kEnd; ++n) {
  }
  return 0;
}
