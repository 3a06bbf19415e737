#include "data/tagger_training.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "base/input.h"
#include "text/lemma_edit.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using text::SequenceTask;

constexpr size_t kMaxFile = size_t{4} << 30;
constexpr size_t kMaxLabels = 255;

std::vector<TaggedSentence> read_words(std::string_view all, const std::string& source) {
  std::vector<TaggedSentence> out;
  for (uint64_t number = 1; !all.empty(); ++number) {
    const size_t newline = all.find('\n');
    const std::string_view line = all.substr(0, newline);
    all = newline == std::string_view::npos ? std::string_view() : all.substr(newline + 1);
    if (!text::is_valid_utf8(line)) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: is not UTF-8", source, number));
    }
    TaggedSentence sentence;
    size_t begin = 0;
    const auto close = [&](size_t end) {
      if (begin < end) {
        sentence.tokens.emplace_back(line.substr(begin, end - begin));
      }
    };
    for (size_t at = 0; at < line.size();) {
      const text::Decoded d = text::decode_at(line, at);
      if (text::is_whitespace(d.code)) {
        close(at);
        begin = at + d.size;
      }
      at += d.size;
    }
    close(line.size());
    if (!sentence.tokens.empty()) {
      out.push_back(std::move(sentence));
    }
  }
  return out;
}

// What a tagger labels: of kSegment the text that the words make, in pieces that fit.
struct Example {
  std::string text;
  std::vector<std::string_view> tokens;
  std::vector<std::string_view> parts_of_speech;
};

struct Examples {
  std::vector<Example> examples;
  std::vector<std::vector<uint8_t>> gold;
};

Examples make_word_examples(const std::vector<TaggedSentence>& sentences) {
  Examples out;
  for (const TaggedSentence& sentence : sentences) {
    Example example;
    std::vector<uint8_t> labels;
    const auto close = [&] {
      if (!labels.empty()) {
        out.examples.push_back(std::move(example));
        out.gold.push_back(std::move(labels));
      }
      example = {};
      labels.clear();
    };
    for (const std::string& word : sentence.tokens) {
      const size_t length = text::count_code_points(word);
      if (length > text::SequenceReader::kMaxPositions) {
        continue;
      }
      if (labels.size() + length > text::SequenceReader::kMaxPositions) {
        close();
      }
      example.text += word;
      text::append_word_labels(word, labels);
    }
    close();
  }
  return out;
}

// Tags as the model learns them: spans in BIOES, lemmas as edits.
std::vector<std::string> model_tags(const TaggedSentence& sentence, SequenceTask task) {
  std::vector<std::string> tags;
  if (task == SequenceTask::kEntities) {
    const std::vector<std::string_view> views(sentence.tags.begin(), sentence.tags.end());
    std::vector<text::TagSpan> spans;
    text::spans_of_tags(views, spans);
    return text::tags_of_spans(spans, views.size(), text::TagScheme::kBioes);
  }
  if (task == SequenceTask::kLemma) {
    for (size_t i = 0; i < sentence.tokens.size(); ++i) {
      tags.push_back(text::lemma_edit(sentence.tokens[i], sentence.tags[i]));
    }
    return tags;
  }
  return sentence.tags;
}

// The labels in the order of their first use; of lemmas the most frequent edits.
std::vector<std::string> choose_labels(const std::vector<std::vector<std::string>>& tags, SequenceTask task) {
  std::map<std::string, std::pair<int64_t, size_t>> counts;  // count, order of first use
  for (const auto& sentence : tags) {
    for (const std::string& tag : sentence) {
      const auto it = counts.try_emplace(tag, 0, counts.size()).first;
      ++it->second.first;
    }
  }
  if (counts.size() > kMaxLabels && task != SequenceTask::kLemma) {
    throw Error(Code::kInvalid, fmt::format("there are {} different tags; a tagger can tell {} apart. Is --column the right one?", counts.size(), kMaxLabels));
  }
  std::vector<std::pair<std::string, std::pair<int64_t, size_t>>> order(counts.begin(), counts.end());
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second.first != b.second.first ? a.second.first > b.second.first : a.second.second < b.second.second;
  });
  order.resize(std::min(order.size(), kMaxLabels));
  std::vector<std::string> labels;
  for (auto& [tag, ignored] : order) {
    labels.push_back(std::move(tag));
  }
  return labels;
}

