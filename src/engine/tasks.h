// What encoders are asked for, beyond logits: the tasks of Hugging Face's pipelines, with their defaults and results.
// The command line and the server share these functions; task_json.h has them as JSON. Blocking; any thread, as far as
// the model's run() allows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/batcher.h"
#include "engine/engine.h"

namespace slipway::engine {

// Where a task's passes are computed: an engine, or the queue of a server.
class TaskModel {
 public:
  virtual ~TaskModel() = default;
  virtual const model::ModelSpec& spec() const = 0;
  virtual const text::Tokenizer& tokenizer() const = 0;
  // One result an input, in their order. Throws what computing or queueing throws.
  virtual std::vector<BatchResult> run(std::vector<Input> inputs) = 0;
};

// On the caller's thread, over an engine that is borrowed.
class EngineTaskModel final : public TaskModel {
 public:
  explicit EngineTaskModel(Engine& engine) : engine_(engine) {}
  const model::ModelSpec& spec() const override { return engine_.spec(); }
  const text::Tokenizer& tokenizer() const override { return engine_.tokenizer(); }
  std::vector<BatchResult> run(std::vector<Input> inputs) override;

 private:
  Engine& engine_;
};

// A text, or two that belong together.
struct TaskText {
  std::string text;
  std::optional<std::string> pair = {};
};

// Throws Error(kInvalid) naming the head that `task` needs and the one the model has.
void require_head(const model::ModelSpec& spec, model::Head head, const std::string& task);
// Truncated to what the model takes. Throws Error(kInvalid) for a pair where the tokenizer takes none.
Input encode_task_text(const TaskModel& model, const TaskText& text);

// Text classification: how logits become scores. kAuto: the sigmoid of a single label, the softmax of several.
enum class ScoreFunction { kAuto, kSoftmax, kSigmoid, kNone };
std::vector<float> scores_of(std::span<const float> logits, ScoreFunction function);
// Scores [texts][labels].
std::vector<std::vector<float>> classify(TaskModel& model, std::span<const TaskText> texts,
                                         ScoreFunction function = ScoreFunction::kAuto);

// Token classification. kNone: every token with its label; kSimple: neighbours with the same label as one entity ("B-"
// begins a new one); the others decide the label of a whole word first: by its first token, by the mean of its tokens'
// scores, or by its surest token. A word is a token and the pieces that continue it.
enum class Aggregation { kNone, kSimple, kFirst, kAverage, kMax };
struct Entity {
  std::string label;  // "B-PER" of a token, "PER" of a group
  float score = 0;
  int index = 0;  // of the token among the text's; of a group: its first
  std::string word;
  size_t start = 0;  // characters of the text, [start, end)
  size_t end = 0;
};
// Without entities that are called as one of `ignore`.
std::vector<std::vector<Entity>> find_entities(TaskModel& model, std::span<const std::string> texts,
                                               Aggregation aggregation, std::span<const std::string> ignore = {});

// Question answering out of a context.
struct AnswerOptions {
  int top_k = 1;               // best answers
  int max_answer_tokens = 15;  // longest answer
  int max_tokens = 384;        // of question and window together; less where the model takes less
  int doc_stride = 128;        // tokens that windows of a long context share
  bool impossible = false;     // "" may be the answer: that there is none
};
struct FoundAnswer {
  std::string answer;
  float score = 0;
  size_t start = 0;  // characters of the context
  size_t end = 0;
};
// Best first; at least one unless the context is empty. Throws Error(kInvalid) when the question leaves no room.
std::vector<FoundAnswer> answer(TaskModel& model, const std::string& question, const std::string& context,
                                const AnswerOptions& options = {});

// Fill-mask.
struct Fill {
  float score = 0;
  int token = 0;
  std::string token_text;
  std::string sequence;  // the text with the token in the mask's place
};
// The tokenizer's mask: "[MASK]", "<mask>". Throws Error(kInvalid) when it has none.
std::string mask_token(const text::Tokenizer& tokenizer);
// For each mask of the text, best first. `targets`: the tokens to choose from (a text that is none counts as its first
// token); empty: all. Throws Error(kInvalid) for a text without a mask.
std::vector<std::vector<Fill>> fill_masks(TaskModel& model, const std::string& text, int top_k,
                                          std::span<const std::string> targets = {});

// Zero-shot classification by a model of natural language inference, whose labels say which is entailment.
struct ZeroShotOptions {
  std::string hypothesis_template = "This example is {}.";
  bool multi_label = false;  // labels do not exclude one another
};
// Scores of the labels, in their order.
std::vector<float> zero_shot(TaskModel& model, const std::string& text, std::span<const std::string> labels,
                             const ZeroShotOptions& options = {});

// How well each text answers the query: a cross-encoder's one logit through the sigmoid (raw: as it is), else the
// cosine of embeddings.
std::vector<float> rank(TaskModel& model, const std::string& query, std::span<const std::string> texts, bool raw);
// Cosines of the source's embedding and the others'.
std::vector<float> similarity(TaskModel& model, const std::string& source, std::span<const std::string> texts);
// A cross-encoder for rank(): sequence classification with one label.
bool is_cross_encoder(const model::ModelSpec& spec) noexcept;

}  // namespace slipway::engine
