#include "cli/model_argument.h"

#include <cstdlib>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::cli {

namespace fs = std::filesystem;

std::string LocatedModel::name() const {
  return version ? fmt::format("{}/{}", version->model, version->version) : folder.string();
}

LocatedModel locate_model(App& app, const std::string& model, const std::string& precision) {
  if (!record::is_model_reference(model)) {
    if (model.starts_with("models:")) {
      record::parse_model_reference(model);  // throws, saying the two forms
    }
    if (!fs::exists(model)) {
      throw base::Error(base::Code::kNotFound,
                        fmt::format("'{}' is neither a model folder, nor a file of word vectors, nor a reference like models:/NAME@ALIAS or models:/NAME/3", model));
    }
    return {model, std::nullopt};
  }
  record::Store& store = app.store();
  LocatedModel located;
  located.version = store.registry().resolve(model);
  const auto& artifacts = located.version->artifacts;
  const bool int8 = precision != "float32" && artifacts.contains("int8");
  const auto found = artifacts.find(int8 ? "int8" : "model");
  if (found == artifacts.end()) {
    throw base::Error(base::Code::kNotFound, fmt::format("{} has no weights in the record", located.name()));
  }
  // Named by digest: immutable, shared by every command that asks for the same version.
  located.folder = app.store_path() / "models" / found->second.substr(7);
  if (!fs::exists(located.folder / "config.json")) {
    const fs::path fresh = located.folder.string() + fmt::format(".{}", record::new_id());
    base::make_dirs(located.folder.parent_path());
    store.artifacts().checkout(found->second, fresh, false);
    std::error_code error;
    fs::rename(fresh, located.folder, error);
    if (error) {
      fs::remove_all(fresh);  // another process was first
    }
  }
  return located;
}

fs::path locate_decoder(App& app, const std::string& model) {
  if (fs::is_regular_file(model)) {
    return model;
  }
  if (!record::is_model_reference(model) && !model.starts_with("models:") && !fs::is_directory(model)) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("'{}' is neither a model folder, nor a .gguf file, nor a reference like models:/NAME@ALIAS", model));
  }
  return locate_model(app, model, "float32").folder;
}

fs::path packed_folder() {
  const char* const cache = std::getenv("SLIPWAY_CACHE");
  if (cache != nullptr && *cache != '\0') {
    return fs::path(cache) / "packed";
  }
  const char* const home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? fs::path(home) / ".cache" / "slipway" / "packed" : fs::path();
}

std::unique_ptr<engine::Generator> open_generator(App& app, const std::filesystem::path& model,
                                                  engine::GeneratorOptions options) {
  options.isa = app.options().isa;
  options.cache_folder = packed_folder();
  return engine::load_generator(model, options, app.pool());
}

std::unique_ptr<engine::Engine> load_engine(App& app, const LocatedModel& model, const std::string& precision) {
  engine::EngineOptions options;
  options.precision = precision;
  options.isa = app.options().isa;
  return engine::Engine::load(model.folder, options, app.pool());
}

}  // namespace slipway::cli
