// CoNLL-2003 (columns, the tag last) and CoNLL-U (NER=… in MISC): a sentence a task. IOB1, IOB2, BIOES and BMES are read, IOB2 is written.
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "data/annotation_source.h"
#include "data/conll.h"
#include "text/tag_scheme.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

constexpr std::string_view kNer = "NER";

struct Token {
  size_t begin = 0;  // bytes of the text
  size_t end = 0;
};

ConllKind kind_of(AnnotationFormat format) { return format == AnnotationFormat::kConllU ? ConllKind::kConllU : ConllKind::kColumns; }

std::string_view tag_of(std::string_view line, ConllKind kind) {
  const std::string_view tag = kind == ConllKind::kConllU ? conll_misc(line, kNer) : conll_column(line, kind, kLastColumn);
  return tag.empty() ? "O" : tag;
}

// The text of a sentence and its tokens' places: of "# text = …" when its tokens are found in it, else the forms with blanks between.
std::string text_of(const ConllSentence& sentence, ConllKind kind, std::vector<Token>& tokens) {
  tokens.clear();
  for (const std::string_view line : sentence.lines) {
    constexpr std::string_view kText = "# text = ";
    if (kind != ConllKind::kConllU || !line.starts_with(kText)) {
      continue;
    }
    const std::string_view text = line.substr(kText.size());
    size_t at = 0;
    for (const std::string_view form : sentence.forms) {
      at = std::min(text.find_first_not_of(' ', at), text.size());
      if (!text.substr(at).starts_with(form)) {
        break;
      }
      tokens.push_back({at, at + form.size()});
      at += form.size();
    }
    if (tokens.size() == sentence.forms.size()) {
      return std::string(text);
    }
    tokens.clear();
  }
  std::string text;
  for (size_t i = 0; i < sentence.forms.size(); ++i) {
    tokens.push_back({text.size(), text.size() + sentence.forms[i].size()});
    text += sentence.forms[i];
    const bool joined = kind == ConllKind::kConllU && conll_misc(sentence.lines[sentence.tokens[i]], "SpaceAfter") == "No";
    text += joined || i + 1 == sentence.forms.size() ? "" : " ";
  }
  return text;
}

class ConllAnnotations final : public AnnotationReader {
 public:
  ConllAnnotations(std::unique_ptr<SourceBytes> bytes, AnnotationFormat format, const AnnotationReadOptions& options)
      : bytes_(std::move(bytes)), format_(format), options_(options) {}
  AnnotationFormat format() const noexcept override { return format_; }

  bool next(record::AnnotatedTask& task) override {
    while (next_block()) {
      try {
        if (read(task)) {
          return true;
        }
      } catch (const base::Error& error) {
        if (!options_.on_fault || error.code() != base::Code::kInvalid) {
          throw;
        }
        options_.on_fault(error.what());
      }
    }
    return false;
  }

 private:
  // Lines until the blank ones behind a sentence. What has no token (a heading) stays before the next sentence.
  bool next_block() {
    lines_.clear();
    blank_ = 0;
    std::string_view line;
    bool token = false;
    if (ahead_) {
      token = is_token(*ahead_);
      lines_.push_back(std::move(*ahead_));
      ahead_.reset();
    }
    first_line_ = bytes_->line_number() + (lines_.empty() ? 1 : 0);
    size_t size = 0;
    while (bytes_->line(line)) {
      size += line.size();
      if (size > kMaxAnnotationRecord) {
        throw base::Error(base::Code::kInvalid, fmt::format("{}:{}: the sentence is longer than {} MiB", bytes_->name(), bytes_->line_number(), kMaxAnnotationRecord >> 20));
      }
      feed_ = bytes_->ended_by_feed();
      if (!is_conll_separator(line)) {
        if (blank_ > 0) {
          ahead_ = std::string(line);
          break;
        }
        token = token || is_token(line);
        lines_.emplace_back(line);
      } else if (token) {
        ++blank_;
      } else {
        lines_.emplace_back(line);
      }
    }
    return !lines_.empty();
  }

  bool is_token(std::string_view line) const {
    return !line.starts_with("-DOCSTART-") && !(format_ == AnnotationFormat::kConllU && line.starts_with('#'));
  }

