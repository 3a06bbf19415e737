// Tables (Parquet, Arrow), archives of web pages (WARC, WET, ARC, zip, tar), Markdown and CoNLL files as rows of a source.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "data/conll.h"
#include "data/extract.h"
#include "data/json_rows.h"
#include "data/pages.h"
#include "data/rows.h"
#include "data/table_rows.h"
#include "text/markdown.h"

namespace slipway::data {

using base::Code;
using base::Error;

void read_table(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::unique_ptr<TableRows> table = open_table(file);
  if (table == nullptr) {
    throw Error(Code::kInvalid, fmt::format("'{}' is no Parquet or Arrow file", sink.file()));
  }
  JsonRows rows(options, sink);
  const std::string time = time_of_file(file);
  std::string line;
  uint64_t number = 0;
  for (TableRows::Step step = table->next(line); step != TableRows::Step::kEnd && !sink.full(); step = table->next(line)) {
    ++number;
    if (step == TableRows::Step::kBroken && number == 1) {
      throw Error(Code::kInvalid, fmt::format("'{}': {}", sink.file(), line));
    }
    if (step == TableRows::Step::kBroken) {
      sink.bad("broken_table", number);
    } else {
      rows.add(line, number, provenance(options, line, time));
    }
    if (number % 1024 == 0) {
      sink.progress(table->consumed());
    }
  }
  rows.finish();
}

void read_archive(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  ExtractOptions extract;
  extract.licence = options.licence;
  SourceOptions with = options;
  for (const char* key : {"url", "title", "date", "language", "source", "digest", "time", "licence"}) {
    with.keep.emplace_back(key);
  }
  JsonRows rows(with, sink);
  uint64_t number = 0;
  read_pages(page_files({file.string()}).front(), [&](RawPage&& page, uint64_t consumed) {
    ++number;
    const ExtractedPage read = extract_page(page, extract);
    if (!read.fault.empty()) {
      sink.bad("unreadable_page", number);
    } else if (read.skipped.empty()) {
      rows.add(read.line, number);
    }
    sink.progress(consumed);
    return !sink.full();
  });
  rows.finish();
}

void read_markdown(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::string bytes = base::read_decompressed(file, kMaxRowBytes);
  const text::MarkdownText page = text::markdown_to_text(bytes);
  const std::string label = label_from_path(options, file);
  RawRow row{page.text, label, provenance(options, bytes, time_of_file(file)), 1};
  if (!page.title.empty()) {
    row.kept["title"] = page.title;
  }
  sink.add(std::move(row));
}

// A sentence a row: what CoNLL-U says its text is, else its tokens with blanks between them.
void read_conll(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::string bytes = base::read_decompressed(file, size_t{1} << 30);
  const ConllKind kind = conll_kind(bytes);
  ConllReader reader(bytes, sink.file(), kind);
  const std::string label = label_from_path(options, file);
  const std::string time = time_of_file(file);
  ConllSentence sentence;
  std::string text;
  while (!sink.full() && reader.next(sentence)) {
    text.clear();
    constexpr std::string_view kText = "# text = ";
    for (const std::string_view line : sentence.lines) {
      if (kind == ConllKind::kConllU && line.starts_with(kText)) {
        text = line.substr(kText.size());
      }
    }
    if (text.empty()) {
      text = fmt::format("{}", fmt::join(sentence.forms, " "));
    }
    // Its raw bytes: its lines, each with its end.
    sink.add({text, label, provenance(options, fmt::format("{}\n", fmt::join(sentence.lines, "\n")), time), sentence.line});
  }
}

}  // namespace slipway::data
