#include "data/annotation_formats.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/input.h"
#include "base/utf8.h"
#include "data/annotation_source.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr std::array<std::string_view, 10> kNames = {"jsonl", "csv", "label-studio", "doccano", "brat", "conll", "conllu", "prodigy", "argilla", "fasttext"};
constexpr size_t kHeadBytes = size_t{64} << 10;

// Which format a JSON object is a record of, by its keys.
std::optional<AnnotationFormat> format_of_record(const Json& record) {
  const auto has = [&](const char* key) { return record.contains(key); };
  const auto is_object = [&](const char* key) { return has(key) && record[key].is_object(); };
  if (is_object("data") && (has("annotations") || has("predictions") || has("completions") || !has("text"))) {
    return AnnotationFormat::kLabelStudio;
  }
  if (is_object("fields") || has("annotation_agent") || has("prediction_agent") || (has("prediction") && has("annotation"))) {
    return AnnotationFormat::kArgilla;
  }
  if (has("_input_hash") || has("_task_hash") || has("_view_id") || has("spans") || has("accept") ||
      (has("answer") && record["answer"].is_string())) {
    return AnnotationFormat::kProdigy;
  }
  constexpr std::array<std::string_view, 8> kOurs = {"id", "key", "text", "candidates", "messages", "meta", "annotations", "suggestions"};
  bool ours = has("annotations") || has("suggestions") || has("key") || has("candidates") || has("messages");
  for (auto it = record.begin(); ours && it != record.end(); ++it) {
    ours = std::find(kOurs.begin(), kOurs.end(), it.key()) != kOurs.end();
  }
  if (ours) {
    return AnnotationFormat::kJsonl;
  }
  return has("text") || has("data") ? std::optional(AnnotationFormat::kDoccano) : std::nullopt;
}

