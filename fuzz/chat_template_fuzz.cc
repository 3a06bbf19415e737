// Chat templates: any bytes are a template or an Error; rendering one ends within its limits.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::text::ChatRequest request;
  request.messages = slipway::base::Json::array(
      {{{"role", "system"}, {"content", " Be \xE4\xB8\xAD brief.\n"}},
       {{"role", "user"}, {"content", slipway::base::Json::array({{{"type", "text"}, {"text", "x<y"}}})}},
       {{"role", "assistant"},
        {"content", "</think>\n a,b"},
        {"tool_calls", {{{"function", {{"arguments", {{"a", 1.5}}}}}}}}}});
  request.tools = slipway::base::Json::array({{{"type", "function"}, {"function", {{"name", "f"}}}}});
  request.extra = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  request.unix_ms = 1'800'000'000'000;
  try {
    const auto chat_template = slipway::text::ChatTemplate::parse(
        {reinterpret_cast<const char*>(data), size},
        {.max_nesting = 60, .max_steps = 20'000, .max_bytes = 4 << 20, .max_output = 1 << 16});
    chat_template.render(request);
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
