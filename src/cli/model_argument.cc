#include "cli/model_argument.h"

#include <cstdlib>
#include <fmt/format.h>

#include "serve/source.h"

namespace slipway::cli {

namespace fs = std::filesystem;

std::string LocatedModel::name() const {
  return version ? fmt::format("{}/{}", version->model, version->version) : folder.string();
}

LocatedModel locate_model(App& app, const std::string& model, const std::string& precision) {
  record::Store* const store = record::is_model_reference(model) ? &app.store() : nullptr;
  const serve::Source source = serve::Sources(store, app.store_path(), hub_snapshots(app)).locate(model, precision);
  LocatedModel located{source.path, std::nullopt};
  if (source.version > 0) {
    located.version = store->registry().find_version(source.model, source.version);
  }
  return located;
}

fs::path locate_decoder(App& app, const std::string& model) { return locate_model(app, model, "float32").folder; }

fs::path cache_folder(const char* name) {
  const char* const cache = std::getenv("SLIPWAY_CACHE");  // NOLINT(concurrency-mt-unsafe)
  if (cache != nullptr && *cache != '\0') {
    return fs::path(cache) / name;
  }
  const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  return home != nullptr && *home != '\0' ? fs::path(home) / ".cache" / "slipway" / name : fs::path();
}

std::shared_ptr<const hub::Snapshots> hub_snapshots(App& app) {
  hub::ClientOptions options =
      hub::options_from_environment([](const char* name) { return std::getenv(name); });  // NOLINT(concurrency-mt-unsafe)
  options.stop = app.stop();
  return std::make_shared<const hub::Snapshots>(cache_folder("hub"), std::move(options), app.log(), app.progress());
}

std::unique_ptr<engine::Generator> open_generator(App& app, const std::filesystem::path& model,
                                                  engine::GeneratorOptions options) {
  options.isa = app.options().isa;
  options.cache_folder = cache_folder("packed");
  return engine::load_generator(model, options, app.pool());
}

void LoraFlag::describe(base::FieldTable& flags) {
  flags.add("lora", folder, "the folder of a LoRA adapter (peft's) to apply");
}

std::string LoraFlag::choose(engine::GeneratorOptions& options) const {
  if (folder.empty()) {
    return "";
  }
  options.lora = {"lora=" + folder};
  return "lora";
}

std::unique_ptr<engine::Engine> load_engine(App& app, const LocatedModel& model, const std::string& precision) {
  engine::EngineOptions options;
  options.precision = precision;
  options.isa = app.options().isa;
  return engine::Engine::load(model.folder, options, app.pool());
}

}  // namespace slipway::cli
