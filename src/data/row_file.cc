#include "data/row_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "data/csv.h"
#include "data/parquet_copy.h"
#include "data/thrift.h"
#include "data/table_rows.h"
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
  if (is(".parquet")) {
    return RowFormat::kParquet;
  }
  return is(".csv") ? RowFormat::kCsv : is(".tsv") ? RowFormat::kTsv : is(".txt") || is(".text") ? RowFormat::kText : RowFormat::kNone;
}

struct RowFileReader::State {
  RowFormat format = RowFormat::kNone;
  std::optional<base::LineReader> lines;
  std::optional<base::Input> input;
  std::optional<CsvReader> csv;
  std::unique_ptr<TableRows> table;
  uint64_t table_row = 0;
  std::vector<std::string> columns;
  std::vector<std::string_view> fields;
  std::string line;
  std::string name;  // of a table
  std::filesystem::path place;
  base::MappedFile bytes;  // of a table whose records are asked for
  std::unique_ptr<ParquetCopyReader> copies;
  uint64_t copied = 0;
  std::string record;
  std::string schema;
};

namespace {

// A step over a Parquet file's bytes, whose faults are the file's.
template <class Step>
auto of_parquet(const std::string& name, const Step& step) {
  try {
    return step();
  } catch (const BrokenFile& broken) {
    throw base::Error(base::Code::kIntegrity, fmt::format("{}: {}", name, broken.what()));
  }
}

}  // namespace

RowFileReader::RowFileReader(const std::filesystem::path& place, const std::string& name) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.format = row_format(name);
  if (state.format == RowFormat::kParquet) {
    state.table = open_table(place);
    if (!state.table) {
      throw base::Error(base::Code::kIntegrity, fmt::format("{} is no Parquet file (it does not begin with PAR1)", name));
    }
    state.name = name;
    state.place = place;
    state.fields.resize(1);
    return;
  }
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
uint64_t RowFileReader::line() const noexcept {
  return state_->table ? state_->table_row : state_->csv ? state_->csv->line_number() : state_->lines->line_number();
}
uint64_t RowFileReader::consumed() const noexcept {
  return state_->table ? state_->table->consumed() : state_->csv ? state_->input->consumed() : state_->lines->consumed();
}

bool RowFileReader::next() {
  if (state_->table) {
    const TableRows::Step step = state_->table->next(state_->line);
    if (step == TableRows::Step::kBroken) {
      throw base::Error(base::Code::kIntegrity, fmt::format("{}: row {}: {}", state_->name, state_->table_row + 1, state_->line));
    }
    if (step == TableRows::Step::kEnd) {
      return false;
    }
    ++state_->table_row;
    if (state_->line.size() > kMaxRowFileRow) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: row {} has more than {} bytes", state_->name, state_->table_row, kMaxRowFileRow));
    }
    state_->fields[0] = state_->line;
    return true;
  }
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

std::string_view RowFileReader::record() {
  State& state = *state_;
  if (!state.table) {
    return text();
  }
  return of_parquet(state.name, [&]() -> std::string_view {
    if (!state.copies) {
      state.bytes = base::MappedFile(state.place);
      state.copies = std::make_unique<ParquetCopyReader>(state.bytes.bytes());
    }
    while (state.copied < state.table_row && state.copies->next(state.record)) {
      ++state.copied;
    }
    return state.record;
  });
}

const std::string& RowFileReader::schema() const {
  if (!state_->table) {
    return state_->schema;
  }
  if (state_->schema.empty()) {
    state_->schema = of_parquet(state_->name, [&] {
      const base::MappedFile bytes(state_->place);
      return std::string(parquet_schema(bytes.bytes()));
    });
  }
  return state_->schema;
}

Json RowFileReader::json() const {
  if (state_->csv) {
    Json row = Json::object();
    for (size_t i = 0; i < state_->fields.size(); ++i) {
      row[i < state_->columns.size() ? state_->columns[i] : fmt::format("column_{}", i + 1)] = std::string(state_->fields[i]);
    }
    return row;
  }
  if (state_->format == RowFormat::kText) {
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
  State(const std::filesystem::path& place, const std::string& name, const std::filesystem::path& like) : zst(ends_with(name, ".zst")), gz(ends_with(name, ".gz")) {
    if (row_format(name) == RowFormat::kParquet) {
      of_parquet(name, [&] {
        const base::MappedFile bytes(like);
        table = std::make_unique<ParquetCopyWriter>(place, bytes.bytes());
        return 0;
      });
    } else {
      file.emplace(place);
    }
  }
  // What gathered as one frame of zstd, or one member of gzip: readers take them one after the other.
  void flush() {
    if (!buffer.empty()) {
      file->write(zst ? base::zstd_compress(buffer) : gz ? gzip(buffer) : buffer);
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
  std::optional<base::AtomicFile> file;
  std::unique_ptr<ParquetCopyWriter> table;  // or this
  bool zst;
  bool gz;
  std::string buffer;
};

RowFileWriter::RowFileWriter(const std::filesystem::path& place, const std::string& name, const std::filesystem::path& like)
    : state_(std::make_unique<State>(place, name, like)) {}
RowFileWriter::~RowFileWriter() = default;

void RowFileWriter::write(std::string_view line) {
  constexpr size_t kFrameBytes = size_t{1} << 20;
  if (state_->table) {
    of_parquet("rows", [&] {
      state_->table->write(line);
      return 0;
    });
    return;
  }
  state_->buffer += line;
  state_->buffer += '\n';
  if (state_->buffer.size() >= kFrameBytes) {
    state_->flush();
  }
}

void RowFileWriter::finish() {
  if (state_->table) {
    state_->table->finish();
    return;
  }
  state_->flush();
  state_->file->commit();
}

std::string delimited_line(const std::vector<std::string>& fields, RowFormat format) {
  std::string line;
  append_record(line, fields, format);
  return line;
}

}  // namespace slipway::data
