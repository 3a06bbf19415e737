// What the formats of annotations share: bytes cut into lines and JSON values, JSON as another program laid it out, and the record of the
// source kept in a task's meta. Internal to data. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/annotation_formats.h"

namespace slipway::data {

using base::Json;
using Notes = std::map<std::string, int64_t>;

// Key of meta with what the source's format had: {"format": NAME, "record": …, "text": JSON pointer of the text in it, which is null there,
// "style": {…}}.
constexpr const char* kSourceKey = "_source";

// Bytes with a window that can be looked at before it is taken.
class SourceBytes {
 public:
  SourceBytes(AnnotationBytes read, std::string name);
  // At least `wanted` bytes from here, or what there is until the end; valid until the next call.
  std::string_view peek(size_t wanted);
  void skip(size_t bytes);
  // The next line without its line feed (a carriage return stays); false at the end. Throws past kMaxAnnotationRecord.
  bool line(std::string_view& line);
  uint64_t line_number() const noexcept { return line_number_; }  // of the line last returned, or lines begun
  bool ended_by_feed() const noexcept { return ended_by_feed_; }  // the line last returned had a line feed
  const std::string& name() const noexcept { return name_; }

 private:
  bool more();
  AnnotationBytes read_;
  std::string name_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t pending_ = 0;  // bytes of the line last returned, taken with the next call
  uint64_t line_number_ = 0;
  bool at_end_ = false;
  bool ended_by_feed_ = false;
};

// How a program lays out JSON.
struct JsonStyle {
  bool array = false;  // one array; else a value a line
  int indent = 0;      // 0: on one line
  bool spaces = false;  // ": " and, on one line, ", "
  bool ascii = false;   // \uXXXX for what is not ASCII
  bool slash = false;   // "\/"
};
Json to_json(const JsonStyle& style);        // what is not the default
JsonStyle style_of(const Json& source) noexcept;  // of the member "style"; anything else is the default
// The value, its lines (but the first) indented by `outer` blanks more.
void append_styled(const Json& value, const JsonStyle& style, int outer, std::string& out);

// The values of a JSON array, of JSON Lines or of values one after the other, one at a time.
class JsonValues {
 public:
  explicit JsonValues(SourceBytes& bytes) : bytes_(bytes) {}
  // The next value's bytes, valid until the next call; false at the end. `where`: "FILE:LINE" or "FILE: element N". Throws
  // Error(kInvalid) for what is no array or value, or past kMaxAnnotationRecord.
  bool next(std::string_view& value, std::string& where);
  // How the value last returned was laid out.
  JsonStyle style(std::string_view value) const;

 private:
  enum class Kind { kUnknown, kArray, kLines, kValues };
  bool next_in_array(std::string_view& value);
  size_t skip_space();
  SourceBytes& bytes_;
  Kind kind_ = Kind::kUnknown;
  int indent_ = 0;  // of the array's elements
  uint64_t count_ = 0;
  size_t pending_ = 0;
  bool closed_ = false;
};

// One record of a format in JSON <-> a task.
class JsonCodec {
 public:
  virtual ~JsonCodec() = default;
  virtual AnnotationFormat format() const noexcept = 0;
  // Throws Error(kInvalid) naming `where`. `pointer`: where the text is in the record (a JSON pointer), when it is known; else it becomes that,
  // or stays empty.
  virtual record::AnnotatedTask read(const Json& record, const std::string& where, Notes& notes, std::string& pointer) const = 0;
  // The records that say this task. `original`: its source's record, when that was of this format, with its pointer.
  virtual std::vector<Json> write(const record::AnnotatedTask& task, const Json* original, const std::string& pointer, Notes& notes) const = 0;
  virtual JsonStyle default_style() const = 0;
};
std::unique_ptr<JsonCodec> make_label_studio_codec(const AnnotationReadOptions& options);
std::unique_ptr<JsonCodec> make_doccano_codec(const AnnotationReadOptions& options);
std::unique_ptr<JsonCodec> make_prodigy_codec(const AnnotationReadOptions& options);
std::unique_ptr<JsonCodec> make_argilla_codec(const AnnotationReadOptions& options);
std::unique_ptr<JsonCodec> make_own_codec(const AnnotationReadOptions& options);

std::unique_ptr<AnnotationReader> make_json_reader(std::unique_ptr<SourceBytes> bytes, std::unique_ptr<JsonCodec> codec, const AnnotationReadOptions& options);
std::unique_ptr<AnnotationWriter> make_json_writer(std::unique_ptr<JsonCodec> codec);
std::unique_ptr<AnnotationReader> make_csv_reader(std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options);
std::unique_ptr<AnnotationWriter> make_csv_writer();
std::unique_ptr<AnnotationReader> make_conll_reader(std::unique_ptr<SourceBytes> bytes, AnnotationFormat format, const AnnotationReadOptions& options);
std::unique_ptr<AnnotationWriter> make_conll_writer(AnnotationFormat format);
std::unique_ptr<AnnotationReader> make_fasttext_reader(std::unique_ptr<SourceBytes> bytes, const AnnotationReadOptions& options);
std::unique_ptr<AnnotationWriter> make_fasttext_writer();
std::unique_ptr<AnnotationReader> make_brat_reader(const std::filesystem::path& folder, const AnnotationReadOptions& options);

// The record of the task's source, its text put back, when the source was of that format.
struct Original {
  Json record;
  std::string pointer;
};
std::optional<Original> original_of(const record::Task& task, AnnotationFormat format);
void keep_source(record::Task& task, AnnotationFormat format, Json record, const std::string& pointer, const JsonStyle& style);
// Meta without _source.
Json plain_meta(const record::Task& task);

// What two values have in common whatever the store's ids are.
bool same_annotation(const record::Annotation& a, const record::Annotation& b) noexcept;
bool same_suggestion(const record::Suggestion& a, const record::Suggestion& b) noexcept;

// "0123456789abcdef": for texts without an id.
std::string text_key(const record::Task& task);

// Readers of members that never throw: nothing where there is none of that type.
const Json* member(const Json& object, const char* key) noexcept;
const std::string* text_member(const Json& object, const char* key) noexcept;
std::optional<int64_t> integer_in(const Json& value) noexcept;
std::string id_text(const Json& value);  // of a number or a text; else empty
[[noreturn]] void bad_record(const std::string& where, const std::string& what);

// "2021-03-09T22:16:08.728353Z" (also +HH:MM, a blank for T, no zone: UTC) in milliseconds since 1970; nothing for anything else.
std::optional<int64_t> parse_time_ms(std::string_view text) noexcept;

// Positions in code points for positions in bytes or UTF-16 units of a text, and back. O(log n) after O(bytes).
class Positions {
 public:
  explicit Positions(std::string_view text);
  int64_t size() const noexcept { return static_cast<int64_t>(starts_.size()) - 1; }
  std::string_view slice(int64_t start, int64_t end) const;  // cut to what there is
  size_t byte_of(int64_t code_point) const noexcept { return starts_[static_cast<size_t>(code_point)]; }  // 0 … size()
  int64_t of_byte(size_t byte) const noexcept;
  int64_t of_utf16(int64_t units) const;  // rounded down; size() past the end
  bool astral() const noexcept { return astral_; }  // UTF-16 counts otherwise

 private:
  std::string_view text_;
  std::vector<size_t> starts_;
  std::vector<size_t> units_;  // UTF-16 units before each code point; empty: as code points
  bool astral_ = false;
};

}  // namespace slipway::data
