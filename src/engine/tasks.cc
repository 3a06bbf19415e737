#include "engine/tasks.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "engine/task_tokens.h"
#include "model/predictor.h"

namespace slipway::engine {
namespace {

using base::Code;
using base::Error;
using model::Head;

float dot(std::span<const float> a, std::span<const float> b) {
  return static_cast<float>(std::inner_product(a.begin(), a.end(), b.begin(), 0.0));
}

// The label that means "follows from", as its name begins.
size_t entailment_of(const model::ModelSpec& spec) {
  for (size_t i = 0; i < spec.labels.size(); ++i) {
    std::string name = spec.labels[i].substr(0, 6);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name == "entail" && spec.labels.size() > 1) {
      return i;
    }
  }
  throw Error(Code::kInvalid,
              fmt::format("zero-shot classification needs a model of natural language inference, with a "
                          "label that begins with 'entail'; this one's are: {}",
                          fmt::join(spec.labels, ", ")));
}

std::vector<int32_t> target_ids(const text::Tokenizer& tokenizer, std::span<const std::string> targets) {
  std::vector<int32_t> ids;
  for (const std::string& target : targets) {
    int id = tokenizer.token_to_id(target);
    if (id < 0) {
      text::Encoding encoding;
      tokenizer.encode(target, {.add_special_tokens = false}, encoding);
      if (encoding.ids.empty()) {
        throw Error(Code::kInvalid, fmt::format("the target '{}' has no token", target));
      }
      id = encoding.ids[0];
    }
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      ids.push_back(id);
    }
  }
  return ids;
}

std::vector<std::vector<float>> embed(TaskModel& model, std::vector<std::string> texts) {
  std::vector<Input> inputs;
  inputs.reserve(texts.size());
  for (std::string& text : texts) {
    inputs.push_back(encode_task_text(model, {std::move(text)}));
  }
  std::vector<std::vector<float>> rows;
  for (BatchResult& result : model.run(std::move(inputs))) {
    rows.push_back(std::move(result.embedding));
  }
  return rows;
}

}  // namespace

std::vector<BatchResult> EngineTaskModel::run(std::vector<Input> inputs) {
  Output out = engine_.forward(inputs);
  std::vector<BatchResult> results(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto logits = out.logits.row(static_cast<int>(i));
    const auto embedding = out.embeddings.row(static_cast<int>(i));
    results[i].logits.assign(logits.begin(), logits.end());
    results[i].embedding.assign(embedding.begin(), embedding.end());
    results[i].tokens = static_cast<int>(inputs[i].ids.size());
    if (!out.token_logits.empty()) {
      results[i].token_logits = std::move(out.token_logits[i]);
      results[i].hidden = std::move(out.hidden[i]);
    }
  }
  return results;
}

void require_head(const model::ModelSpec& spec, Head head, const std::string& task) {
  if (spec.head != head) {
    throw Error(Code::kInvalid,
                fmt::format("{} needs a head for {}; this {} has {}", task, model::head_name(head),
                            model::architecture_name(spec.architecture),
                            spec.head == Head::kNone ? std::string("none (it gives embeddings: feature-extraction)")
                                                     : fmt::format("one for {}", model::head_name(spec.head))));
  }
}

Input encode_task_text(const TaskModel& model, const TaskText& text) {
  text::EncodeOptions options;
  options.max_length = model.spec().max_tokens();
  text::Encoding encoding;
  if (text.pair) {
    model.tokenizer().encode_pair(text.text, *text.pair, options, encoding);
    return input_of(model.spec(), std::move(encoding));
  }
  model.tokenizer().encode(text.text, options, encoding);
  return {.ids = std::move(encoding.ids)};
}

std::vector<float> scores_of(std::span<const float> logits, ScoreFunction function) {
  const auto columns = static_cast<int>(logits.size());
  model::Matrix scores{1, columns, {logits.begin(), logits.end()}};
  switch (function) {
    case ScoreFunction::kNone: break;
    case ScoreFunction::kAuto: model::class_probabilities(scores); break;
    case ScoreFunction::kSoftmax: model::softmax_rows(scores); break;
    case ScoreFunction::kSigmoid:  // a yes or no for each label
      scores.rows = columns;
      scores.cols = 1;
      model::class_probabilities(scores);
      break;
  }
  return std::move(scores.values);
}

std::vector<std::vector<float>> classify(TaskModel& model, std::span<const TaskText> texts, ScoreFunction function) {
  require_head(model.spec(), Head::kSequenceClassification, "text classification");
  std::vector<Input> inputs;
  inputs.reserve(texts.size());
  for (const TaskText& text : texts) {
    inputs.push_back(encode_task_text(model, text));
  }
  std::vector<std::vector<float>> scores;
  for (const BatchResult& result : model.run(std::move(inputs))) {
    scores.push_back(scores_of(result.logits, function));
  }
  return scores;
}

std::string mask_token(const text::Tokenizer& tokenizer) {
  for (const char* name : {"[MASK]", "<mask>"}) {
    if (tokenizer.token_to_id(name) >= 0) {
      return name;
    }
  }
  throw Error(Code::kInvalid, "the tokenizer has no mask token ([MASK] or <mask>)");
}

