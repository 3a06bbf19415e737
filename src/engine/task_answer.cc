// Question answering: the best span of a context, which is cut into windows where it is long, as the pipeline of
// transformers 4 did it.
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "engine/task_tokens.h"
#include "engine/tasks.h"
#include "text/code_points.h"

namespace slipway::engine {
namespace {

// Question and context as one sequence: [0, begin) question and what is around it, [begin, end) the context's tokens,
// then the tokens that close it.
struct Sequence {
  text::Encoding encoding;
  size_t begin = 0;
  size_t end = 0;
};

Sequence encode(const TaskModel& model, const std::string& question, const std::string& context) {
  const text::Tokenizer& tokenizer = model.tokenizer();
  Sequence sequence;
  tokenizer.encode_pair(question, context, {.add_special_tokens = true, .with_offsets = true}, sequence.encoding);
  text::Encoding alone;
  tokenizer.encode(context, {.add_special_tokens = false}, alone);
  sequence.end = sequence.encoding.ids.size();
  while (sequence.end > 0 && is_added(tokenizer, sequence.encoding, sequence.end - 1)) {
    --sequence.end;
  }
  sequence.begin = sequence.end - std::min(sequence.end, alone.ids.size());
  return sequence;
}

struct Window {
  size_t first = 0;  // token of the sequence
  size_t count = 0;
};

std::vector<Window> windows_of(const Sequence& sequence, const TaskModel& model, const AnswerOptions& options) {
  const size_t around = sequence.begin + sequence.encoding.ids.size() - sequence.end;
  const auto most = static_cast<size_t>(std::min(options.max_tokens, model.spec().max_tokens()));
  if (around + 1 > most) {
    throw base::Error(
        base::Code::kInvalid,
        fmt::format("the question has {} tokens with what is around it; {} are taken with the context", around, most));
  }
  const size_t size = most - around;
  const size_t shared = std::min({static_cast<size_t>(std::max(options.doc_stride, 0)), most / 2, size - 1});
  std::vector<Window> windows;
  for (size_t first = sequence.begin; first < sequence.end; first += size - shared) {
    windows.push_back({first, std::min(size, sequence.end - first)});
    if (first + size >= sequence.end) {
      break;
    }
  }
  return windows;
}

Input input_of(const Sequence& sequence, const Window& window, const model::ModelSpec& spec) {
  const text::Encoding& all = sequence.encoding;
  Input input;
  const auto add = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      input.ids.push_back(all.ids[i]);
      if (spec.type_vocab_size > 1) {
        input.types.push_back(i < all.type_ids.size() ? all.type_ids[i] : 0);
      }
    }
  };
  add(0, sequence.begin);
  add(window.first, window.first + window.count);
  add(sequence.end, all.ids.size());
  for (size_t i = 0; i < input.ids.size(); ++i) {
    input.rows.push_back(static_cast<int32_t>(i));
  }
  return input;
}

struct Span {
  float score = 0;
  size_t start = 0;  // tokens of the sequence, both included
  size_t end = 0;
};

// The probability that the answer begins, or ends (column 1), at each token: over the context and the first token,
// which stands for there being none.
std::vector<float> probabilities(const model::Matrix& logits, int column, size_t begin, size_t count) {
  std::vector<float> values = {logits.row(0)[static_cast<size_t>(column)]};
  for (size_t i = 0; i < count; ++i) {
    values.push_back(logits.row(static_cast<int>(begin + i))[static_cast<size_t>(column)]);
  }
  return scores_of(values, ScoreFunction::kSoftmax);
}

void best_spans(const std::vector<float>& starts, const std::vector<float>& ends, const Window& window, int longest,
                size_t keep, std::vector<Span>& spans) {
  for (size_t i = 0; i < window.count; ++i) {
    const size_t last = std::min(window.count, i + static_cast<size_t>(std::max(longest, 1)));
    for (size_t j = i; j < last; ++j) {
      const float score = starts[i + 1] * ends[j + 1];
      if (spans.size() < keep || score > spans.back().score) {
        const auto at = std::upper_bound(spans.begin(), spans.end(), score,
                                         [](float value, const Span& span) { return value > span.score; });
        spans.insert(at, {score, window.first + i, window.first + j});
        if (spans.size() > keep) {
          spans.pop_back();
        }
      }
    }
  }
}

bool in_word(char32_t c) { return text::is_letter(c) || text::is_number(c) || text::is_mark(c); }

// Widened to whole words: runs of letters and digits.
FoundAnswer found(const Span& span, const Sequence& sequence, const text::CodePoints& chars) {
  size_t start = sequence.encoding.offsets[span.start].first;
  size_t end = std::min<size_t>(sequence.encoding.offsets[span.end].second, chars.size());
  while (start < end && text::is_whitespace(chars[start])) {
    ++start;  // byte-level tokens begin with the space before a word
  }
  while (start > 0 && start < chars.size() && in_word(chars[start]) && in_word(chars[start - 1])) {
    --start;
  }
  while (end > 0 && end < chars.size() && in_word(chars[end - 1]) && in_word(chars[end])) {
    ++end;
  }
  return {chars.slice(start, end), span.score, start, end};
}

}  // namespace

std::vector<FoundAnswer> answer(TaskModel& model, const std::string& question, const std::string& context,
                                const AnswerOptions& options) {
  require_head(model.spec(), model::Head::kQuestionAnswering, "question answering");
  const Sequence sequence = encode(model, question, context);
  const std::vector<Window> windows = windows_of(sequence, model, options);
  std::vector<Input> inputs;
  inputs.reserve(windows.size());
  for (const Window& window : windows) {
    inputs.push_back(input_of(sequence, window, model.spec()));
  }
  const std::vector<BatchResult> results = model.run(std::move(inputs));
  const auto keep = static_cast<size_t>(std::max(options.top_k, 1));
  std::vector<Span> spans;
  float none = 1;  // the least that any window says
  for (size_t w = 0; w < windows.size(); ++w) {
    const model::Matrix& logits = results[w].token_logits;
    const auto starts = probabilities(logits, 0, sequence.begin, windows[w].count);
    const auto ends = probabilities(logits, 1, sequence.begin, windows[w].count);
    none = std::min(none, starts[0] * ends[0]);
    // Windows share tokens and words have several: more than are wanted, since equal answers become one.
    best_spans(starts, ends, windows[w], options.max_answer_tokens, 4 * keep, spans);
  }
  const text::CodePoints chars(context);
  std::vector<FoundAnswer> answers;
  for (const Span& span : spans) {
    FoundAnswer one = found(span, sequence, chars);
    const auto same = std::find_if(answers.begin(), answers.end(), [&](const FoundAnswer& other) {
      return other.start == one.start && other.end == one.end;
    });
    if (same == answers.end()) {
      answers.push_back(std::move(one));
    }
  }
  if (options.impossible && !windows.empty()) {
    answers.push_back({"", none, 0, 0});
  }
  std::stable_sort(answers.begin(), answers.end(),
                   [](const FoundAnswer& a, const FoundAnswer& b) { return a.score > b.score; });
  answers.resize(std::min(answers.size(), keep));
  return answers;
}

}  // namespace slipway::engine
