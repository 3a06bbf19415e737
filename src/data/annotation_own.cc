// Annotations in files of our own and in plain ones: JSON Lines, CSV (doccano's too), fastText.
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "data/annotation_source.h"
#include "data/csv.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

class OwnCodec final : public JsonCodec {
 public:
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kJsonl; }

  record::AnnotatedTask read(const Json& record, const std::string& where, Notes&, std::string&) const override {
    record::AnnotatedTask task;
    Json plain = record;
    const auto list = [&](const char* key, auto&& each) {
      const Json* entries = member(record, key);
      if (entries != nullptr && !entries->is_array()) {
        bad_record(where, fmt::format("'{}' is to be a list", key));
      }
      if (entries != nullptr) {
        for (const Json& entry : *entries) {
          each(entry);
        }
      }
      plain.erase(key);
    };
    list("annotations", [&](const Json& entry) { task.annotations.push_back(record::annotation_from_json(entry, where)); });
    list("suggestions", [&](const Json& entry) { task.suggestions.push_back(record::suggestion_from_json(entry, where)); });
    task.task = record::task_from_json(plain, where);
    return task;
  }

  std::vector<Json> write(const record::AnnotatedTask& task, const Json*, const std::string&, Notes&) const override {
    Json record = record::to_json(task.task);
    for (const record::Annotation& annotation : task.annotations) {
      record["annotations"].push_back(record::to_json(annotation));
    }
    for (const record::Suggestion& suggestion : task.suggestions) {
      record["suggestions"].push_back(record::to_json(suggestion));
    }
    return {std::move(record)};
  }

  JsonStyle default_style() const override { return {}; }
};

// ---- CSV

constexpr char kJoin = '#';  // doccano's, between labels
const std::vector<std::string> kColumns = {"key",  "text",    "annotator",  "label",      "answer", "skipped", "ground_truth",
                                           "note", "seconds", "created_ms", "updated_ms", "meta"};

void append_field(std::string_view field, std::string& out) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    out += c;
    if (c == '"') {
      out += '"';
    }
  }
  out += '"';
}

void append_row(const std::vector<std::string>& fields, std::string& out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    out += i == 0 ? "" : ",";
    append_field(fields[i], out);
  }
  out += '\n';
}

std::string joined(const std::vector<std::string>& labels) {
  std::string all;
  for (size_t i = 0; i < labels.size(); ++i) {
    all += (i == 0 ? std::string() : std::string(1, kJoin)) + labels[i];
  }
  return all;
}

std::vector<std::string> split_labels(std::string_view all) {
  std::vector<std::string> labels;
  while (!all.empty()) {
    const size_t end = std::min(all.find(kJoin), all.size());
    if (end > 0) {
      labels.emplace_back(all.substr(0, end));
    }
    all.remove_prefix(std::min(end + 1, all.size()));
  }
  return labels;
}

// Rows of one key, one after the other, are a task with several annotations.
class CsvAnnotations final : public AnnotationReader {
 public:
  CsvAnnotations(std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options)
      : bytes_(std::move(bytes)), options_(options), csv_([this](char* buffer, size_t capacity) { return pull(buffer, capacity); }, bytes_->name(), csv_format()) {
    std::vector<std::string_view> fields;
    if (!csv_.next(fields)) {
      throw Error(Code::kInvalid, bytes_->name() + ": the file is empty");
    }
    columns_.assign(fields.begin(), fields.end());
    text_ = column(options.text_field.empty() ? "text" : options.text_field);
    if (text_ == kNone && options.text_field.empty()) {
      text_ = column("data");
    }
    if (text_ == kNone) {
      throw Error(Code::kInvalid, fmt::format("{}: there is no column '{}' in the first line", bytes_->name(), options.text_field.empty() ? "text" : options.text_field));
    }
    key_ = column("key") != kNone ? column("key") : column("id");
    ours_ = column("answer") != kNone;
  }

  AnnotationFormat format() const noexcept override { return AnnotationFormat::kCsv; }