std::vector<std::vector<Fill>> fill_masks(TaskModel& model, const std::string& text, int top_k,
                                          std::span<const std::string> targets) {
  require_head(model.spec(), Head::kMaskedLm, "fill-mask");
  const text::Tokenizer& tokenizer = model.tokenizer();
  const std::string mask = mask_token(tokenizer);
  const int mask_id = tokenizer.token_to_id(mask);
  Input input = encode_task_text(model, {text});
  for (size_t i = 0; i < input.ids.size(); ++i) {
    if (input.ids[i] == mask_id) {
      input.rows.push_back(static_cast<int32_t>(i));
    }
  }
  if (input.rows.empty()) {
    throw Error(Code::kInvalid, fmt::format("the text has no {} (in the {} tokens that the model takes)", mask,
                                            model.spec().max_tokens()));
  }
  std::vector<int32_t> candidates = target_ids(tokenizer, targets);
  if (candidates.empty()) {
    candidates.resize(static_cast<size_t>(model.spec().vocab_size));
    std::iota(candidates.begin(), candidates.end(), 0);
  }
  const auto count = std::min(static_cast<size_t>(std::max(top_k, 1)), candidates.size());
  const std::vector<int32_t> ids = input.ids;
  const std::vector<int32_t> rows = input.rows;
  std::vector<Input> inputs;
  inputs.push_back(std::move(input));
  const BatchResult result = std::move(model.run(std::move(inputs)).front());
  std::vector<std::vector<Fill>> fills;
  for (size_t m = 0; m < rows.size(); ++m) {
    const std::vector<float> scores = scores_of(result.token_logits.row(static_cast<int>(m)), ScoreFunction::kSoftmax);
    std::vector<int32_t> best = candidates;
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(count), best.end(),
                      [&](int32_t a, int32_t b) {
                        const float x = scores[static_cast<size_t>(a)];
                        const float y = scores[static_cast<size_t>(b)];
                        return x != y ? x > y : a < b;
                      });
    std::vector<Fill>& of_mask = fills.emplace_back();
    for (size_t i = 0; i < count; ++i) {
      std::vector<int32_t> filled = ids;
      filled[static_cast<size_t>(rows[m])] = best[i];
      of_mask.push_back({scores[static_cast<size_t>(best[i])], best[i], tokenizer.decode(std::span(&best[i], 1), false),
                         tokenizer.decode(filled, rows.size() == 1)});
    }
  }
  return fills;
}

std::vector<float> zero_shot(TaskModel& model, const std::string& text, std::span<const std::string> labels,
                             const ZeroShotOptions& options) {
  const model::ModelSpec& spec = model.spec();
  require_head(spec, Head::kSequenceClassification, "zero-shot classification");
  const size_t entails = entailment_of(spec);
  const size_t contradicts = entails == 0 ? spec.labels.size() - 1 : 0;
  const size_t slot = options.hypothesis_template.find("{}");
  if (slot == std::string::npos) {
    throw Error(Code::kInvalid, "the hypothesis template has no {} for the label");
  }
  std::vector<Input> inputs;
  for (const std::string& label : labels) {
    std::string hypothesis = options.hypothesis_template;
    hypothesis.replace(slot, 2, label);
    text::EncodeOptions encode;
    encode.max_length = spec.max_tokens();
    encode.strategy = text::TruncationStrategy::kOnlyFirst;
    text::Encoding encoding;
    model.tokenizer().encode_pair(text, hypothesis, encode, encoding);
    inputs.push_back(input_of(spec, std::move(encoding)));
  }
  std::vector<float> scores;
  for (const BatchResult& result : model.run(std::move(inputs))) {
    if (options.multi_label || labels.size() == 1) {
      const std::vector<float> both =
          scores_of(std::vector<float>{result.logits[contradicts], result.logits[entails]}, ScoreFunction::kSoftmax);
      scores.push_back(both[1]);
    } else {
      scores.push_back(result.logits[entails]);
    }
  }
  return options.multi_label || labels.size() == 1 ? scores : scores_of(scores, ScoreFunction::kSoftmax);
}

bool is_cross_encoder(const model::ModelSpec& spec) noexcept {
  return spec.has_classifier() && spec.labels.size() == 1;
}

std::vector<float> rank(TaskModel& model, const std::string& query, std::span<const std::string> texts, bool raw) {
  const model::ModelSpec& spec = model.spec();
  if (spec.has_classifier() && !is_cross_encoder(spec)) {
    throw Error(Code::kInvalid,
                fmt::format("ranking needs a cross-encoder with one label, or an encoder without a head; "
                            "this model classifies into: {}",
                            fmt::join(spec.labels, ", ")));
  }
  if (!is_cross_encoder(spec)) {
    return similarity(model, query, texts);
  }
  std::vector<TaskText> pairs;
  for (const std::string& text : texts) {
    pairs.push_back({query, text});
  }
  std::vector<float> scores;
  for (const auto& row : classify(model, pairs, raw ? ScoreFunction::kNone : ScoreFunction::kSigmoid)) {
    scores.push_back(row[0]);
  }
  return scores;
}

std::vector<float> similarity(TaskModel& model, const std::string& source, std::span<const std::string> texts) {
  std::vector<std::string> all = {source};
  all.insert(all.end(), texts.begin(), texts.end());
  const std::vector<std::vector<float>> rows = embed(model, std::move(all));
  std::vector<float> cosines;
  for (size_t i = 1; i < rows.size(); ++i) {
    cosines.push_back(dot(rows[0], rows[i]));  // of vectors of length 1
  }
  return cosines;
}

}  // namespace slipway::engine