Examples make_token_examples(const std::vector<TaggedSentence>& sentences, SequenceTask task, std::vector<std::string>& labels) {
  std::vector<std::vector<std::string>> tags;
  tags.reserve(sentences.size());
  for (const TaggedSentence& sentence : sentences) {
    tags.push_back(model_tags(sentence, task));
  }
  labels = choose_labels(tags, task);
  std::map<std::string_view, uint8_t> ids;
  for (const std::string& label : labels) {
    ids.emplace(label, static_cast<uint8_t>(ids.size()));
  }
  Examples out;
  for (size_t s = 0; s < sentences.size(); ++s) {
    const TaggedSentence& sentence = sentences[s];
    for (size_t begin = 0; begin < sentence.tokens.size(); begin += text::SequenceReader::kMaxPositions) {
      const size_t end = std::min(begin + text::SequenceReader::kMaxPositions, sentence.tokens.size());
      Example example;
      std::vector<uint8_t> gold;
      for (size_t i = begin; i < end; ++i) {
        example.tokens.push_back(sentence.tokens[i]);
        if (task == SequenceTask::kLemma) {
          example.parts_of_speech.push_back(sentence.parts_of_speech[i]);
        }
        const auto it = ids.find(tags[s][i]);
        gold.push_back(it == ids.end() ? 0 : it->second);  // a rare edit: the most frequent one stands in
      }
      out.examples.push_back(std::move(example));
      out.gold.push_back(std::move(gold));
    }
  }
  return out;
}

void add_spans(std::span<const std::string_view> gold, std::span<const std::string_view> predicted, stats::SpanQuality& quality) {
  std::vector<text::TagSpan> spans;
  std::vector<stats::LabelledSpan> a;
  std::vector<stats::LabelledSpan> b;
  const auto take = [&spans](std::span<const std::string_view> tags, std::vector<stats::LabelledSpan>& out) {
    text::spans_of_tags(tags, spans);
    for (const text::TagSpan& span : spans) {
      out.push_back({span.begin, span.end, span.type});
    }
  };
  take(gold, a);
  take(predicted, b);
  quality.add(a, b);
}

template <class Word>
std::vector<stats::LabelledSpan> word_spans(const std::vector<Word>& words) {
  std::vector<stats::LabelledSpan> out;
  size_t at = 0;
  for (const Word& word : words) {
    out.push_back({at, at + word.size(), "word"});
    at += word.size();
  }
  return out;
}

}  // namespace

std::string_view tag_of(std::string_view line, ConllKind kind, SequenceTask task, size_t column) {
  if (column > 0) {
    return conll_column(line, kind, column - 1);
  }
  if (kind == ConllKind::kColumns) {
    return conll_column(line, kind, 1).empty() ? std::string_view() : conll_column(line, kind, kLastColumn);
  }
  switch (task) {
    case SequenceTask::kLemma: return conll_column(line, kind, kConllLemma);
    case SequenceTask::kEntities: {
      const std::string_view tag = conll_misc(line, "NER");
      return tag.empty() ? std::string_view("O") : tag;
    }
    default: return conll_column(line, kind, kConllUpos);
  }
}

std::vector<TaggedSentence> read_tagged(const std::filesystem::path& file, SequenceTask task, size_t column) {
  const std::string all = base::read_decompressed(file, kMaxFile);
  const std::string source = file.string();
  const ConllKind kind = conll_kind(all);
  if (task == SequenceTask::kSegment && kind == ConllKind::kColumns) {
    return read_words(all, source);
  }
  std::vector<TaggedSentence> out;
  ConllReader reader(all, source, kind);
  for (ConllSentence sentence; reader.next(sentence);) {
    TaggedSentence tagged;
    for (size_t i = 0; i < sentence.tokens.size(); ++i) {
      const std::string_view line = sentence.lines[sentence.tokens[i]];
      tagged.tokens.emplace_back(sentence.forms[i]);
      if (task == SequenceTask::kSegment) {
        continue;
      }
      const std::string_view tag = tag_of(line, kind, task, column);
      if (tag.empty()) {
        throw Error(Code::kInvalid, fmt::format("{}:{}: has no tag", source, sentence.line + sentence.tokens[i]));
      }
      tagged.tags.emplace_back(tag);
      if (task == SequenceTask::kLemma) {
        tagged.parts_of_speech.emplace_back(kind == ConllKind::kConllU ? conll_column(line, kind, kConllUpos) : std::string_view("_"));
      }
    }
    out.push_back(std::move(tagged));
  }
  return out;
}

double TaggerScores::value(SequenceTask task) const noexcept {
  return task == SequenceTask::kSegment || task == SequenceTask::kEntities ? spans.total().f1() : accuracy();
}

