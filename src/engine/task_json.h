// The tasks (tasks.h) as the JSON of Hugging Face's pipelines: {"inputs": ..., "parameters": {...}} in, their result
// out, with the pipelines' names of fields. For the command line and the server.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/tasks.h"

namespace slipway::engine {

enum class Task {
  kTextClassification,
  kTokenClassification,
  kQuestionAnswering,
  kFillMask,
  kZeroShotClassification,
  kFeatureExtraction,
  kSentenceSimilarity,
  kTextRanking
};

// Names and aliases, in the order of the enumeration; "sentiment-analysis", "ner", "rerank" are aliases.
struct TaskName {
  const char* name;
  Task task;
};
std::span<const TaskName> task_names() noexcept;
// Throws Error(kInvalid) with the names there are.
Task task_from_name(const std::string& name);
// What the model's head is for; similarity is asked for by the shape of the inputs, never by the head.
Task default_task(const model::ModelSpec& spec) noexcept;

// inputs, and the parameters that count:
//   text classification   text, {"text", "text_pair"} or a list of them; top_k, function_to_apply -> [{label, score}]
//   token classification  text or list; aggregation_strategy (simple), ignore_labels (["O"]) -> [{entity_group, score,
//   word,
//                         start, end}], or for "none" [{entity, score, index, word, start, end}]
//   question answering    {"question", "context"} or list; top_k, max_answer_len, max_seq_len, doc_stride,
//                         handle_impossible_answer -> {score, start, end, answer}, a list where top_k is above 1
//   fill mask             text or list; top_k (5), targets -> [{score, token, token_str, sequence}], a list of them for
//                         several masks
//   zero shot             text or list; candidate_labels (list, or a text with commas), hypothesis_template,
//   multi_label ->
//                         {sequence, labels, scores}, best first
//   feature extraction    text or list -> [floats], of length 1
//   similarity            {"source_sentence", "sentences"} -> [floats]
//   ranking               {"query", "texts"} (or "documents"); raw_scores, return_text, top_k -> [{index, score,
//   text}], best
//                         first
// One result for one input, a list of results for a list. Throws Error(kInvalid) for what is malformed, naming it, and
// where the model has not the head that the task needs.
base::Json run_task(TaskModel& model, Task task, const base::Json& inputs, const base::Json& parameters);

}  // namespace slipway::engine
