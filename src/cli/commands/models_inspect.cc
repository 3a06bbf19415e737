// slipway models inspect: what is in a model's folder or file.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ostream>

#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "model/cost.h"
#include "model/decoder_files.h"
#include "model/folder.h"
#include "model/inspect.h"
#include "model/safetensors_source.h"
#include "model/seq2seq_files.h"
#include "model/torch_file.h"

namespace slipway::cli {
namespace {

std::string text_or(const base::Json& value, const char* fallback) {
  return value.is_string() ? value.get<std::string>() : fallback;
}

std::string tokenizer_line(const base::Json& tokenizer) {
  if (!tokenizer.is_object()) {
    return "none";
  }
  std::string line = tokenizer.at("kind").get<std::string>();
  if (tokenizer.contains("tokens")) {
    line += fmt::format(" ({}{}), {} tokens, {} merges",
                        tokenizer.at("pre").get<std::string>().empty() ? "no pre-tokenizer named" : "pre-tokenizer ",
                        tokenizer.at("pre").get<std::string>(), tokenizer.at("tokens").get<int64_t>(),
                        tokenizer.at("merges").get<int64_t>());
  }
  return line;
}

// Architecture, sizes, types, tokenizer and licence of what model::inspect_weights found.
void print_summary(std::ostream& out, const base::Json& json) {
  out << fmt::format("{}\n{} · {}\n", json.at("path").get<std::string>(),
                     text_or(json.at("architecture"), "architecture unknown"), text_or(json.at("format"), "?"));
  if (const base::Json& decoder = json.at("decoder"); decoder.is_object()) {
    const auto size = [&](const char* key) { return decoder.at(key).get<int64_t>(); };
    out << fmt::format(
        "decoder: {} layers, hidden {}, {} heads ({} for keys and values) of {}, intermediate {}, vocabulary {}, {} "
        "positions{}\n",
        size("num_hidden_layers"), size("hidden_size"), size("num_attention_heads"), size("num_key_value_heads"),
        size("head_dim"), size("intermediate_size"), size("vocab_size"), size("max_position_embeddings"),
        decoder.at("sliding_window").is_null() ? "" : fmt::format(", window {}", size("sliding_window")));
    out << fmt::format("KV cache: {} a token in f16\n", human_count(size("kv_cache_bytes_per_token_f16"), "bytes"));
  }
  if (json.contains("encoder_decoder")) {
    const base::Json& spec = json.at("encoder_decoder");
    for (const char* half : {"encoder", "decoder"}) {
      const base::Json& stack = spec.at(half);
      out << fmt::format("{}: {} layers, {} heads of {}, feed-forward {}\n", half, stack.at("layers").get<int>(),
                         stack.at("attention_heads").get<int>(), stack.at("head_dim").get<int>(),
                         stack.at("ffn_dim").get<int>());
    }
    out << fmt::format(
        "hidden {}, vocabulary {}, {} positions\n", spec.at("d_model").get<int>(), spec.at("vocab_size").get<int>(),
        spec.at("max_position_embeddings").is_null() ? "relative"
                                                     : std::to_string(spec.at("max_position_embeddings").get<int>()));
  }
  if (json.contains("recurrent")) {
    const base::Json& spec = json.at("recurrent");
    out << fmt::format("language model: {} layers, embeddings {}, hidden {}, vocabulary {}; state {}\n",
                       spec.at("num_layers").get<int>(), spec.at("embedding_dim").get<int>(),
                       spec.at("hidden_size").get<int>(), spec.at("vocab_size").get<int>(),
                       human_count(spec.at("state_bytes_f32").get<int64_t>(), "bytes"));
  }
  if (json.contains("word_vectors")) {
    const base::Json& vectors = json.at("word_vectors");
    out << fmt::format("{} words of {} dimensions\n", vectors.at("words").get<int64_t>(),
                       vectors.at("dimensions").get<int>());
  }
  const int64_t values = json.at("parameters").get<int64_t>();
  out << fmt::format("{} parameters in {}", human_count(values, ""),
                     human_count(json.at("bytes").get<int64_t>(), "bytes"));
  out << (values > 0 ? fmt::format(", {:.2f} bits each\n", json.at("bits_per_weight").get<double>())
                     : std::string("\n"));
  const base::Json& types = json.at("types");
  for (const base::Json& type : types) {
    out << fmt::format("  {:<7} {:>5} tensors {:>14}\n", type.at("type").get<std::string>(),
                       type.at("tensors").get<int64_t>(), human_count(type.at("bytes").get<int64_t>(), "bytes"));
  }
  out << fmt::format("tokenizer: {}\nchat template: {}\nlicence: {}\n", tokenizer_line(json.at("tokenizer")),
                     json.at("chat_template").get<bool>() ? "yes" : "none", text_or(json.at("licence"), "not told"));
  if (json.contains("decoder_error") && json.at("decoder").is_null() && !json.contains("encoder_decoder")) {
    out << fmt::format("not a decoder that is run: {}\n", json.at("decoder_error").get<std::string>());
  }
}

std::string labels_line(const model::ModelSpec& spec) {
  return fmt::format("head: {}; labels: {}\n", model::head_name(spec.head),
                     spec.labels.empty() ? "none" : fmt::format("{}", fmt::join(spec.labels, ", ")));
}

void print_encoder(std::ostream& out, const std::string& folder, const model::ModelSpec& spec) {
  out << fmt::format(
      "{}\n{} encoder: {} layers, hidden {}, {} heads, intermediate {}, vocabulary {}, {} positions\n"
      "{} parameters; {} as float32, {} as int8; {:.1f} MFLOP a token at length 128\n",
      folder, model::architecture_name(spec.architecture), spec.num_layers, spec.hidden_size, spec.num_heads,
      spec.intermediate_size, spec.vocab_size, spec.max_positions, human_count(spec.parameter_count(), ""),
      human_count(model::weight_bytes_f32(spec), "bytes"), human_count(model::weight_bytes_int8(spec), "bytes"),
      model::flops_per_token(spec, 128) / 1e6);
  out << labels_line(spec);
}

void print_recurrent(std::ostream& out, const std::string& folder, const model::ModelSpec& spec) {
  const model::RecurrentSpec& r = *spec.recurrent;
  out << fmt::format(
      "{}\n{}: {} layers{}, embeddings {}, hidden {}, pooling {}, vocabulary {}\n"
      "{} parameters; {} as float32; {:.1f} MFLOP a token\n",
      folder, model::architecture_name(spec.architecture), r.num_layers, r.bidirectional ? " both ways" : "",
      r.embedding_dim, r.hidden_size, model::pooling_name(r.pooling), r.vocab_size,
      human_count(spec.parameter_count(), ""), human_count(model::weight_bytes_f32(spec), "bytes"),
      model::flops_per_token(spec, 1) / 1e6);
  out << labels_line(spec);
}

class InspectCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models inspect", "architecture, sizes and tensors of a model folder or file",
            "MODEL is a folder, a .gguf, a .safetensors, a PyTorch .bin or .pt (nothing in it is run), an .npz, a TensorFlow .index, word\n"
            "vectors, or a reference.",
            "slipway models inspect ~/.cache/slipway/minilm --tensors\nslipway models inspect model.gguf --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, a file of weights or a reference");
    parameters.flags.add("tensors", tensors_, "list every tensor");
  }
  int run(App& app) override {
    const LocatedModel located = locate_model(app, model_, "auto");
    const std::filesystem::path& path = located.folder;
    if (std::filesystem::is_regular_file(path) || model::is_decoder_path(path) || model::is_seq2seq_path(path)) {
      return show_weights(app, path);
    }
    return show_encoder(app, located);
  }

 private:
  int show_weights(App& app, const std::filesystem::path& path);
  int show_encoder(App& app, const LocatedModel& located);
  std::string model_;
  bool tensors_ = false;
};

