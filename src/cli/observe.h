// Texts through the engine, as the monitor would see them served.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "engine/engine.h"
#include "monitor/observation.h"

namespace slipway::cli {

// One observation a text, in order: tokens, probabilities, embedding. Progress under "observe".
std::vector<monitor::Observation> observe(engine::Engine& engine, const std::vector<std::string>& texts, base::Context& context);

}  // namespace slipway::cli
