#include "serve/load.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/seq2seq.h"
#include "model/decoder_files.h"
#include "model/seq2seq_files.h"
#include "serve/decoder_model.h"
#include "serve/encoder_model.h"
#include "serve/seq2seq_model.h"
#include "serve/source.h"

namespace slipway::serve {

namespace {

// Of a writer of text, whose versions are loaded whole.
Origin origin_of(const Source& source, record::Store* store, const ServeOptions& options) {
  Origin origin{source.display(), source.version_text(), {}};
  if (!source.alias.empty()) {
    origin.moved = [source, sources = Sources(store, options.store, options.hub)] { return sources.moved(source); };
  }
  return origin;
}

// Those of the model that clients call `name`, without the words that say so.
std::vector<std::string> adapters_of(const ServeOptions& options, const std::string& name) {
  std::vector<std::string> own;
  for (const std::string& text : options.generator.lora) {
    const std::string model = model_of_adapter(text);
    if (model == name) {
      own.push_back(text.substr(model.size() + 1));
    } else if (!options.several) {
      own.push_back(text);
    }
  }
  return own;
}

std::unique_ptr<ServedModel> load_decoder(const std::string& name, const Source& source, const ServeOptions& options,
                                          record::Store* store, const ServeHooks& hooks, const Host& host) {
  engine::GeneratorOptions how = options.generator;
  how.max_queue = options.max_queue;
  how.lora = adapters_of(options, name.empty() ? engine::model_name(source.path) : name);
  auto generator = (hooks.generator_loader ? hooks.generator_loader : GeneratorLoader(engine::load_generator))(
      source.path, how, host.context.pool);
  return std::make_unique<DecoderModel>(name, std::move(generator), host, origin_of(source, store, options));
}

std::unique_ptr<ServedModel> load_seq2seq(const std::string& name, const Source& source, const ServeOptions& options,
                                          record::Store* store, const Host& host) {
  engine::Seq2SeqOptions how;
  how.max_queue = options.max_queue;
  how.max_sequences = options.generator.max_sequences;
  how.context_length = options.generator.context_length;
  how.kv_cache_mb = options.generator.kv_cache_mb;
  how.isa = options.generator.isa;
  return std::make_unique<Seq2SeqModel>(Seq2SeqModelOptions{name, options.task},
                                        engine::load_seq2seq(source.path, how, host.context.pool), host,
                                        origin_of(source, store, options));
}

}  // namespace

std::string model_of_adapter(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t colon = text.find(':');
  return equals != std::string::npos && colon < equals ? text.substr(0, colon) : "";
}

MakeModel model_maker(const ServeOptions& options, record::Store* store, MakeHooks hooks) {
  return [options, store, hooks = std::move(hooks)](const std::string& name, const std::string& reference,
                                                    const Host& host) -> std::unique_ptr<ServedModel> {
    const Sources sources(store, options.store, options.hub);
    Source source = sources.locate(reference, options.precision);
    const bool decoder = model::is_decoder_path(source.path);
    if (!options.generator.lora.empty() && !options.several && !decoder) {
      throw base::Error(base::Code::kInvalid, fmt::format("--lora is for decoders, and '{}' is none", reference));
    }
    if (decoder || model::is_seq2seq_path(source.path)) {
      source = sources.locate(reference, "float32");  // their weights have one artifact
      const bool brought = source.path != reference;  // from the registry or a hub: the folder's name says nothing
      const std::string called = name.empty() && brought ? source.model : name;  // else its own
      return decoder ? load_decoder(called, source, options, store, hooks ? hooks() : ServeHooks(), host)
                     : load_seq2seq(called, source, options, store, host);
    }
    ServeOptions own = options;
    own.model = reference;
    own.endpoint = name;
    return std::make_unique<EncoderModel>(std::move(own), store, host, hooks ? hooks() : ServeHooks());
  };
}

}  // namespace slipway::serve
