#include "cli/text2text.h"

#include <fstream>

#include "cli/text_lines.h"
#include "engine/text2text.h"
#include "model/seq2seq_files.h"

namespace slipway::cli {
namespace {

constexpr size_t kBatch = 64;  // texts in flight: enough to fill passes, little enough to stream

class Texts {
 public:
  Texts(App& app, engine::Seq2Seq& model, engine::Text2TextOptions options)
      : app_(app), model_(model), options_(std::move(options)) {}

  void take(const std::string& text) {
    requests_.push_back(engine::text2text_request(model_, text, options_));
    if (requests_.size() == kBatch) {
      flush();
    }
  }
  void flush() {
    const std::vector<engine::Seq2SeqResult> results = engine::generate(model_, std::move(requests_));
    requests_.clear();
    for (const engine::Seq2SeqResult& result : results) {
      const base::Json answer = engine::text2text_answer(options_.task, result);
      app_.print_json(answer.size() == 1 ? answer[0] : answer);
    }
  }

 private:
  App& app_;
  engine::Seq2Seq& model_;
  engine::Text2TextOptions options_;
  std::vector<engine::Seq2SeqRequest> requests_;
};

}  // namespace

bool is_text2text_model(const std::filesystem::path& folder) noexcept { return model::is_seq2seq_path(folder); }

int run_text2text(App& app, const std::filesystem::path& folder, const Text2TextRun& run) {
  engine::Seq2SeqOptions options;
  options.isa = app.options().isa;
  const auto model = engine::load_seq2seq(folder, options, app.pool());
  base::Json parameters =
      run.parameters.empty() ? base::Json::object() : base::parse_json(run.parameters, "--parameters");
  for (const auto& [key, language] :
       {std::pair{"src_lang", &run.source_lang}, std::pair{"tgt_lang", &run.target_lang}}) {
    if (!language->empty() && parameters.is_object()) {
      parameters[key] = *language;
    }
  }
  Texts texts(app, *model, engine::Text2TextOptions::of(model->info(), run.task, parameters, "--parameters"));
  const auto take = [&](const std::string& text, const base::Json&) { texts.take(text); };
  if (run.text.empty()) {
    read_text_lines(app.in(), "standard input", run.field, take);
  } else if (std::filesystem::is_regular_file(run.text)) {
    std::ifstream file(run.text, std::ios::binary);
    read_text_lines(file, run.text, run.field, take);
  } else {
    texts.take(run.text);
  }
  texts.flush();
  return 0;
}

}  // namespace slipway::cli