  bool next(record::AnnotatedTask& task) override {
    bool have = std::exchange(have_row_, false);
    if (have) {
      task = std::move(row_);
    }
    std::vector<std::string_view> fields;
    while (csv_.next(fields)) {
      std::optional<record::AnnotatedTask> row = read(fields);
      if (!row) {
        continue;
      }
      if (!have) {
        task = std::move(*row);
        have = true;
      } else if (ours_ && row->task.key == task.task.key && row->task.text == task.task.text) {
        std::move(row->annotations.begin(), row->annotations.end(), std::back_inserter(task.annotations));
      } else {
        row_ = std::move(*row);
        have_row_ = true;
        return true;
      }
    }
    return have;
  }

 private:
  static constexpr size_t kNone = ~size_t{0};
  static CsvFormat csv_format() {
    CsvFormat format;
    format.max_record_bytes = kMaxAnnotationRecord;
    return format;
  }
  size_t pull(char* buffer, size_t capacity) {
    const std::string_view bytes = bytes_->peek(1);
    const size_t n = std::min(capacity, bytes.size());
    std::copy_n(bytes.begin(), n, buffer);
    bytes_->skip(n);
    return n;
  }
  size_t column(std::string_view name) const {
    const auto found = std::find(columns_.begin(), columns_.end(), name);
    return found == columns_.end() ? kNone : static_cast<size_t>(found - columns_.begin());
  }

  std::optional<record::AnnotatedTask> read(const std::vector<std::string_view>& fields) {
    const std::string where = fmt::format("{}:{}", bytes_->name(), csv_.line_number());
    try {
      return read(fields, where);
    } catch (const Error& error) {
      if (!options_.on_fault || error.code() != Code::kInvalid) {
        throw;
      }
      options_.on_fault(error.what());
      return std::nullopt;
    }
  }

  record::AnnotatedTask read(const std::vector<std::string_view>& fields, const std::string& where) const {
    if (fields.size() != columns_.size()) {
      bad_record(where, fmt::format("the row has {} fields; the first line has {}", fields.size(), columns_.size()));
    }
    for (const std::string_view field : fields) {
      if (!text::is_valid_utf8(field)) {
        bad_record(where, "is no UTF-8");
      }
    }
    const auto field = [&](std::string_view name) {
      const size_t at = column(name);
      return at == kNone ? std::string_view() : fields[at];
    };
    record::AnnotatedTask task;
    task.task.text = fields[text_];
    if (task.task.text.empty()) {
      bad_record(where, "the text is empty");
    }
    task.task.key = key_ == kNone ? std::string() : std::string(fields[key_].substr(0, 500));
    if (task.task.key.empty()) {
      task.task.key = text_key(task.task);
    }
    ours_ ? read_ours(field, where, task) : read_plain(fields, field, task);
    return task;
  }

  template <class Field>
  static void read_ours(const Field& field, const std::string& where, record::AnnotatedTask& task) {
    Json json = Json::object();
    const auto parsed = [&](const char* name, const char* fallback) {
      const std::string_view value = field(name);
      return base::parse_json(value.empty() ? fallback : value, where + ", column " + name);
    };
    if (Json meta = parsed("meta", "{}"); meta.is_object()) {
      task.task.meta = std::move(meta);
    }
    if (field("answer").empty() && field("annotator").empty()) {
      return;  // nobody answered
    }
    json["annotator"] = field("annotator");
    json["answer"] = parsed("answer", "{}");
    json["skipped"] = parsed("skipped", "false");
    json["ground_truth"] = parsed("ground_truth", "false");
    json["note"] = field("note");
    for (const char* name : {"seconds", "created_ms", "updated_ms"}) {
      json[name] = parsed(name, "0");
    }
    task.annotations.push_back(record::annotation_from_json(json, where));
  }

