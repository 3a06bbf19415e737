// The sections of the report, each from its part of the facts. Internal to the room. A section that has no facts says
// so and is marked in the list of contents.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "govern/html.h"

namespace slipway::govern {

struct Section {
  std::string id;  // anchor
  std::string title;
  std::string about;  // one sentence on how to read it
  std::string chip;   // "n = 2,034", may be empty
  std::string body;   // HTML
  bool measured = true;
};

const char* report_style() noexcept;

Section gates_section(const base::Json& facts);
Section data_section(const base::Json& facts);
Section training_section(const base::Json& facts);
Section evaluation_section(const base::Json& facts);
Section slices_section(const base::Json& facts);
Section comparison_section(const base::Json& facts);
Section bias_section(const base::Json& facts);
Section quantization_section(const base::Json& facts);
Section cost_section(const base::Json& facts);
Section drift_section(const base::Json& facts);
Section explanation_section(const base::Json& facts);
Section lineage_section(const base::Json& facts);
Section repeat_section(const base::Json& facts);

}  // namespace slipway::govern
