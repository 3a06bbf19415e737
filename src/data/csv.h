// Records of delimited text, as RFC 4180 has them (quoted fields with embedded delimiters, newlines and doubled quotes;
// LF or CRLF; a byte order mark is skipped), and raw TSV (no quotes). Pulls bytes; holds one record. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

struct CsvFormat {
  char delimiter = ',';
  char quote = '"';                            // 0: quotes mean nothing
  size_t max_record_bytes = size_t{16} << 20;  // a longer record is an error
  size_t max_fields = 65536;
};

class CsvReader {
 public:
  // Up to `capacity` bytes into the buffer; 0 at the end.
  using Read = std::function<size_t(char* buffer, size_t capacity)>;

  // `name` is used in messages.
  CsvReader(Read read, std::string name, const CsvFormat& format);

  // The next record, empty lines skipped; false at the end. Fields are valid until the next call. A quote inside an
  // unquoted field, and text after a closing quote, are taken as they are. Throws Error(kInvalid) naming file and line
  // for a quote that never closes or a record above the limits.
  bool next(std::vector<std::string_view>& fields);

  // 1-based line on which the record last returned began.
  uint64_t line_number() const noexcept { return record_line_; }

 private:
  struct Field {
    size_t begin;  // from the record's first byte
    size_t size;
  };
  bool more();
  bool parse_field(size_t& at);
  void parse_quoted(size_t& at, size_t& write);
  bool parse_plain(size_t& at, size_t begin, size_t write, bool quoted);
  [[noreturn]] void fail(const std::string& what) const;

  Read read_;
  std::string name_;
  CsvFormat format_;
  std::string buffer_;
  size_t begin_ = 0;  // of the current record
  size_t end_ = 0;    // of the bytes in the buffer
  bool at_end_ = false;
  bool started_ = false;
  bool any_quoted_ = false;
  size_t closing_ = 0;  // where the content of the current quoted field ended
  uint64_t line_ = 1;
  uint64_t record_line_ = 0;
  std::vector<Field> fields_;
};

}  // namespace slipway::data
