// The MODEL argument of commands: a folder or file, a reference into the registry, or an address of a hub.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/fields.h"
#include "cli/app.h"
#include "engine/engine.h"
#include "engine/generator.h"
#include "hub/snapshots.h"

namespace slipway::cli {

struct LocatedModel {
  std::filesystem::path folder;                 // with config.json, weights, tokenizer
  std::optional<record::ModelVersion> version;  // when it came from the registry
  std::string name() const;                     // "movie-sentiment/3", or the folder
};

// A folder or file as it is; "models:/NAME@ALIAS" or "models:/NAME/3" laid out under the store's `models/` (once per
// version); "hf://…" in the cache (once per commit). `precision`: "int8" and "auto" take the int8 weights where the version
// has them. Throws as serve::Sources::locate.
LocatedModel locate_model(App& app, const std::string& model, const std::string& precision);

// The same as a path: what engine::load_generator takes.
std::filesystem::path locate_decoder(App& app, const std::string& model);

// `name` in $SLIPWAY_CACHE, else in ~/.cache/slipway; empty when neither is known. "packed": packed weights; "hub": what
// came from hubs.
std::filesystem::path cache_folder(const char* name);
// Where hf://… come from: $HF_ENDPOINT, with $HF_TOKEN, into the cache.
std::shared_ptr<const hub::Snapshots> hub_snapshots(App& app);
// load_generator with the program's instruction set, pool and that folder.
std::unique_ptr<engine::Generator> open_generator(App& app, const std::filesystem::path& model,
                                                  engine::GeneratorOptions options);

// `--lora FOLDER`: the adapter that all requests of a command go through.
struct LoraFlag {
  std::string folder;
  void describe(base::FieldTable& flags);
  // Has it loaded with the generator. Returns the name for the requests; empty without one.
  std::string choose(engine::GeneratorOptions& options) const;
};

// locate_model, then the engine over it.
std::unique_ptr<engine::Engine> load_engine(App& app, const LocatedModel& model, const std::string& precision);

}  // namespace slipway::cli
