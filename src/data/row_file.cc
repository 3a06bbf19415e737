#include "data/row_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "data/csv.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

bool ends_with(std::string_view name, std::string_view end) {
  return name.size() > end.size() &&
         std::equal(end.rbegin(), end.rend(), name.rbegin(), [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

void append_field(std::string& line, std::string_view field, RowFormat format) {
  if (format == RowFormat::kTsv) {
    for (const char c : field) {
      line += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
    }
    return;
  }
  if (field.find_first_of("\",\r\n") == std::string_view::npos) {
    line += field;
    return;
  }
  line += '"';
  for (const char c : field) {
    line += c;
    if (c == '"') {
      line += '"';
    }
  }
  line += '"';
}

template <class Fields>
void append_record(std::string& line, const Fields& fields, RowFormat format) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      line += format == RowFormat::kTsv ? '\t' : ',';
    }
    append_field(line, fields[i], format);
  }
}

}  // namespace

RowFormat row_format(std::string_view name) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (ends_with(name, packed)) {
      name.remove_suffix(packed.size());
      break;
    }
  }
  const auto is = [&](std::string_view extension) { return ends_with(name, extension); };
  if (is(".jsonl") || is(".ndjson")) {
    return RowFormat::kJsonl;
  }
  return is(".csv") ? RowFormat::kCsv : is(".tsv") ? RowFormat::kTsv : is(".txt") || is(".text") ? RowFormat::kText : RowFormat::kNone;
}

struct RowFileReader::State {
  RowFormat format = RowFormat::kNone;
  std::optional<base::LineReader> lines;
  std::optional<base::Input> input;
  std::optional<CsvReader> csv;
  std::vector<std::string> columns;
  std::vector<std::string_view> fields;
  std::string line;
};

RowFileReader::RowFileReader(const std::filesystem::path& place, const std::string& name) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.format = row_format(name);
  if (state.format != RowFormat::kCsv && state.format != RowFormat::kTsv) {
    state.lines.emplace(place, kMaxRowFileRow);
    state.fields.resize(1);
    return;
  }
  CsvFormat csv;
  csv.max_record_bytes = kMaxRowFileRow;
  if (state.format == RowFormat::kTsv) {
    csv.delimiter = '\t';
    csv.quote = '\0';
  }
  state.input.emplace(place);
  state.csv.emplace([&state](char* buffer, size_t size) { return state.input->read(buffer, size); }, name, csv);
  if (state.csv->next(state.fields)) {
    for (const std::string_view field : state.fields) {
      std::string column = text::sanitize_utf8(field.substr(0, 1024));
      if (std::find(state.columns.begin(), state.columns.end(), column) != state.columns.end()) {
        const std::string first = column;
        for (int n = 2; std::find(state.columns.begin(), state.columns.end(), column) != state.columns.end(); ++n) {
          column = fmt::format("{}_{}", first, n);
        }
      }
      state.columns.push_back(std::move(column));
    }
  }
}

RowFileReader::~RowFileReader() = default;

RowFormat RowFileReader::format() const noexcept { return state_->format; }
const std::vector<std::string>& RowFileReader::columns() const noexcept { return state_->columns; }
const std::vector<std::string_view>& RowFileReader::fields() const noexcept { return state_->fields; }
uint64_t RowFileReader::line() const noexcept { return state_->csv ? state_->csv->line_number() : state_->lines->line_number(); }
uint64_t RowFileReader::consumed() const noexcept { return state_->csv ? state_->input->consumed() : state_->lines->consumed(); }

bool RowFileReader::next() {
  if (state_->csv) {
    return state_->csv->next(state_->fields);
  }
  while (state_->lines->next(state_->fields[0])) {
    if (!state_->fields[0].empty()) {
      return true;
    }
  }
  return false;
}

std::string_view RowFileReader::text() {
  if (!state_->csv) {
    return state_->fields[0];
  }
  state_->line.clear();
  append_record(state_->line, state_->fields, state_->format);
  return state_->line;
}

Json RowFileReader::json() const {
  if (state_->csv) {
    Json row = Json::object();
    for (size_t i = 0; i < state_->fields.size(); ++i) {
      row[i < state_->columns.size() ? state_->columns[i] : fmt::format("column_{}", i + 1)] = std::string(state_->fields[i]);
    }
    return row;
  }
  if (state_->format != RowFormat::kJsonl) {
    return {{"text", std::string(state_->fields[0])}};
  }
  try {
    Json row = base::parse_json(state_->fields[0], "row", {kMaxRowFileRow, kMaxRowDepth});
    return row.is_object() ? row : Json();
  } catch (const base::Error&) {
    return {};
  }
}

struct RowFileWriter::State {
  State(const std::filesystem::path& place, const std::string& name)
      : file(place), zst(ends_with(name, ".zst")), gz(ends_with(name, ".gz")) {}
  // What gathered as one frame of zstd, or one member of gzip: readers take them one after the other.
  void flush() {
    if (!buffer.empty()) {
      file.write(zst ? base::zstd_compress(buffer) : gz ? gzip(buffer) : buffer);
      buffer.clear();
    }
  }
  static std::string gzip(const std::string& bytes) {
    z_stream stream{};
    constexpr int kGzipWindow = 15 + 16;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw base::Error(base::Code::kFailure, "zlib cannot begin to compress");
    }
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write to it
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int done = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (done != Z_STREAM_END) {
      throw base::Error(base::Code::kFailure, "zlib could not compress a block");
    }
    return out;
  }
  base::AtomicFile file;
  bool zst;
  bool gz;
  std::string buffer;
};

RowFileWriter::RowFileWriter(const std::filesystem::path& place, const std::string& name) : state_(std::make_unique<State>(place, name)) {}
RowFileWriter::~RowFileWriter() = default;

void RowFileWriter::write(std::string_view line) {
  constexpr size_t kFrameBytes = size_t{1} << 20;
  state_->buffer += line;
  state_->buffer += '\n';
  if (state_->buffer.size() >= kFrameBytes) {
    state_->flush();
  }
}

void RowFileWriter::finish() {
  state_->flush();
  state_->file.commit();
}

std::string delimited_line(const std::vector<std::string>& fields, RowFormat format) {
  std::string line;
  append_record(line, fields, format);
  return line;
}

}  // namespace slipway::data
