#include "data/csv.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::data {

CsvReader::CsvReader(Read read, std::string name, const CsvFormat& format)
    : read_(std::move(read)), name_(std::move(name)), format_(format), buffer_(256 << 10, '\0') {}

void CsvReader::fail(const std::string& what) const {
  throw base::Error(base::Code::kInvalid, fmt::format("'{}' line {}: {}", name_, record_line_, what));
}

// Reads more bytes behind end_, keeping the current record at the buffer's front; false at the end of the input.
bool CsvReader::more() {
  if (at_end_) {
    return false;
  }
  if (end_ - begin_ > format_.max_record_bytes) {
    fail(fmt::format("a row longer than the limit of {} bytes (is a quote unclosed, or the quote or delimiter wrong?)",
                     format_.max_record_bytes));
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    buffer_.resize(buffer_.size() * 2);
  }
  const size_t got = read_(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  at_end_ = got == 0;
  return !at_end_;
}

// All positions are relative to begin_, which more() may move. Unescaping happens in place: a field only gets shorter.
// From behind the opening quote to behind the closing one; the content lies in [.., write).
void CsvReader::parse_quoted(size_t& at, size_t& write) {
  while (true) {
    const char* from = buffer_.data() + begin_ + at;
    const size_t available = end_ - begin_ - at;
    const void* found = available > 0 ? std::memchr(from, format_.quote, available) : nullptr;
    const size_t size = found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - from) : available;
    line_ += static_cast<uint64_t>(std::count(from, from + size, '\n'));
    if (write != at) {
      std::memmove(buffer_.data() + begin_ + write, from, size);
    }
    write += size;
    at += size;
    if (found == nullptr) {
      if (!more()) {
        fail("a quote opens in this row and never closes");
      }
      continue;
    }
    ++at;  // the quote
    if (begin_ + at == end_) {
      more();
    }
    if (begin_ + at < end_ && buffer_[begin_ + at] == format_.quote) {
      buffer_[begin_ + write++] = format_.quote;
      ++at;
      continue;
    }
    return;
  }
}

// The unquoted rest of a field. True when another field follows in the record.
bool CsvReader::parse_plain(size_t& at, size_t begin, size_t write, bool quoted) {
  while (true) {
    const char* base = buffer_.data() + begin_;
    const size_t available = end_ - begin_;
    const size_t from = at;
    while (at < available && base[at] != format_.delimiter && base[at] != '\n') {
      ++at;
    }
    if (write != from) {
      std::memmove(buffer_.data() + begin_ + write, base + from, at - from);
    }
    write += at - from;
    if (at < available || !more()) {
      break;
    }
  }
  const bool ended = begin_ + at == end_;
  const bool newline = !ended && buffer_[begin_ + at] == '\n';
  // The carriage return of a CRLF; one inside quotes has a closing quote behind it and is content.
  const bool carriage = (newline || ended) && write > begin && at > 0 && buffer_[begin_ + write - 1] == '\r';
  if (carriage && !(quoted && write == closing_)) {
    --write;
  }
  fields_.push_back({begin, write - begin});
  if (!ended) {
    ++at;
  }
  line_ += static_cast<uint64_t>(newline);
  return !ended && !newline;
}

// Parses one field from `at` (relative to the record); true when another follows.
bool CsvReader::parse_field(size_t& at) {
  if (begin_ + at == end_) {
    more();
  }
  const bool quoted = format_.quote != 0 && begin_ + at < end_ && buffer_[begin_ + at] == format_.quote;
  closing_ = 0;
  if (!quoted) {
    return parse_plain(at, at, at, false);
  }
  any_quoted_ = true;
  ++at;
  const size_t begin = at;
  size_t write = at;
  parse_quoted(at, write);
  closing_ = write;
  return parse_plain(at, begin, write, true);
}

bool CsvReader::next(std::vector<std::string_view>& fields) {
  fields.clear();
  if (!started_) {
    started_ = true;
    while (end_ < 3 && more()) {
    }
    if (std::string_view(buffer_).substr(0, end_).starts_with("\xEF\xBB\xBF")) {
      begin_ = 3;
    }
  }
  while (true) {
    if (begin_ == end_ && !more()) {
      return false;
    }
    record_line_ = line_;
    fields_.clear();
    any_quoted_ = false;
    size_t at = 0;
    while (parse_field(at)) {
      if (fields_.size() >= format_.max_fields) {
        fail(fmt::format("more than {} fields in one row", format_.max_fields));
      }
    }
    const char* base = buffer_.data() + begin_;
    begin_ += at;
    if (fields_.size() == 1 && fields_[0].size == 0 && !any_quoted_) {
      continue;  // an empty line
    }
    for (const Field& field : fields_) {
      fields.emplace_back(base + field.begin, field.size);
    }
    return true;
  }
}

}  // namespace slipway::data
