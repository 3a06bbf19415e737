#include "cli/text_lines.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::cli {
namespace {

constexpr size_t kMaxLine = size_t{16} << 20;

// std::getline with a bound: a line without end must not fill memory.
bool next_line(std::istream& in, std::string& line, const std::string& where) {
  line.clear();
  std::streambuf* buffer = in.rdbuf();
  for (int c = buffer->sbumpc();; c = buffer->sbumpc()) {
    if (c == std::char_traits<char>::eof()) {
      return !line.empty();
    }
    if (c == '\n') {
      return true;
    }
    if (line.size() == kMaxLine) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: the line is longer than {} MiB", where, kMaxLine >> 20));
    }
    line += static_cast<char>(c);
  }
}

}  // namespace

void read_json_lines(std::istream& in, const std::string& source, const std::string& field,
                     const std::function<void(const base::Json& row, const std::string& where)>& take) {
  std::string line;
  for (int64_t number = 1;; ++number) {
    const std::string where = fmt::format("{}:{}", source, number);
    if (!next_line(in, line, where)) {
      return;
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    const base::Json row = base::parse_json(line, where);
    if (!row.is_object()) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: is not an object; each line is {{\"{}\": \"…\"}}", where, field));
    }
    take(row, where);
  }
}

void read_text_lines(std::istream& in, const std::string& source, const std::string& field,
                     const std::function<void(std::string text, const base::Json& row)>& take) {
  read_json_lines(in, source, field, [&](const base::Json& row, const std::string& where) {
    take(base::get<std::string>(row, field, where), row);
  });
}

}  // namespace slipway::cli
