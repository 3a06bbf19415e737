// The name of a model in a request's body: any bytes; where they are JSON, what the whole parser finds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "serve/choice.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::optional<std::string> found = slipway::serve::model_field(body);
  slipway::base::Json json;
  try {
    json = slipway::base::parse_json(body, "fuzz");
  } catch (const slipway::base::Error&) {
    return 0;  // it may have been found before the fault
  }
  const size_t first = body.find("model");
  const bool once = first == body.rfind("model") && body.find('\\') == std::string_view::npos;
  if (!once) {
    return 0;  // a name that is there twice: whichever
  }
  const auto field = json.is_object() ? json.find("model") : json.end();
  const bool is_text = json.is_object() && field != json.end() && field->is_string();
  if (is_text != found.has_value() || (is_text && field->get<std::string>() != *found)) {
    std::abort();
  }
  return 0;
}