  template <class Field>
  void read_plain(const std::vector<std::string_view>& fields, const Field& field, record::AnnotatedTask& task) const {
    Json kept = Json::array();
    Json names = Json::array();
    for (size_t i = 0; i < columns_.size(); ++i) {
      names.push_back(columns_[i]);
      kept.push_back(fields[i]);
      if (i != text_ && i != key_ && columns_[i] != "label" && columns_[i] != "labels" && columns_[i] != "annotator" && !columns_[i].empty()) {
        task.task.meta[columns_[i]] = fields[i];
      }
    }
    const std::string_view label = field("label").empty() ? field("labels") : field("label");
    if (!label.empty()) {
      record::Annotation& annotation = task.annotations.emplace_back();
      annotation.annotator = field("annotator").empty() ? options_.annotator : std::string(field("annotator"));
      (options_.written_answers ? annotation.answer.texts : annotation.answer.classes) =
          options_.written_answers ? std::vector<std::string>{std::string(label)} : split_labels(label);
    }
    keep_source(task.task, AnnotationFormat::kCsv, {{"columns", std::move(names)}, {"fields", std::move(kept)}}, fmt::format("/fields/{}", text_), {});
  }

  std::unique_ptr<SourceBytes> bytes_;
  AnnotationReadOptions options_;
  CsvReader csv_;
  std::vector<std::string> columns_;
  size_t text_ = kNone;
  size_t key_ = kNone;
  bool ours_ = false;
  record::AnnotatedTask row_;
  bool have_row_ = false;
};

class CsvWriter final : public AnnotationWriter {
 public:
  void write(const record::AnnotatedTask& task, std::string& out) override {
    const std::optional<Original> original = original_of(task.task, AnnotationFormat::kCsv);
    const Json* columns = original ? member(original->record, "columns") : nullptr;
    if (!begun_) {
      begun_ = true;
      if (columns != nullptr && columns->is_array()) {
        for (const Json& name : *columns) {
          plain_.push_back(id_text(name));
        }
      }
      append_row(plain_.empty() ? kColumns : plain_, out);
    }
    plain_.empty() ? write_ours(task, out) : write_plain(task, original, out);
  }
  void finish(std::string& out) override {
    if (!begun_) {
      append_row(kColumns, out);
    }
  }

 private:
  void count_lost(const record::AnnotatedTask& task) {
    if (!task.suggestions.empty()) {
      ++notes_["suggestions"];
    }
    if (!task.task.candidates.empty() || !task.task.messages.empty()) {
      ++notes_["candidates and messages"];
    }
  }

  void write_ours(const record::AnnotatedTask& task, std::string& out) {
    count_lost(task);
    const std::string meta = task.task.meta.empty() ? "" : base::dump_json(task.task.meta);
    if (task.annotations.empty()) {
      append_row({task.task.key, task.task.text, "", "", "", "", "", "", "", "", "", meta}, out);
    }
    for (const record::Annotation& a : task.annotations) {
      append_row({task.task.key, task.task.text, a.annotator, joined(a.answer.classes), base::dump_json(record::to_json(a.answer)),
                  a.skipped ? "true" : "false", a.ground_truth ? "true" : "false", a.note, Json(a.seconds).dump(), std::to_string(a.created_ms),
                  std::to_string(a.updated_ms), meta},
                 out);
    }
  }

  // The source's columns, its row with what changed.
  void write_plain(const record::AnnotatedTask& task, const std::optional<Original>& original, std::string& out) {
    count_lost(task);
    std::vector<std::string> row(plain_.size());
    const Json* fields = original ? member(original->record, "fields") : nullptr;
    const record::Annotation* annotation = chosen_annotation(task);
    if (task.annotations.size() > 1) {
      ++notes_["answers of other annotators"];
    }
    for (size_t i = 0; i < plain_.size(); ++i) {
      const std::string& name = plain_[i];
      if (fields != nullptr && fields->is_array() && i < fields->size()) {
        row[i] = (*fields)[i].is_string() ? (*fields)[i].get<std::string>() : "";
      }
      if (name == "text" || (name == "data" && std::find(plain_.begin(), plain_.end(), "text") == plain_.end())) {
        row[i] = task.task.text;
      } else if ((name == "id" || name == "key") && fields == nullptr) {
        row[i] = task.task.key;
      } else if (name == "label" || name == "labels") {
        const std::vector<std::string> none;
        const std::vector<std::string>& now = annotation == nullptr ? none : annotation->answer.texts.empty() ? annotation->answer.classes : annotation->answer.texts;
        if (split_labels(row[i]) != now && std::vector<std::string>{row[i]} != now) {
          row[i] = joined(now);
        }
      } else if (name == "annotator" && annotation != nullptr) {
        row[i] = annotation->annotator;
      }
    }
    if (annotation != nullptr && !annotation->answer.spans.empty()) {
      ++notes_["spans"];
    }
    append_row(row, out);
  }

