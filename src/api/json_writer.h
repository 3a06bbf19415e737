// Answers as protobuf's JSON printer writes them: two spaces of indentation, names in snake case, 64-bit integers as
// numbers, NaN and infinities as texts. Writes as it goes, without a tree: a page of a thousand runs has 25,000 fields.
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::api {

// The longest that write_double() writes: 17 digits, a sign, a point, an exponent of three digits, quotes.
constexpr size_t kDoubleBytes = 32;
// The number as protobuf shows it: the shortest decimal that reads back, with a point or an exponent; "NaN", "Infinity" and
// "-Infinity" with quotes. Returns the end.
char* write_double(char* at, double value);
// `text` in quotes, escaped.
std::string json_text(std::string_view text);

class JsonWriter {
 public:
  JsonWriter() { out_.reserve(1024); }
  // Open a value: of the array that is open, of the document, or of a field. An object or array without content is {}
  // or
  // []; a field whose array is empty is better left out, as protobuf does.
  void begin_object() { open('{'); }
  void begin_object(std::string_view name) {
    key(name);
    begin('{');
  }
  void begin_array(std::string_view name) {
    key(name);
    begin('[');
  }
  void end_object() { end('}'); }
  void end_array() { end(']'); }

  void field(std::string_view name, std::string_view value);
  void field(std::string_view name, const std::string& value) { field(name, std::string_view(value)); }
  void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
  void field(std::string_view name, int64_t value);
  void field(std::string_view name, double value);
  void field(std::string_view name, bool value);
  void texts(std::string_view name, const std::vector<std::string>& values);  // left out when there are none

  // An element of the open array that the caller wrote, with the indentation that belongs to depth().
  void element(std::string_view text) {
    line();
    out_ += text;
  }
  int depth() const noexcept { return depth_; }  // of an element that would come now; its fields are one deeper
  // Room for so many more bytes.
  void expect(size_t bytes) { out_.reserve(out_.size() + bytes); }

  // The document; the writer is empty afterwards.
  std::string take() { return std::exchange(out_, {}); }

 private:
  void open(char bracket);  // of an element
  void begin(char bracket);
  void end(char bracket);
  void key(std::string_view name);
  void line();
  void text(std::string_view value);

  std::string out_;
  int depth_ = 0;
  bool first_ = true;  // nothing was written in the innermost object or array
};

}  // namespace slipway::api
