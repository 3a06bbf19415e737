// Configuration texts: any bytes are a document or an Error, within the limits.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "base/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const slipway::base::YamlDocument document = slipway::base::parse_yaml(text, "fuzz.yaml", {.max_nodes = 5000});
    slipway::base::dump_json(document.value);
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