int InspectCommand::show_weights(App& app, const std::filesystem::path& path) {
  const base::Json json = model::inspect_weights(path);
  if (app.json()) {
    app.print_json(json);
    return 0;
  }
  print_summary(app.out(), json);
  if (tensors_) {
    Table table({"TENSOR", "TYPE", "SHAPE", "BYTES"});
    const base::Json& tensors = json.at("tensors");
    for (const base::Json& tensor : tensors) {
      table.row({tensor.at("name").get<std::string>(), tensor.at("type").get<std::string>(),
                 fmt::format("{}", tensor.at("shape").get<std::vector<int64_t>>()),
                 std::to_string(tensor.at("bytes").get<int64_t>())});
    }
    app.out() << '\n';
    table.print(app.out(), app.color_out());
  }
  return 0;
}

int InspectCommand::show_encoder(App& app, const LocatedModel& located) {
  const model::ModelFolder folder = model::open_model_folder(located.folder, {.weights = false, .tokenizer = false});
  const model::ModelSpec& spec = folder.spec;
  base::Json json = {{"folder", located.folder.string()},
                     {"config", folder.config},
                     {"architecture", model::architecture_name(spec.architecture)},
                     {"head", model::head_name(spec.head)},
                     {"parameters", spec.parameter_count()},
                     {"labels", spec.labels},
                     {"bytes_float32", model::weight_bytes_f32(spec)},
                     {"bytes_int8", spec.recurrent ? base::Json(nullptr) : base::Json(model::weight_bytes_int8(spec))},
                     {"flops_per_token_128", model::flops_per_token(spec, 128)}};
  Table table({"TENSOR", "TYPE", "SHAPE", "BYTES"});
  for (const auto& path : {folder.weights, folder.int8}) {
    if (!path) {
      continue;
    }
    const auto file = model::open_weights(*path);
    base::Json list = base::Json::array();
    for (const auto& [name, tensor] : file->tensors()) {
      list.push_back({{"name", name},
                      {"dtype", model::dtype_name(tensor.dtype)},
                      {"shape", tensor.shape},
                      {"bytes", tensor.bytes.size()}});
      table.row({name, model::dtype_name(tensor.dtype), fmt::format("{}", tensor.shape),
                 std::to_string(tensor.bytes.size())});
    }
    const auto* safetensors = dynamic_cast<const model::SafetensorsSource*>(file.get());
    const base::Json metadata = safetensors != nullptr ? base::Json(safetensors->metadata()) : base::Json::object();
    json["files"][path->filename().string()] = {{"tensors", list}, {"metadata", metadata}};
  }
  if (app.json()) {
    app.print_json(json);
    return 0;
  }
  if (spec.recurrent) {
    print_recurrent(app.out(), located.folder.string(), spec);
  } else {
    print_encoder(app.out(), located.folder.string(), spec);
  }
  if (tensors_) {
    app.out() << '\n';
    table.print(app.out(), app.color_out());
  }
  return 0;
}

}  // namespace

std::unique_ptr<Command> make_models_inspect() { return std::make_unique<InspectCommand>(); }

}  // namespace slipway::cli
