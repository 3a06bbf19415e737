#include "data/span_tagger.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "data/annotation_source.h"
#include "data/tagger_training.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using text::SequenceTask;

std::vector<std::string_view> slices(std::string_view text, const std::vector<text::Span>& tokens) {
  std::vector<std::string_view> all;
  all.reserve(tokens.size());
  for (const text::Span token : tokens) {
    all.push_back(text::slice(text, token));
  }
  return all;
}

// The marked spans as ranges of tokens that do not overlap, the longer ones first.
std::vector<text::TagSpan> token_spans(const SpanTagger::Lesson& lesson, const std::vector<text::Span>& tokens) {
  const Positions positions(lesson.text);
  std::vector<text::TagSpan> found;
  for (const record::Span& span : lesson.spans) {
    if (span.start < 0 || span.start >= span.end || span.end > positions.size()) {
      continue;
    }
    const size_t begin = positions.byte_of(span.start);
    const size_t end = positions.byte_of(span.end);
    const auto first = std::partition_point(tokens.begin(), tokens.end(), [&](const text::Span& token) { return token.end <= begin; });
    const auto last = std::partition_point(first, tokens.end(), [&](const text::Span& token) { return token.begin < end; });
    if (first != last) {
      found.push_back({static_cast<size_t>(first - tokens.begin()), static_cast<size_t>(last - tokens.begin()), span.label});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const text::TagSpan& a, const text::TagSpan& b) { return a.end - a.begin > b.end - b.begin; });
  std::vector<text::TagSpan> kept;
  for (const text::TagSpan& one : found) {
    if (std::none_of(kept.begin(), kept.end(), [&](const text::TagSpan& other) { return one.begin < other.end && other.begin < one.end; })) {
      kept.push_back(one);
    }
  }
  std::sort(kept.begin(), kept.end(), [](const text::TagSpan& a, const text::TagSpan& b) { return a.begin < b.begin; });
  return kept;
}

// Empty for a text that is too long.
TaggedSentence sentence_of(const SpanTagger::Lesson& lesson) {
  if (lesson.text.size() > SpanTagger::kMaxText) {
    return {};
  }
  const std::vector<text::Span> tokens = tagger_tokens(lesson.text);
  TaggedSentence sentence;
  for (const std::string_view token : slices(lesson.text, tokens)) {
    sentence.tokens.emplace_back(token);
  }
  sentence.tags = text::tags_of_spans(token_spans(lesson, tokens), tokens.size(), text::TagScheme::kBioes);
  return sentence;
}

std::shared_ptr<const text::Tagger> train_on(std::vector<TaggedSentence> sentences, const SpanTagger::Options& options) {
  std::erase_if(sentences, [](const TaggedSentence& one) { return one.tokens.empty(); });
  const bool any = std::any_of(sentences.begin(), sentences.end(), [](const TaggedSentence& one) {
    return std::any_of(one.tags.begin(), one.tags.end(), [](const std::string& tag) { return tag != "O"; });
  });
  if (!any) {
    throw Error(Code::kInvalid, "no span was marked yet");
  }
  TaggerTraining training;
  training.task = SequenceTask::kEntities;
  training.train = std::move(sentences);
  training.options.epochs = options.epochs;
  training.options.seed = options.seed;
  training.options.min_count = 1;  // there are few texts
  const std::string bytes = train_tagger(training, [&](const TaggerEpoch&) {
    if (options.stop && options.stop()) {
      throw Error(Code::kInterrupted, "the training was stopped");
    }
  });
  return std::make_shared<const text::Tagger>(text::SequenceModel::from_bytes(bytes, "the tagger"), nullptr);
}

// A few texts that are all told right would want it larger and larger, until everything is certain.
constexpr int kLargestPower = -6;

// The scale that gives the true labels of `held` the highest chance.
double fitted_scale(const text::Tagger& tagger, const std::vector<TaggedSentence>& held) {
  const std::vector<std::string>& labels = tagger.model().description().labels;
  std::map<std::string_view, size_t> numbers;
  for (const std::string& label : labels) {
    numbers.emplace(label, numbers.size());
  }
  double best = SpanTagger::kScale;
  double least = INFINITY;
  text::Tagger::Scratch scratch;
  std::vector<double> p;
  for (int power = -14; power <= kLargestPower; ++power) {
    const double scale = std::ldexp(1.0, power);
    double loss = 0;
    for (const TaggedSentence& sentence : held) {
      const std::vector<std::string_view> tokens(sentence.tokens.begin(), sentence.tokens.end());
      tagger.marginals(tokens, scale, scratch, p);
      for (size_t i = 0; i < tokens.size(); ++i) {
        if (const auto found = numbers.find(sentence.tags[i]); found != numbers.end()) {
          loss -= std::log(std::max(p[i * labels.size() + found->second], 1e-12));
        }
      }
    }
    if (loss < least) {
      least = loss;
      best = scale;
    }
  }
  return best;
}

std::vector<stats::LabelledSpan> places_of(const std::vector<record::Span>& spans) {
  std::vector<stats::LabelledSpan> places;
  for (const record::Span& span : spans) {
    places.push_back({static_cast<size_t>(std::max<int64_t>(span.start, 0)), static_cast<size_t>(std::max<int64_t>(span.end, 0)), span.label});
  }
  return places;
}

}  // namespace

