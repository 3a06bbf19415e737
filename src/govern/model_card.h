// A Hugging Face model card (README.md): YAML front matter that the Hub reads, then the sections of Mitchell et al.
// 2019. Made from the same facts as the report (docs/formats/report.md); what is not among them is left out or said to
// be unknown. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::govern {

// The whole card. Facts used besides the report's: card{language[], license, tags[], intended_use, limits[], contact}.
// Throws Error(kInvalid) when `facts` is not an object.
std::string render_model_card(const base::Json& facts);

// A JSON value as YAML 1.2 block text, every string quoted where plain text would mean something else (yes, 1e3, "a:
// b", a line break). `indent` spaces before each line; ends with a newline.
std::string to_yaml(const base::Json& value, int indent = 0);

// A text as a YAML scalar: plain when that is safe, else double-quoted with escapes.
std::string yaml_scalar(std::string_view text);

}  // namespace slipway::govern