std::optional<AnnotationFormat> format_of_json(std::string_view head) {
  SourceBytes bytes([done = false, head](char* buffer, size_t capacity) mutable {
    const size_t n = done ? 0 : std::min(capacity, head.size());
    std::copy_n(head.begin(), n, buffer);
    head.remove_prefix(n);
    done = head.empty();
    return n;
  }, "");
  JsonValues values(bytes);
  std::string_view value;
  std::string where;
  try {
    if (values.next(value, where)) {
      const Json record = base::parse_json(value, where);
      return record.is_object() ? format_of_record(record) : std::nullopt;
    }
  } catch (const Error&) {
    // A first record that is longer than the head: by the keys that can be seen.
    const auto has = [&](const char* key) { return head.find(key) != std::string_view::npos; };
    if (has("\"annotations\"") && has("\"data\"")) {
      return AnnotationFormat::kLabelStudio;
    }
    if (has("\"_input_hash\"")) {
      return AnnotationFormat::kProdigy;
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> first_lines(std::string_view head, size_t count) {
  std::vector<std::string_view> lines;
  while (!head.empty() && lines.size() < count) {
    const size_t end = std::min(head.find('\n'), head.size());
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!line.empty()) {
      lines.push_back(line);
    }
  }
  return lines;
}

bool is_brat_line(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos || tab == 0) {
    return false;
  }
  if (line[0] == '*') {
    return tab == 1;
  }
  return std::string_view("TREAMN#").find(line[0]) != std::string_view::npos && tab > 1 &&
         std::all_of(line.begin() + 1, line.begin() + static_cast<std::ptrdiff_t>(tab), [](char c) { return c >= '0' && c <= '9'; });
}

// Columns whose last looks like a tag of spans.
bool is_conll_line(std::string_view line) {
  if (line.starts_with("-DOCSTART-")) {
    return true;
  }
  const size_t blank = line.find_last_of(" \t");
  if (blank == std::string_view::npos || blank == 0) {
    return false;
  }
  const std::string_view tag = line.substr(blank + 1);
  return tag == "O" || (tag.size() > 2 && tag[1] == '-' && std::string_view("BIESMLU").find(tag[0]) != std::string_view::npos);
}

bool is_csv_head(std::string_view line) {
  if (line.find(',') == std::string_view::npos) {
    return false;
  }
  const std::string all = "," + std::string(line) + ",";
  const auto has = [&](const char* name) {
    return all.find(fmt::format(",{},", name)) != std::string::npos || all.find(fmt::format(",\"{}\",", name)) != std::string::npos;
  };
  return has("text") || has("data");
}

class JsonReader final : public AnnotationReader {
 public:
  JsonReader(std::unique_ptr<SourceBytes> bytes, std::unique_ptr<JsonCodec> codec, const AnnotationReadOptions& options)
      : bytes_(std::move(bytes)), codec_(std::move(codec)), options_(options), values_(*bytes_) {}

  bool next(record::AnnotatedTask& task) override {
    std::string_view value;
    std::string where;
    while (values_.next(value, where)) {
      try {
        task = read(value, where);
        return true;
      } catch (const Error& error) {
        if (!options_.on_fault || error.code() != Code::kInvalid) {
          throw;
        }
        options_.on_fault(error.what());
      }
    }
    return false;
  }
  AnnotationFormat format() const noexcept override { return codec_->format(); }

 private:
  record::AnnotatedTask read(std::string_view value, const std::string& where) {
    if (!text::is_valid_utf8(value)) {
      bad_record(where, "is no UTF-8");
    }
    Json record = base::parse_json(value, where, {kMaxAnnotationRecord, 128});
    if (!record.is_object()) {
      bad_record(where, "is no JSON object");
    }
    std::string pointer;
    record::AnnotatedTask task = codec_->read(record, where, notes_, pointer);
    if (task.task.key.empty()) {
      task.task.key = text_key(task.task);
    }
    for (record::Annotation& annotation : task.annotations) {
      if (annotation.annotator.empty()) {
        annotation.annotator = options_.annotator;
      }
    }
    if (codec_->format() != AnnotationFormat::kJsonl) {
      keep_source(task.task, codec_->format(), std::move(record), pointer, values_.style(value));
    }
    return task;
  }

  std::unique_ptr<SourceBytes> bytes_;
  std::unique_ptr<JsonCodec> codec_;
  AnnotationReadOptions options_;
  JsonValues values_;
};

class JsonWriter final : public AnnotationWriter {
 public:
  explicit JsonWriter(std::unique_ptr<JsonCodec> codec) : codec_(std::move(codec)), style_(codec_->default_style()) {}

  void write(const record::AnnotatedTask& task, std::string& out) override {
    const std::optional<Original> original = original_of(task.task, codec_->format());
    JsonStyle style = codec_->default_style();
    if (original) {
      style = style_of(task.task.meta.at(kSourceKey));
    }
    if (count_ == 0) {
      style_ = style;
    }
    style.array = style_.array;  // of the file: as its first record
    style.indent = style_.indent;
    for (const Json& record : codec_->write(task, original ? &original->record : nullptr, original ? original->pointer : std::string(), notes_)) {
      if (style.array) {
        out += count_ == 0 ? "[" : style.spaces && style.indent == 0 ? ", " : ",";
        if (style.indent > 0) {
          out += '\n';
          out.append(static_cast<size_t>(style.indent), ' ');
        }
      }
      append_styled(record, style, style.array ? style.indent : 0, out);
      out += style.array ? "" : "\n";
      ++count_;
    }
  }

  void finish(std::string& out) override {
    if (style_.array) {
      out += count_ == 0 ? "[" : style_.indent > 0 ? "\n" : "";
      out += "]";
    }
  }

 private:
  std::unique_ptr<JsonCodec> codec_;
  JsonStyle style_;
  int64_t count_ = 0;
};

std::unique_ptr<AnnotationReader> reader_of(AnnotationFormat format, std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options) {
  switch (format) {
    case AnnotationFormat::kJsonl:
      return make_json_reader(std::move(bytes), make_own_codec(options), options);
    case AnnotationFormat::kLabelStudio:
      return make_json_reader(std::move(bytes), make_label_studio_codec(options), options);
    case AnnotationFormat::kDoccano:
      return make_json_reader(std::move(bytes), make_doccano_codec(options), options);
    case AnnotationFormat::kProdigy:
      return make_json_reader(std::move(bytes), make_prodigy_codec(options), options);
    case AnnotationFormat::kArgilla:
      return make_json_reader(std::move(bytes), make_argilla_codec(options), options);
    case AnnotationFormat::kCsv:
      return make_csv_reader(std::move(bytes), options);
    case AnnotationFormat::kConll:
    case AnnotationFormat::kConllU:
      return make_conll_reader(std::move(bytes), format, options);
    case AnnotationFormat::kFastText:
      return make_fasttext_reader(std::move(bytes), options);
    case AnnotationFormat::kBrat:
      break;
  }
  throw Error(Code::kInvalid, "a file of brat's is read with its text, from the folder of both");
}

}  // namespace