std::vector<text::Span> tagger_tokens(std::string_view text) {
  std::vector<text::Span> words;
  text::split_words(text, words);
  std::vector<text::Span> tokens;
  size_t at = 0;
  const auto between = [&](size_t end) {
    while (at < end) {
      const text::Decoded c = text::decode_at(text, at);
      if (!text::is_whitespace(c.code)) {
        tokens.push_back({at, at + c.size});
      }
      at += c.size;
    }
  };
  for (const text::Span word : words) {
    between(word.begin);
    tokens.push_back(word);
    at = word.end;
  }
  between(text.size());
  return tokens;
}

SpanTagger::SpanTagger(std::shared_ptr<const text::Tagger> tagger, double scale) : tagger_(std::move(tagger)), scale_(scale) {
  if (tagger_->task() != SequenceTask::kEntities) {
    throw Error(Code::kInvalid, fmt::format("a tagger for '{}' finds no spans; `slipway train tagger --task ner` makes one that does", text::task_name(tagger_->task())));
  }
}

SpanTagger::Trained SpanTagger::train(std::span<const Lesson> lessons, const Options& options) {
  std::vector<TaggedSentence> all;
  all.reserve(lessons.size());
  for (const Lesson& lesson : lessons) {
    all.push_back(sentence_of(lesson));
  }
  double scale = kScale;
  std::optional<stats::SpanAgreement> quality;
  if (lessons.size() >= kHoldOutFrom) {
    std::vector<TaggedSentence> first;
    std::vector<TaggedSentence> held;
    std::vector<const Lesson*> held_lessons;
    for (size_t i = 0; i < lessons.size(); ++i) {
      const bool hold = base::xxh64(lessons[i].text) % 5 == 0;
      (hold ? held : first).push_back(all[i]);
      if (hold) {
        held_lessons.push_back(&lessons[i]);
      }
    }
    const bool enough = !held.empty() && std::any_of(first.begin(), first.end(), [](const TaggedSentence& one) {
      return std::any_of(one.tags.begin(), one.tags.end(), [](const std::string& tag) { return tag != "O"; });
    });
    if (enough) {
      const auto tagger = train_on(std::move(first), options);
      scale = fitted_scale(*tagger, held);
      const SpanTagger measured(tagger, scale);
      std::vector<stats::SpanPairCounts> texts;
      for (const Lesson* lesson : held_lessons) {
        const auto found = measured.suggest(lesson->text, "");
        texts.push_back(stats::count_span_pair(places_of(lesson->spans), places_of(found ? found->answer.spans : std::vector<record::Span>())));
      }
      quality = stats::span_agreement(texts);
    }
  }
  return {SpanTagger(train_on(std::move(all), options), scale), quality};
}

std::optional<record::Suggestion> SpanTagger::suggest(std::string_view text, std::string source) const {
  if (text.size() > kMaxText) {
    return std::nullopt;
  }
  const std::vector<text::Span> tokens = tagger_tokens(text);
  const std::vector<std::string_view> words = slices(text, tokens);
  text::Tagger::Scratch scratch;
  std::vector<std::string> tags;
  tagger_->tag(words, {}, scratch, tags);
  const std::vector<std::string_view> views(tags.begin(), tags.end());
  std::vector<text::TagSpan> spans;
  text::spans_of_tags(views, spans);
  if (spans.empty()) {
    return std::nullopt;
  }
  std::vector<double> p;
  tagger_->marginals(words, scale_, scratch, p);
  const std::vector<std::string>& labels = tagger_->model().description().labels;
  const std::vector<std::string> chosen = text::tags_of_spans(spans, tags.size(), text::TagScheme::kBioes);  // as the model's labels are
  const Positions positions(text);
  record::Suggestion made{std::move(source), 0, {}};
  for (const text::TagSpan& span : spans) {
    double least = 1;
    for (size_t i = span.begin; i < span.end; ++i) {
      const auto label = static_cast<size_t>(std::find(labels.begin(), labels.end(), chosen[i]) - labels.begin());
      least = std::min(least, label < labels.size() ? p[i * labels.size() + label] : 0);
    }
    made.score += least;
    made.answer.spans.push_back({fmt::format("t{}", made.answer.spans.size() + 1), positions.of_byte(tokens[span.begin].begin),
                                 positions.of_byte(tokens[span.end - 1].end), std::string(span.type)});
  }
  made.score /= static_cast<double>(spans.size());
  return made;
}

double SpanTagger::uncertainty(std::string_view text, Uncertainty kind) const {
  if (text.size() > kMaxText) {
    return 0;
  }
  const std::vector<text::Span> tokens = tagger_tokens(text);
  const size_t labels = tagger_->model().description().labels.size();
  if (tokens.empty() || labels < 2) {
    return 0;
  }
  text::Tagger::Scratch scratch;
  std::vector<double> p;
  tagger_->marginals(slices(text, tokens), scale_, scratch, p);
  const std::vector<double> scores = data::uncertainty(p, static_cast<int>(labels), kind);
  double sum = 0;
  for (const double score : scores) {
    sum += score;
  }
  return sum / static_cast<double>(tokens.size());
}

}  // namespace slipway::data
