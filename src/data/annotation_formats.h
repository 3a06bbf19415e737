// Files of annotation tools, read and written a task at a time: what record::AnnotatedTask is in each of them. What a format says beyond it
// stays in the task's meta under "_source" and goes out again into the same format, so that what nobody changed comes out as it came
// in. Files are not trusted. docs/guide/annotation-formats.md (what each keeps), docs/formats/annotation.md. A reader, a writer: one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/annotation.h"

namespace slipway::data {

enum class AnnotationFormat {
  kJsonl,        // ours
  kCsv,          // ours; doccano's too
  kLabelStudio,  // JSON of tasks
  kDoccano,      // JSON Lines or JSON
  kBrat,         // folders of .txt and .ann
  kConll,        // columns, the tag last: CoNLL-2003
  kConllU,       // NER=… in MISC
  kProdigy,      // JSON Lines
  kArgilla,      // JSON of records, 1.x and 2.x
  kFastText,     // __label__a text
};
std::string_view name_of(AnnotationFormat format) noexcept;  // "jsonl", "csv", "label-studio", "doccano", …
// Throws Error(kInvalid) naming them.
AnnotationFormat annotation_format_named(std::string_view name);

constexpr size_t kMaxAnnotationRecord = size_t{64} << 20;  // bytes of a task, a line, a sentence, a document

struct AnnotationReadOptions {
  std::optional<AnnotationFormat> format;  // else by content
  std::string text_field;                  // of JSON tasks; empty: the format's own
  bool written_answers = false;            // doccano: "label" holds texts (sequence to sequence), not classes
  std::string annotator;                   // of answers for which the file names nobody
  // Told of a record that is none, in place of an exception; the record is left out.
  std::function<void(const std::string& fault)> on_fault;
};

class AnnotationReader {
 public:
  virtual ~AnnotationReader() = default;
  // The next task; false at the end. Its key is the source's id, or the digest of the text (16 hex digits). Throws Error(kInvalid)
  // naming file and place for what is not of the format (unless on_fault takes it) or above the limits.
  virtual bool next(record::AnnotatedTask& task) = 0;
  virtual AnnotationFormat format() const noexcept = 0;
  // What was left out because record::Answer has no place for it, counted: "events (E)". Grows while reading.
  const std::map<std::string, int64_t>& notes() const noexcept { return notes_; }

 protected:
  std::map<std::string, int64_t> notes_;
};

// A file (gzip or zstd by its bytes), or a folder of brat documents. Throws Error(kNotFound), and Error(kInvalid) telling what was looked
// for when the content is of no format.
std::unique_ptr<AnnotationReader> open_annotations(const std::filesystem::path& path, const AnnotationReadOptions& options = {});
// Up to `capacity` bytes into the buffer; 0 at the end. All formats but brat. `name` is used in messages.
using AnnotationBytes = std::function<size_t(char* buffer, size_t capacity)>;
std::unique_ptr<AnnotationReader> read_annotations(AnnotationBytes bytes, const std::string& name, const AnnotationReadOptions& options = {});

// By the first bytes of a file (64 KiB are enough); nothing when it is of none. kBrat is for .ann files.
std::optional<AnnotationFormat> detect_annotation_format(std::string_view head);

// Text out, appended piece by piece, for all formats but brat.
class AnnotationWriter {
 public:
  virtual ~AnnotationWriter() = default;
  // Throws Error(kInvalid) for a task that the format cannot say at all (a label with blanks in fastText's).
  virtual void write(const record::AnnotatedTask& task, std::string& out) = 0;
  virtual void finish(std::string& out) = 0;  // once, after the last
  // What the format has no place for, counted: "overlapping spans".
  const std::map<std::string, int64_t>& notes() const noexcept { return notes_; }

 protected:
  std::map<std::string, int64_t> notes_;
};

// Formats with one answer a text (doccano, CoNLL, CoNLL-U, fastText) take the one that counts: ground truth, else the first not skipped.
// Throws Error(kInvalid) for kBrat.
std::unique_ptr<AnnotationWriter> make_annotation_writer(AnnotationFormat format);

// One document of brat.
struct BratDocument {
  std::string name;  // without ending; of the source, else its key's safe characters
  std::string text;  // NAME.txt
  std::string ann;   // NAME.ann
};
// `notes`: counted as an AnnotationWriter's.
BratDocument brat_document(const record::AnnotatedTask& task, std::map<std::string, int64_t>& notes);
// `name` without ending; throws Error(kInvalid) naming the line.
record::AnnotatedTask brat_task(std::string_view text, std::string_view ann, const std::string& name, std::map<std::string, int64_t>& notes);

// The answer that counts; null when there is none.
const record::Annotation* chosen_annotation(const record::AnnotatedTask& task) noexcept;

// What the tasks that it saw ask for: labels in order of appearance, questions by the answers and suggestions there are.
class SchemeCollector {
 public:
  void see(const record::AnnotatedTask& task);
  record::AnnotationScheme scheme() const;

 private:
  void see(const record::Answer& answer);
  record::AnnotationScheme scheme_;
  std::map<std::string, int> known_;  // "class\0NAME"
  bool several_ = false;
  bool text_ = false, rating_ = false, preference_ = false, chat_ = false;
};

// Label Studio's configuration of a project (XML) and back. In: Choices, Labels, HyperTextLabels, Relations, TextArea, Rating, Pairwise;
// what a label is called in answers is its alias, if it has one. Throws Error(kInvalid) naming `source` and the place: no XML, a DOCTYPE,
// more than 1 MiB, deeper than 64, nothing that asks for anything. Out: with names that the Label Studio writer uses.
record::AnnotationScheme scheme_from_label_config(std::string_view xml, std::string_view source);
std::string label_config_of(const record::AnnotationScheme& scheme);

}  // namespace slipway::data
