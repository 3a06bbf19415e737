// The MODEL argument of commands: a folder, or a reference into the registry.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/app.h"
#include "engine/engine.h"
#include "engine/generator.h"

namespace slipway::cli {

struct LocatedModel {
  std::filesystem::path folder;                 // with config.json, weights, tokenizer
  std::optional<record::ModelVersion> version;  // when it came from the registry
  std::string name() const;                     // "movie-sentiment/3", or the folder
};

// A folder as it is; "models:/NAME@ALIAS" or "models:/NAME/3" laid out under the store's `models/` (once per version).
// `precision`: "int8" and "auto" take the int8 weights where the version has them. Throws Error(kNotFound) saying what
// there is.
LocatedModel locate_model(App& app, const std::string& model, const std::string& precision);

// A .gguf file or a folder as it is, else as locate_model: what engine::load_generator takes.
std::filesystem::path locate_decoder(App& app, const std::string& model);

// Where packed weights are kept: `packed` in $SLIPWAY_CACHE, else in ~/.cache/slipway; empty when neither is known.
std::filesystem::path packed_folder();
// load_generator with the program's instruction set, pool and that folder.
std::unique_ptr<engine::Generator> open_generator(App& app, const std::filesystem::path& model,
                                                  engine::GeneratorOptions options);

// locate_model, then the engine over it.
std::unique_ptr<engine::Engine> load_engine(App& app, const LocatedModel& model, const std::string& precision);

}  // namespace slipway::cli
