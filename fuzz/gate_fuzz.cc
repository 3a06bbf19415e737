// Any text is a gate that can be evaluated, or an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "govern/gate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const govern::Measures measures = {{"a", {0.5, 0.4, 0.6, 10}}, {"f1", {0.7, 0.6, 0.8, 20}}};
  try {
    const govern::Gate gate = govern::Gate::parse({reinterpret_cast<const char*>(data), size});
    govern::to_json(gate.evaluate(measures, nullptr));
    govern::to_json(gate.evaluate(measures, &measures));
    return 0;
  } catch (const base::Error&) {
    return 0;
  }
}
