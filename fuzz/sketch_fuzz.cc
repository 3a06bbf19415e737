// Reference sketches from untrusted bytes: refused with base::Error or read and written back.
#include <cstdint>

#include "base/error.h"
#include "monitor/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto sketch = slipway::monitor::parse_sketch({reinterpret_cast<const char*>(data), size}, "input");
    const auto again = slipway::monitor::parse_sketch(slipway::monitor::serialize_sketch(sketch), "again");
    if (again.rows.size() != sketch.rows.size()) {
      __builtin_trap();
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
