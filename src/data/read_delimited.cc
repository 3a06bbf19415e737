// CSV and TSV.
#include <fmt/format.h>

#include "base/error.h"
#include "base/input.h"
#include "data/csv.h"
#include "data/rows.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

constexpr size_t kNoColumn = SIZE_MAX;

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// Which fields of a record are wanted.
struct Columns {
  size_t text = 0;
  size_t label = kNoColumn;
  std::vector<std::pair<std::string, size_t>> keep;
  size_t count = 0;

  Columns(const SourceOptions& options, const std::vector<std::string>& names, const std::string& file)
      : count(names.size()) {
    // Without a name, the column called "text" or the only one.
    text = options.text.empty() && names.size() == 1
               ? 0
               : find_column(options.text.empty() ? "text" : options.text, names, file, "text");
    const std::string& wanted = options.label_column.empty() ? options.label : options.label_column;
    if (!wanted.empty()) {
      label = find_column(wanted, names, file, "label");
    }
    for (const std::string& name : options.keep) {
      const size_t at = find_column(name, names, file, "kept value");
      keep.emplace_back(is_number(name) ? names[at] : name, at);
    }
  }
};

std::vector<std::string> names_of(const std::vector<std::string_view>& fields, bool header) {
  std::vector<std::string> names;
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string name(fields[i].substr(0, 256));
    const size_t begin = name.find_first_not_of(' ');
    name = begin == std::string::npos ? "" : name.substr(begin, name.find_last_not_of(' ') - begin + 1);
    names.push_back(header ? text::sanitize_utf8(name) : std::to_string(i + 1));
  }
  return names;
}

}  // namespace

void read_delimited(const SourceOptions& options, bool tsv, const std::filesystem::path& file, RowSink& sink) {
  base::Input input(file);
  CsvFormat format;
  format.delimiter = options.delimiter.empty() ? (tsv ? '\t' : ',') : options.delimiter[0];
  format.quote = tsv ? '\0' : '"';
  if (options.quote) {
    format.quote = options.quote->empty() ? '\0' : (*options.quote)[0];
  }
  format.max_record_bytes = kMaxRowBytes;
  CsvReader reader([&](char* buffer, size_t size) { return input.read(buffer, size); }, sink.file(), format);

  std::vector<std::string_view> fields;
  if (!reader.next(fields)) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' is empty", sink.file()));
  }
  const bool header = options.has_header.value_or(options.columns.empty() && !is_number(options.text));
  std::vector<std::string> names = options.columns.empty() ? names_of(fields, header) : options.columns;
  if (!options.columns.empty() && fields.size() != names.size()) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' line {}: {} fields where 'columns' names {}", sink.file(),
                                                        reader.line_number(), fields.size(), names.size()));
  }
  const Columns columns(options, names, sink.file());
  bool more = header ? reader.next(fields) : true;
  for (uint64_t n = 1; more && !sink.full(); ++n, more = reader.next(fields)) {
    if (n % 1024 == 0) {
      sink.progress(input.consumed());
    }
    if (fields.size() != columns.count) {
      sink.bad("field_count", reader.line_number());
      continue;
    }
    RawRow row{fields[columns.text], {}, Json::object(), reader.line_number()};
    if (columns.label != kNoColumn) {
      row.label = fields[columns.label];
    }
    for (const auto& [name, at] : columns.keep) {
      row.kept[name] = std::string(fields[at]);
    }
    sink.add(std::move(row));
  }
}

}  // namespace slipway::data