TaggerScores score_tagger(const text::Tagger& tagger, const std::vector<TaggedSentence>& sentences) {
  TaggerScores scores;
  text::Tagger::Scratch scratch;
  std::string joined;
  std::vector<std::string_view> words;
  std::vector<std::string_view> tokens;
  std::vector<std::string_view> parts;
  std::vector<std::string> tags;
  for (const TaggedSentence& sentence : sentences) {
    ++scores.sentences;
    scores.tokens += static_cast<int64_t>(sentence.tokens.size());
    joined.clear();
    for (const std::string& token : sentence.tokens) {
      joined += token;
    }
    tokens.assign(sentence.tokens.begin(), sentence.tokens.end());
    parts.assign(sentence.parts_of_speech.begin(), sentence.parts_of_speech.end());
    const auto start = std::chrono::steady_clock::now();
    if (tagger.task() == SequenceTask::kSegment) {
      tagger.segment(joined, scratch, words);
    } else {
      tagger.tag(tokens, parts, scratch, tags);
    }
    scores.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (tagger.task() == SequenceTask::kSegment) {
      scores.spans.add(word_spans(sentence.tokens), word_spans(words));
      continue;
    }
    for (size_t i = 0; i < tags.size(); ++i) {
      scores.correct += tags[i] == sentence.tags[i] ? 1 : 0;
    }
    if (tagger.task() == SequenceTask::kEntities) {
      const std::vector<std::string_view> gold(sentence.tags.begin(), sentence.tags.end());
      const std::vector<std::string_view> predicted(tags.begin(), tags.end());
      add_spans(gold, predicted, scores.spans);
    }
  }
  return scores;
}

base::Json to_json(const TaggerScores& scores, SequenceTask task) {
  base::Json out = {{"sentences", scores.sentences}, {"tokens", scores.tokens}};
  if (task != SequenceTask::kSegment) {
    out["accuracy"] = scores.accuracy();
  }
  if (task == SequenceTask::kSegment || task == SequenceTask::kEntities) {
    const auto counts = [](const stats::SpanCounts& c) {
      return base::Json{{"precision", c.precision()}, {"recall", c.recall()}, {"f1", c.f1()}, {"support", c.gold}};
    };
    out.update(counts(scores.spans.total()));
    if (task == SequenceTask::kEntities) {
      base::Json labels = base::Json::object();
      for (const auto& [label, c] : scores.spans.by_label()) {
        labels[label] = counts(c);
      }
      out["labels"] = labels;
    }
  }
  return out;
}

std::string train_tagger(const TaggerTraining& training, const std::function<void(const TaggerEpoch&)>& report) {
  text::SequenceDescription description;
  description.task = training.task;
  description.lexicon = training.lexicon ? training.lexicon->dictionary().digest() : 0;
  Examples examples;
  if (training.task == SequenceTask::kSegment) {
    description.labels = {"B", "M", "E", "S"};
    examples = make_word_examples(training.train);
  } else {
    examples = make_token_examples(training.train, training.task, description.labels);
  }
  if (examples.examples.empty()) {
    throw Error(Code::kInvalid, "there are no sentences to learn from");
  }
  if (training.task == SequenceTask::kEntities) {
    text::SchemeDetector detector;
    for (const TaggedSentence& sentence : training.train) {
      detector.see(std::vector<std::string_view>(sentence.tags.begin(), sentence.tags.end()));
    }
    description.scheme = detector.scheme();
  }
  const text::SequenceTrainOptions& options = training.options;
  description.training = {{"sentences", training.train.size()}, {"epochs", options.epochs}, {"seed", options.seed},
                          {"min_count", options.min_count}, {"algorithm", options.algorithm}, {"aggressiveness", options.aggressiveness}};

  const text::SequenceReader reader(training.task, training.lexicon);
  text::SequenceReader::Scratch scratch;
  text::SequenceTrainer trainer(description, examples.gold, [&](size_t index, text::FeatureList& features) {
    const Example& example = examples.examples[index];
    if (training.task == SequenceTask::kSegment) {
      reader.characters(example.text, scratch, features);
    } else {
      reader.tokens(example.tokens, example.parts_of_speech, scratch, features);
    }
  }, options);
  std::string best;
  double top = -1;
  for (int number = 1; number <= options.epochs; ++number) {
    TaggerEpoch epoch;
    epoch.number = number;
    epoch.wrong = trainer.epoch();
    if (training.dev.empty() && number < options.epochs) {
      report(epoch);
      continue;
    }
    std::string bytes = trainer.model();
    epoch.size_bytes = bytes.size();
    // What is scored is what is written: the quantised model.
    epoch.scores = score_tagger(text::Tagger(text::SequenceModel::from_bytes(bytes, "the trained model"), training.lexicon), training.dev);
    if (const double value = epoch.scores.value(training.task); best.empty() || value > top) {
      top = value;
      best = std::move(bytes);
      epoch.best = true;
    }
    report(epoch);
  }
  return best;
}

}  // namespace slipway::data