  bool read(record::AnnotatedTask& task) {
    const ConllKind kind = kind_of(format_);
    std::string all;
    for (const std::string& line : lines_) {
      all += line + "\n";
    }
    ConllReader reader(all, bytes_->name(), kind, first_line_);
    ConllSentence sentence;
    if (!reader.next(sentence)) {
      return false;
    }
    std::vector<Token> tokens;
    task = {};
    task.task.text = text_of(sentence, kind, tokens);
    std::vector<std::string_view> tags;
    for (const uint32_t token : sentence.tokens) {
      tags.push_back(tag_of(sentence.lines[token], kind));
    }
    std::vector<text::TagSpan> spans;
    text::spans_of_tags(tags, spans);
    const Positions positions(task.task.text);
    record::Annotation annotation;
    annotation.annotator = options_.annotator;
    for (const text::TagSpan& span : spans) {
      if (span.type.empty()) {
        ++notes_["tags without a type"];
        continue;
      }
      annotation.answer.spans.push_back({fmt::format("s{}", annotation.answer.spans.size() + 1), positions.of_byte(tokens[span.begin].begin),
                                         positions.of_byte(tokens[span.end - 1].end), std::string(span.type)});
    }
    task.annotations.push_back(std::move(annotation));
    Json kept = Json::object();
    for (const std::string_view line : sentence.lines) {
      kept["lines"].push_back(line);
      if (kind == ConllKind::kConllU && line.starts_with("# sent_id = ")) {
        task.task.key = std::string(line.substr(12, 500));
      }
    }
    kept["blank"] = blank_;
    if (!feed_ && blank_ == 0) {
      kept["open"] = true;  // the file's last line has no line feed
    }
    if (task.task.key.empty()) {
      task.task.key = text_key(task.task);
    }
    keep_source(task.task, format_, std::move(kept), "", {});
    return true;
  }

  std::unique_ptr<SourceBytes> bytes_;
  AnnotationFormat format_;
  AnnotationReadOptions options_;
  std::vector<std::string> lines_;
  std::optional<std::string> ahead_;
  uint64_t first_line_ = 1;
  int64_t blank_ = 0;
  bool feed_ = true;
};

// Spans that IOB2 can say: in order, without overlaps; of two that overlap the longer, then the first.
std::vector<record::Span> flat(const std::vector<record::Span>& spans, Notes& notes) {
  std::vector<record::Span> by_size = spans;
  std::stable_sort(by_size.begin(), by_size.end(), [](const auto& a, const auto& b) { return a.end - a.start > b.end - b.start; });
  std::map<int64_t, record::Span> kept;  // by start
  for (const record::Span& span : by_size) {
    const auto after = kept.lower_bound(span.start);
    const bool free = (after == kept.end() || after->first >= span.end) && (after == kept.begin() || std::prev(after)->second.end <= span.start);
    if (free) {
      kept.emplace(span.start, span);
    } else {
      ++notes["overlapping spans"];
    }
  }
  std::vector<record::Span> result;
  for (auto& [start, span] : kept) {
    result.push_back(std::move(span));
  }
  return result;
}

class ConllWriter final : public AnnotationWriter {
 public:
  explicit ConllWriter(AnnotationFormat format) : format_(format) {}

  void write(const record::AnnotatedTask& task, std::string& out) override {
    const record::Annotation* annotation = chosen_annotation(task);
    if (task.annotations.size() > 1) {
      ++notes_["answers of other annotators"];
    }
    if (annotation != nullptr && !(annotation->answer.classes.empty() && annotation->answer.relations.empty() && annotation->answer.texts.empty() && !annotation->answer.rating)) {
      ++notes_["what is no span"];
    }
    const std::vector<record::Span> spans = annotation == nullptr ? std::vector<record::Span>() : flat(annotation->answer.spans, notes_);
    const Positions positions(task.task.text);
    if (const std::optional<Original> original = original_of(task.task, format_); !original || !rewrite(original->record, task.task.text, spans, positions, out)) {
      write_new(task.task, spans, positions, out);
    }
  }
  void finish(std::string&) override {}

 private:
  // The tags of tokens; a span that does not begin and end with tokens covers those that it touches.
  std::vector<std::string> tags_of(const std::vector<Token>& tokens, const std::vector<record::Span>& spans, const Positions& positions) {
    std::vector<text::TagSpan> tagged;
    size_t at = 0;
    for (const record::Span& span : spans) {
      if (span.start < 0 || span.end > positions.size() || span.start >= span.end) {
        ++notes_["spans outside the text"];
        continue;
      }
      const size_t begin = positions.byte_of(span.start);
      const size_t end = positions.byte_of(span.end);
      while (at < tokens.size() && tokens[at].end <= begin) {
        ++at;
      }
      const size_t first = at;
      while (at < tokens.size() && tokens[at].begin < end) {
        ++at;
      }
      if (first == at) {
        ++notes_["spans without a token of their own"];
        continue;
      }
      if (tokens[first].begin != begin || tokens[at - 1].end != end) {
        ++notes_["spans widened to whole tokens"];
      }
      tagged.push_back({first, at, span.label});
    }
    return text::tags_of_spans(tagged, tokens.size(), text::TagScheme::kIob2);
  }