std::string_view name_of(AnnotationFormat format) noexcept { return kNames[static_cast<size_t>(format)]; }

AnnotationFormat annotation_format_named(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<AnnotationFormat>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("annotations are in one of {}, not '{}'", fmt::join(kNames, ", "), name.substr(0, 100)));
}

std::optional<AnnotationFormat> detect_annotation_format(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) {
    head.remove_prefix(3);
  }
  const size_t begin = head.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  if (head[begin] == '{' || head[begin] == '[') {
    return format_of_json(head.substr(begin));
  }
  const std::vector<std::string_view> lines = first_lines(head, 20);
  if (std::all_of(lines.begin(), lines.end() - (lines.size() > 1 ? 1 : 0), is_brat_line)) {
    return AnnotationFormat::kBrat;
  }
  if (is_csv_head(lines[0])) {
    return AnnotationFormat::kCsv;
  }
  const auto first = std::find_if(lines.begin(), lines.end(), [](std::string_view line) { return !line.starts_with('#'); });
  if (first != lines.end() && std::count(first->begin(), first->end(), '\t') == 9) {
    return AnnotationFormat::kConllU;
  }
  if (lines[0].starts_with("__label__")) {
    return AnnotationFormat::kFastText;
  }
  if (first != lines.end() && is_conll_line(*first)) {
    return AnnotationFormat::kConll;
  }
  return std::nullopt;
}

std::unique_ptr<AnnotationReader> make_json_reader(std::unique_ptr<SourceBytes> bytes, std::unique_ptr<JsonCodec> codec, const AnnotationReadOptions& options) {
  return std::make_unique<JsonReader>(std::move(bytes), std::move(codec), options);
}

std::unique_ptr<AnnotationWriter> make_json_writer(std::unique_ptr<JsonCodec> codec) { return std::make_unique<JsonWriter>(std::move(codec)); }

std::unique_ptr<AnnotationReader> read_annotations(AnnotationBytes bytes, const std::string& name, const AnnotationReadOptions& options) {
  auto source = std::make_unique<SourceBytes>(std::move(bytes), name);
  std::optional<AnnotationFormat> format = options.format;
  if (!format) {
    format = detect_annotation_format(source->peek(kHeadBytes));
    if (!format) {
      throw Error(Code::kInvalid, fmt::format("{}: this is no file of annotations: JSON of Label Studio, doccano, Prodigy, Argilla or ours, CSV with a column 'text', "
                                              "CoNLL, CoNLL-U, lines that begin with __label__, or a folder of brat's; --format says which it is", name));
    }
  }
  return reader_of(*format, std::move(source), options);
}