  bool begun_ = false;
  std::vector<std::string> plain_;  // the source's columns; empty: ours
};

// ---- fastText

constexpr std::string_view kLabel = "__label__";

class FastTextReader final : public AnnotationReader {
 public:
  FastTextReader(std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options) : bytes_(std::move(bytes)), options_(options) {}
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kFastText; }

  bool next(record::AnnotatedTask& task) override {
    std::string_view line;
    while (bytes_->line(line)) {
      if (line.ends_with('\r')) {
        line.remove_suffix(1);
      }
      const std::string where = fmt::format("{}:{}", bytes_->name(), bytes_->line_number());
      const char* fault = nullptr;
      record::Annotation annotation;
      annotation.annotator = options_.annotator;
      while (line.starts_with(kLabel)) {
        line.remove_prefix(kLabel.size());
        const size_t end = std::min(line.find_first_of(" \t"), line.size());
        annotation.answer.classes.emplace_back(line.substr(0, end));
        fault = end == 0 ? "a label is empty" : fault;
        line.remove_prefix(std::min(end + 1, line.size()));
      }
      if (line.empty() && annotation.answer.classes.empty()) {
        continue;
      }
      fault = line.empty() ? "there is no text behind the labels" : !text::is_valid_utf8(line) ? "is no UTF-8" : fault;
      if (fault != nullptr) {
        if (!options_.on_fault) {
          bad_record(where, fault);
        }
        options_.on_fault(where + ": " + fault);
        continue;
      }
      task = {};
      task.task.text = line;
      task.task.key = text_key(task.task);
      if (!annotation.answer.classes.empty()) {
        task.annotations.push_back(std::move(annotation));
      }
      return true;
    }
    return false;
  }

 private:
  std::unique_ptr<SourceBytes> bytes_;
  AnnotationReadOptions options_;
};

class FastTextWriter final : public AnnotationWriter {
 public:
  void write(const record::AnnotatedTask& task, std::string& out) override {
    const record::Annotation* annotation = chosen_annotation(task);
    if (task.annotations.size() > 1) {
      ++notes_["answers of other annotators"];
    }
    if (annotation != nullptr) {
      for (const std::string& name : annotation->answer.classes) {
        if (name.find_first_of(" \t\r\n") != std::string::npos) {
          throw Error(Code::kInvalid, fmt::format("the label '{}' has blanks, which fastText's lines cannot hold", name.substr(0, 100)));
        }
        out += fmt::format("{}{} ", kLabel, name);
      }
    }
    std::string text = task.task.text;
    if (text.find_first_of("\r\n") != std::string::npos) {
      ++notes_["line feeds (blanks now)"];
      std::replace_if(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    }
    out += text + "\n";
  }
  void finish(std::string&) override {}
};

}  // namespace

std::unique_ptr<JsonCodec> make_own_codec(const AnnotationReadOptions&) { return std::make_unique<OwnCodec>(); }
std::unique_ptr<AnnotationReader> make_csv_reader(std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options) {
  return std::make_unique<CsvAnnotations>(std::move(bytes), options);
}
std::unique_ptr<AnnotationWriter> make_csv_writer() { return std::make_unique<CsvWriter>(); }
std::unique_ptr<AnnotationReader> make_fasttext_reader(std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options) {
  return std::make_unique<FastTextReader>(std::move(bytes), options);
}
std::unique_ptr<AnnotationWriter> make_fasttext_writer() { return std::make_unique<FastTextWriter>(); }

}  // namespace slipway::data