  bool rewrite(const Json& kept, const std::string& text, const std::vector<record::Span>& spans, const Positions& positions, std::string& out) {
    const Json* list = member(kept, "lines");
    if (list == nullptr || !list->is_array()) {
      return false;
    }
    std::string all;
    for (const Json& line : *list) {
      all += (line.is_string() ? line.get_ref<const std::string&>() : std::string()) + "\n";
    }
    const ConllKind kind = kind_of(format_);
    ConllReader reader(all, "the source", kind);
    ConllSentence sentence;
    std::vector<Token> tokens;
    if (!reader.next(sentence) || text_of(sentence, kind, tokens) != text) {
      return false;
    }
    const std::vector<std::string> tags = tags_of(tokens, spans, positions);
    size_t token = 0;
    for (size_t i = 0; i < sentence.lines.size(); ++i) {
      const std::string_view line = sentence.lines[i];
      if (token < sentence.tokens.size() && sentence.tokens[token] == i) {
        const bool none = kind == ConllKind::kConllU && tags[token] == "O" && conll_misc(line, kNer).empty();
        out += none || tag_of(line, kind) == tags[token] ? std::string(line)
               : kind == ConllKind::kConllU              ? with_conll_misc(line, kNer, tags[token])
                                                         : with_conll_column(line, kind, kLastColumn, tags[token]);
        ++token;
      } else {
        out += line;
      }
      out += '\n';
    }
    const Json* blank = member(kept, "blank");
    out.append(static_cast<size_t>(std::clamp<int64_t>(blank == nullptr ? 1 : integer_in(*blank).value_or(1), 0, 1000)), '\n');
    if (kept.contains("open")) {
      out.pop_back();
    }
    return true;
  }

  // Words, the characters between them that are no blanks, and cuts where spans begin and end.
  static std::vector<Token> tokens_of(std::string_view text, const std::vector<record::Span>& spans, const Positions& positions) {
    std::vector<bool> cut(text.size() + 1);
    for (const text::Span& word : text::split_words(text)) {
      cut[word.begin] = cut[word.end] = true;
    }
    std::vector<bool> inside(text.size());
    for (const text::Span& word : text::split_words(text)) {
      std::fill(inside.begin() + static_cast<std::ptrdiff_t>(word.begin), inside.begin() + static_cast<std::ptrdiff_t>(word.end), true);
    }
    for (const record::Span& span : spans) {
      if (span.start >= 0 && span.start <= span.end && span.end <= positions.size()) {
        cut[positions.byte_of(span.start)] = cut[positions.byte_of(span.end)] = true;
      }
    }
    std::vector<Token> tokens;
    bool open = false;
    for (size_t at = 0; at < text.size();) {
      const text::Decoded c = text::decode_at(text, at);
      if (text::is_whitespace(c.code) || text::is_control(c.code)) {
        open = false;
      } else {
        if (!open || cut[at] || !inside[at]) {
          tokens.push_back({at, at});
        }
        tokens.back().end = at + c.size;
        open = inside[at];
      }
      at += c.size;
    }
    return tokens;
  }

  void write_new(const record::Task& task, const std::vector<record::Span>& spans, const Positions& positions, std::string& out) {
    const std::string_view text = task.text;
    const std::vector<Token> tokens = tokens_of(text, spans, positions);
    const std::vector<std::string> tags = tags_of(tokens, spans, positions);
    const bool conllu = format_ == AnnotationFormat::kConllU;
    if (conllu) {
      std::string one_line(text);
      std::replace_if(one_line.begin(), one_line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
      std::string id = task.key;
      std::replace_if(id.begin(), id.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
      out += fmt::format("# sent_id = {}\n# text = {}\n", id, one_line);
    }
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::string_view form = text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
      if (conllu) {
        const bool joined = i + 1 < tokens.size() && tokens[i + 1].begin == tokens[i].end;
        const std::string ner = tags[i] == "O" ? "" : fmt::format("NER={}", tags[i]);
        const std::string misc = ner + (joined ? (ner.empty() ? "SpaceAfter=No" : "|SpaceAfter=No") : "");
        out += fmt::format("{}\t{}\t_\t_\t_\t_\t_\t_\t_\t{}\n", i + 1, form, misc.empty() ? "_" : misc);
      } else {
        out += fmt::format("{} -X- _ {}\n", form, tags[i]);  // as Label Studio's converter
      }
    }
    out += '\n';
  }

  AnnotationFormat format_;
};

}  // namespace

std::unique_ptr<AnnotationReader> make_conll_reader(std::unique_ptr<SourceBytes> bytes, AnnotationFormat format, const AnnotationReadOptions& options) {
  return std::make_unique<ConllAnnotations>(std::move(bytes), format, options);
}
std::unique_ptr<AnnotationWriter> make_conll_writer(AnnotationFormat format) { return std::make_unique<ConllWriter>(format); }

}  // namespace slipway::data
