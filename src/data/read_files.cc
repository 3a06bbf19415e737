// JSON lines, text files and web pages.
#include "base/error.h"
#include "base/input.h"
#include "data/json_rows.h"
#include "data/line_blocks.h"
#include "data/rows.h"
#include "text/html.h"

namespace slipway::data {

using base::Error;

namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;

// Every line that is not too long; one that is costs itself alone, is told with its place, and is never held.
template <class Take>
void each_line(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink, const Take& take) {
  LineBlocks reader({file}, kBlockBytes, static_cast<size_t>(options.max_row_bytes));
  Block block;
  while (!sink.full() && reader.next(block)) {
    sink.progress(block.consumed);
    for (const BlockLine& place : block.lines) {
      if (sink.full()) {
        return;
      }
      if (const std::string_view fault = fault_of(place); !fault.empty()) {
        sink.bad(std::string(fault).c_str(), place.line);
        continue;
      }
      std::string_view line = std::string_view(block.bytes).substr(place.begin, place.size);
      line.remove_prefix(place.line == 1 && line.starts_with("\xEF\xBB\xBF") ? 3 : 0);
      line.remove_suffix(line.ends_with('\r') ? 1 : 0);
      take(line, place.line);
    }
  }
}

}  // namespace

void read_jsonl(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  JsonRows rows(options, sink);
  each_line(options, file, sink, [&](std::string_view line, uint64_t number) { rows.add(line, number); });
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
  each_line(options, file, sink, [&](std::string_view line, uint64_t number) {
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      sink.add({line, label, Json::object(), number});
    }
  });
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