std::unique_ptr<AnnotationReader> open_annotations(const std::filesystem::path& path, const AnnotationReadOptions& options) {
  if (std::filesystem::is_directory(path)) {
    if (options.format && *options.format != AnnotationFormat::kBrat) {
      throw Error(Code::kInvalid, fmt::format("{} is a folder; {} is a file", path.string(), name_of(*options.format)));
    }
    return make_brat_reader(path, options);
  }
  if (path.extension() == ".ann" || options.format == AnnotationFormat::kBrat) {
    return make_brat_reader(path, options);
  }
  const auto input = std::make_shared<base::Input>(path);
  return read_annotations([input](char* buffer, size_t capacity) { return input->read(buffer, capacity); }, path.string(), options);
}

std::unique_ptr<AnnotationWriter> make_annotation_writer(AnnotationFormat format) {
  switch (format) {
    case AnnotationFormat::kJsonl:
      return make_json_writer(make_own_codec({}));
    case AnnotationFormat::kLabelStudio:
      return make_json_writer(make_label_studio_codec({}));
    case AnnotationFormat::kDoccano:
      return make_json_writer(make_doccano_codec({}));
    case AnnotationFormat::kProdigy:
      return make_json_writer(make_prodigy_codec({}));
    case AnnotationFormat::kArgilla:
      return make_json_writer(make_argilla_codec({}));
    case AnnotationFormat::kCsv:
      return make_csv_writer();
    case AnnotationFormat::kConll:
    case AnnotationFormat::kConllU:
      return make_conll_writer(format);
    case AnnotationFormat::kFastText:
      return make_fasttext_writer();
    case AnnotationFormat::kBrat:
      break;
  }
  throw Error(Code::kInvalid, "brat's documents are files of a folder, not one stream");
}

const record::Annotation* chosen_annotation(const record::AnnotatedTask& task) noexcept {
  const record::Annotation* chosen = nullptr;
  for (const record::Annotation& annotation : task.annotations) {
    if (annotation.ground_truth) {
      return &annotation;
    }
    if (chosen == nullptr && !annotation.skipped) {
      chosen = &annotation;
    }
  }
  return chosen;
}

void SchemeCollector::see(const record::Answer& answer) {
  const auto label = [&](char kind, const std::string& name, std::vector<record::Label>& labels) {
    if (!name.empty() && known_.try_emplace(kind + name, 0).second) {
      labels.push_back({name, "", ""});
    }
  };
  several_ = several_ || answer.classes.size() > 1;
  for (const std::string& name : answer.classes) {
    label('c', name, scheme_.classes);
  }
  for (const record::Span& span : answer.spans) {
    label('s', span.label, scheme_.spans);
  }
  for (const record::Relation& relation : answer.relations) {
    label('r', relation.label, scheme_.relations);
  }
  text_ = text_ || !answer.texts.empty();
  preference_ = preference_ || answer.preferred;
  chat_ = chat_ || !answer.message_ratings.empty();
  if (answer.rating) {
    rating_ = true;
    scheme_.rating_max = std::max(scheme_.rating_max, *answer.rating);
  }
  for (const int rating : answer.message_ratings) {
    scheme_.rating_max = std::max(scheme_.rating_max, rating);
  }
}

void SchemeCollector::see(const record::AnnotatedTask& task) {
  for (const record::Annotation& annotation : task.annotations) {
    see(annotation.answer);
  }
  for (const record::Suggestion& suggestion : task.suggestions) {
    see(suggestion.answer);
  }
}

record::AnnotationScheme SchemeCollector::scheme() const {
  using record::Question;
  record::AnnotationScheme scheme = scheme_;
  const auto ask = [&](bool there, Question question) {
    if (there) {
      scheme.questions.push_back(question);
    }
  };
  ask(!scheme.classes.empty(), several_ ? Question::kClasses : Question::kClass);
  ask(!scheme.spans.empty(), Question::kSpans);
  ask(!scheme.relations.empty(), Question::kRelations);
  ask(text_, Question::kText);
  ask(rating_, Question::kRating);
  ask(preference_, Question::kPreference);
  ask(chat_, Question::kChatReview);
  return scheme;
}

}  // namespace slipway::data
