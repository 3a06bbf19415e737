// slipway predict: a task over JSON lines, or one text.
#include <fstream>
#include <fmt/format.h>
#include <functional>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/text2text.h"
#include "cli/text_lines.h"
#include "engine/task_json.h"
#include "model/predictor.h"

namespace slipway::cli {
namespace {

using base::Json;
using engine::Task;

constexpr const char* kDefaultTask = "text-classification";
constexpr size_t kBatch = 512;  // texts in flight: enough to fill token batches, little enough to stream

std::vector<std::string> task_choices() {
  std::vector<std::string> choices;
  for (const engine::TaskName& task : engine::task_names()) {
    choices.emplace_back(task.name);
  }
  for (const char* task : {"summarization", "translation", "text2text-generation"}) {
    choices.emplace_back(task);
  }
  return choices;
}

class PredictCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"predict", "a task over JSON lines from standard input or a file, or over one text",
            "Tasks and what they give for a line (docs/guide/predict.md):\n"
            "  text-classification       {label, score, scores}; lines may have a \"text_pair\"\n"
            "  token-classification      [{entity_group, score, word, start, end}]\n"
            "  question-answering        {score, start, end, answer}; lines have \"question\" and \"context\"\n"
            "  fill-mask                 [{score, token, token_str, sequence}]\n"
            "  zero-shot-classification  {sequence, labels, scores}; needs --candidate-labels\n"
            "  feature-extraction        {embedding}\n"
            "  text-ranking              [{index, score, text}]; lines have \"query\" and \"texts\"; with --query all texts are one list\n"
            "  sentence-similarity       [score]; lines have \"source_sentence\" and \"sentences\"\n"
            "Of encoder-decoders (T5, BART, Marian, M2M100) summarization gives {\"summary_text\"}, translation\n"
            "{\"translation_text\"}, text2text-generation {\"generated_text\"}, and without --task what the model is for.\n"
            "Output lines come in the order of input lines. Which tasks a model can do depends on its head.",
            "echo '{\"text\": \"a joy to watch\"}' | slipway predict --task text-classification models:/movie-sentiment@champion\n"
            "slipway predict models:/movie-sentiment@champion \"a joy to watch\"\n"
            "slipway predict --task question-answering --question 'Where is it?' MODEL 'It is in the harbour.'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, models:/NAME@ALIAS, models:/NAME/3 or hf://NS/NAME");
    parameters.positional("TEXT", text_, "one text, or a file of JSON lines; - or none: standard input", false);
    base::FieldTable& flags = parameters.flags;
    flags.add("task", task_name_, "what to do", task_choices());
    flags.add("precision", precision_, "weights to use", {"auto", "float32", "int8"});
    flags.add("field", field_, "key of the text in each line");
    flags.add("top_k", top_k_, "results a text; 0: as many as the task gives by itself", {0, 1 << 20});
    flags.add("aggregation_strategy", aggregation_, "token-classification: how tokens become entities",
              {"none", "simple", "first", "average", "max"});
    flags.add("question", question_, "question-answering: the question; the text is the context");
    flags.add("max_answer_len", max_answer_len_, "question-answering: tokens of the longest answer", {1, 1 << 20});
    flags.add("doc_stride", doc_stride_, "question-answering: tokens that windows of a long context share", {0, 1 << 20});
    flags.add("handle_impossible_answer", impossible_, "question-answering: the answer may be that there is none");
    flags.add("targets", targets_, "fill-mask: words to choose from, with commas");
    flags.add("candidate_labels", labels_, "zero-shot-classification: the labels, with commas");
    flags.add("hypothesis_template", template_, "zero-shot-classification: the sentence in which {} is the label");
    flags.add("multi_label", multi_label_, "zero-shot-classification: labels do not exclude one another");
    flags.add("query", query_, "text-ranking: what all the texts are ranked for");
    flags.add("source_lang", source_lang_, "of a translation, as the model names it: en, eng_Latn");
    flags.add("target_lang", target_lang_, "of a translation");
    flags.add("parameters", parameters_,
              "of generated texts: a JSON object such as {\"num_beams\": 4, \"max_new_tokens\": 60}");
  }

  int run(App& app) override {
    const LocatedModel located = locate_model(app, model_, precision_);
    if (is_text2text_model(located.folder)) {
      const std::string task = task_name_ == kDefaultTask ? "" : task_name_;
      return run_text2text(app, located.folder, {task, text_, field_, parameters_, source_lang_, target_lang_});
    }
    task_ = engine::task_from_name(task_name_);
    const auto engine = load_engine(app, located, precision_);
    engine::EngineTaskModel model(*engine);
    if (task_ == Task::kTextClassification && engine->labels().empty()) {
      const model::Head head = engine->spec().head;
      throw base::Error(base::Code::kInvalid,
                        head == model::Head::kNone
                            ? fmt::format("'{}' has no classification head; --task feature-extraction gives its embeddings", model_)
                            : fmt::format("'{}' has no classification head but one for {}: --task {}", model_,
                                          model::head_name(head), model::head_name(head)));
    }
    const auto take = [&](const Json& row, const std::string& where) {
      pending_.push_back(input_of(row, where));
      if (pending_.size() == kBatch && query_.empty()) {
        flush(app, model);
      }
    };
    if (text_.empty() || text_ == "-") {
      read_json_lines(app.in(), "standard input", field_, take);
    } else if (std::filesystem::is_regular_file(text_)) {
      std::ifstream file(text_, std::ios::binary);
      read_json_lines(file, text_, field_, take);
    } else {
      take({{field_, text_}}, "the text");
    }
    flush(app, model);
    return 0;
  }

 private:
  // What a task takes of a line.
  Json input_of(const Json& row, const std::string& where) const {
    const auto text = [&](const char* key) { return base::get<std::string>(row, key, where); };
    switch (task_) {
      case Task::kQuestionAnswering:
        return question_.empty() ? Json{{"question", text("question")}, {"context", text("context")}}
                                 : Json{{"question", question_}, {"context", base::get<std::string>(row, field_, where)}};
      case Task::kTextRanking:
        if (query_.empty()) {
          text("query");  // throws with the line's number
          return row;
        }
        break;
      case Task::kSentenceSimilarity: text("source_sentence"); return row;
      case Task::kTextClassification:
        if (row.contains("text_pair")) {
          return {{"text", base::get<std::string>(row, field_, where)}, {"text_pair", text("text_pair")}};
        }
        break;
      default: break;
    }
    return base::get<std::string>(row, field_, where);
  }

  Json task_parameters() const {
    Json all = {{"aggregation_strategy", aggregation_},
                {"max_answer_len", max_answer_len_},
                {"doc_stride", doc_stride_},
                {"handle_impossible_answer", impossible_},
                {"hypothesis_template", template_},
                {"multi_label", multi_label_},
                {"return_text", true}};
    if (top_k_ > 0) {
      all["top_k"] = top_k_;
    }
    if (!targets_.empty()) {
      all["targets"] = targets_;
    }
    if (!labels_.empty()) {
      all["candidate_labels"] = labels_;
    }
    return all;
  }

  void flush(App& app, engine::TaskModel& model) {
    if (pending_.empty()) {
      return;
    }
    if (task_ == Task::kTextRanking && !query_.empty()) {
      pending_ = Json::array({{{"query", query_}, {"texts", pending_}}});
    }
    if (task_ == Task::kSentenceSimilarity) {
      for (const Json& one : pending_) {
        app.print_json(engine::run_task(model, task_, one, task_parameters()));
      }
    } else {
      const Json results = engine::run_task(model, task_, pending_, task_parameters());
      for (const Json& result : results) {
        app.print_json(as_line(model, result));
      }
    }
    pending_ = Json::array();
  }

  // Classes with every score by name, and embeddings by name: lines are objects that can grow.
  Json as_line(const engine::TaskModel& model, const Json& result) const {
    if (task_ == Task::kFeatureExtraction) {
      return {{"embedding", result}};
    }
    if (task_ != Task::kTextClassification) {
      return result;
    }
    Json scores = Json::object();
    for (const std::string& label : model.spec().labels) {
      for (const Json& one : result) {
        if (one.at("label") == label) {
          scores[label] = one.at("score");
        }
      }
    }
    return {{"label", result.at(0).at("label")}, {"score", result.at(0).at("score")}, {"scores", scores}};
  }

  std::string model_;
  std::string text_;
  std::string task_name_ = kDefaultTask;
  Task task_ = Task::kTextClassification;
  std::string precision_ = "auto";
  std::string field_ = "text";
  int top_k_ = 0;
  std::string aggregation_ = "simple";
  std::string question_;
  int max_answer_len_ = 15;
  int doc_stride_ = 128;
  bool impossible_ = false;
  std::vector<std::string> targets_;
  std::vector<std::string> labels_;
  std::string template_ = "This example is {}.";
  bool multi_label_ = false;
  std::string query_;
  std::string source_lang_;
  std::string target_lang_;
  std::string parameters_;
  Json pending_ = Json::array();
};

}  // namespace

std::unique_ptr<Command> make_predict() { return std::make_unique<PredictCommand>(); }

}  // namespace slipway::cli
