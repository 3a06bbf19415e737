#include "cli/annotation_models.h"

#include <cmath>
#include <fmt/format.h>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "cli/lexicon_flags.h"
#include "cli/model_argument.h"
#include "data/span_tagger.h"
#include "data/suggestion_fit.h"
#include "data/suggestion_services.h"
#include "engine/tasks.h"
#include "engine/text2text.h"
#include "model/decoder_files.h"
#include "model/seq2seq_files.h"
#include "text/chat_template.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using record::AnnotationScheme;
using record::Suggestion;
using record::Task;
using Said = std::optional<Suggestion>;

constexpr int kMaxTokens = 512;  // of a written answer

Said classify(engine::Engine& engine, const std::string& name, const AnnotationScheme& scheme, const Task& task) {
  const std::vector<std::string> texts = {task.text};
  const model::Matrix p = model::probabilities(engine, texts);
  const int best = model::argmax(p.row(0));
  if (best < 0) {
    return std::nullopt;
  }
  Suggestion made{name, static_cast<double>(p.row(0)[static_cast<size_t>(best)]), {}};
  made.answer.classes = {engine.labels()[static_cast<size_t>(best)]};
  return data::fit_suggestion(std::move(made), scheme, task);
}

Said find_spans(engine::Engine& engine, const std::string& name, const AnnotationScheme& scheme, const Task& task) {
  engine::EngineTaskModel model(engine);
  const std::vector<std::string> texts = {task.text};
  const std::vector<std::string> outside = {"O"};
  std::vector<data::FoundEntity> found;
  const auto entities = engine::find_entities(model, texts, engine::Aggregation::kSimple, outside);
  for (const engine::Entity& entity : entities.at(0)) {
    found.push_back({static_cast<int64_t>(entity.start), static_cast<int64_t>(entity.end), entity.label, static_cast<double>(entity.score)});
  }
  auto made = data::suggestion_of_entities(std::move(found), name);
  return made ? data::fit_suggestion(std::move(*made), scheme, task) : std::nullopt;
}

// Does not lock: for models that any thread may call.
api::AnnotationModel plugged(const std::string& project, const std::string& name, std::function<Said(const AnnotationScheme&, const Task&)> suggest) {
  return {project, name, [suggest = std::move(suggest)](const AnnotationScheme& scheme, const Task& task) {
            std::vector<Suggestion> all;
            if (Said one = suggest(scheme, task)) {
              all.push_back(std::move(*one));
            }
            return all;
          }};
}

std::function<Said(const AnnotationScheme&, const Task&)> encoder(App& app, const LocatedModel& located, const std::string& model, const std::string& name) {
  const std::shared_ptr<engine::Engine> engine = load_engine(app, located, "auto");
  const auto lock = std::make_shared<std::mutex>();
  const model::Head head = engine->spec().head;
  if (head != model::Head::kTokenClassification && engine->labels().empty()) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' has no head for classes of texts or tokens, so it suggests nothing", model));
  }
  return [engine, lock, name, spans = head == model::Head::kTokenClassification](const AnnotationScheme& scheme, const Task& task) {
    const std::scoped_lock held(*lock);
    return spans ? find_spans(*engine, name, scheme, task) : classify(*engine, name, scheme, task);
  };
}

std::function<Said(const AnnotationScheme&, const Task&)> tagger(const fs::path& file, const std::string& name) {
  const auto spans = std::make_shared<const data::SpanTagger>(load_tagger(file.string(), LexiconFlags()));
  return [spans, name](const AnnotationScheme& scheme, const Task& task) -> Said {
    Said made = spans->suggest(task.text, name);
    return made ? data::fit_suggestion(std::move(*made), scheme, task) : std::nullopt;
  };
}

std::function<Said(const AnnotationScheme&, const Task&)> rewriter(App& app, const fs::path& folder, const std::string& name, const std::string& prompt) {
  engine::Seq2SeqOptions options;
  options.isa = app.options().isa;
  const std::shared_ptr<engine::Seq2Seq> model = engine::load_seq2seq(folder, options, app.pool());
  auto how = engine::Text2TextOptions::of(model->info(), "", base::Json::object(), "the model");
  how.truncate = true;
  return [model, how, name, prompt](const AnnotationScheme& scheme, const Task& task) {
    const std::string source = prompt.empty() ? task.text : data::written_question(prompt, scheme, task);
    const auto results = engine::generate(*model, {engine::text2text_request(*model, source, how)});
    const engine::Seq2SeqResult& result = results.at(0);
    if (result.error) {
      std::rethrow_exception(result.error);
    }
    if (result.sequences.empty()) {
      return Said();
    }
    const engine::Seq2SeqResult::Sequence& best = result.sequences.front();
    const double score = how.params.num_beams > 1 ? std::exp(std::min(0.0, static_cast<double>(best.score))) : 0;
    return data::written_answer(best.text, score, name, scheme, task, {});
  };
}

std::function<Said(const AnnotationScheme&, const Task&)> writer(App& app, const fs::path& path, const std::string& name, const std::string& prompt) {
  const std::shared_ptr<engine::Generator> model = open_generator(app, path, {});
  return [model, name, prompt](const AnnotationScheme& scheme, const Task& task) {
    const engine::GeneratorInfo& info = model->info();
    std::string asked = data::written_question(prompt, scheme, task);
    const bool chat = !info.chat_template.empty();
    if (chat) {
      text::ChatRequest request;
      request.messages.push_back({{"role", "user"}, {"content", asked}});
      request.extra = {{"bos_token", info.bos_token}, {"eos_token", info.eos_token}};
      asked = text::ChatTemplate::parse(info.chat_template).render(request);
    }
    text::Encoding encoding;
    model->tokenizer().encode(asked, {.add_special_tokens = !chat}, encoding);
    engine::GenerateRequest request;
    request.ids = encoding.ids.empty() && info.bos_id >= 0 ? std::vector<int32_t>{info.bos_id} : encoding.ids;
    request.max_tokens = kMaxTokens;
    request.sampling.temperature = 0;
    request.sampling.top_logprobs = 0;
    const engine::GenerateResult result = engine::generate(*model, std::move(request));
    const double tokens = std::max<double>(1, static_cast<double>(result.ids.size()));
    return data::written_answer(result.text, std::exp(std::min(0.0, result.logprob / tokens)), name, scheme, task, {});
  };
}

// Of `slipway train tagger`, by its first bytes.
bool is_tagger(const fs::path& path) {
  return base::is_file(path) && path.extension() != ".gguf" && base::MappedFile(path).bytes().starts_with("SLTAGM");
}

}  // namespace

api::AnnotationModel annotation_model(App& app, const std::string& model, const std::string& prompt, const std::string& project) {
  if (is_tagger(model)) {
    const std::string name = fs::path(model).filename().string();
    return plugged(project, name, tagger(model, name));
  }
  const LocatedModel located = locate_model(app, model, "auto");
  const std::string name = located.version ? located.name() : fs::path(located.name()).filename().string();
  if (model::is_decoder_path(located.folder)) {
    return plugged(project, name, writer(app, locate_decoder(app, model), name, prompt));
  }
  if (model::is_seq2seq_path(located.folder)) {
    return plugged(project, name, rewriter(app, locate_decoder(app, model), name, prompt));
  }
  return plugged(project, name, encoder(app, located, model, name));
}

}  // namespace slipway::cli
