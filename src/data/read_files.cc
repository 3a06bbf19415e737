// JSON lines, text files and web pages.
#include "base/error.h"
#include "base/input.h"
#include "data/json_rows.h"
#include "data/rows.h"
#include "text/html.h"

namespace slipway::data {

using base::Error;

void read_jsonl(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  base::LineReader reader(file, kMaxRowBytes);
  JsonRows rows(options, sink);
  std::string_view line;
  for (uint64_t n = 1; !sink.full() && reader.next(line); ++n) {
    if (n == 1 && line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
    if (n % 1024 == 0) {
      sink.progress(reader.consumed());
    }
    rows.add(line, reader.line_number());
  }
  rows.finish();
}

void read_text(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::string label = label_from_path(options, file);
  if (options.unit == "file") {
    const std::string bytes = base::read_decompressed(file, kMaxRowBytes);
    std::string_view text = bytes;
    if (text.starts_with("\xEF\xBB\xBF")) {
      text.remove_prefix(3);
    }
    sink.add({text, label, Json::object(), 1});
    return;
  }
  base::LineReader reader(file, kMaxRowBytes);
  std::string_view line;
  for (uint64_t n = 1; !sink.full() && reader.next(line); ++n) {
    if (n == 1 && line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
    if (n % 1024 == 0) {
      sink.progress(reader.consumed());
    }
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      sink.add({line, label, Json::object(), reader.line_number()});
    }
  }
}

void read_html(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::string bytes = base::read_decompressed(file, kMaxRowBytes);
  text::HtmlText page;
  try {
    page = text::html_to_text(bytes);
  } catch (const Error&) {
    sink.bad("bad_html", 1);
    return;
  }
  RawRow row{page.text, {}, Json::object(), 1};
  const std::string label = label_from_path(options, file);
  row.label = label;
  if (!page.title.empty()) {
    row.kept["title"] = page.title;
  }
  sink.add(std::move(row));
}

}  // namespace slipway::data
