// Main text out of web pages: HTML files, archives and WARC files in, one JSON object a page out, in the order of the input whatever
// the number of threads. A killed run goes on where its last checkpoint was. Format: docs/guide/collect.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/json.h"
#include "data/pages.h"

namespace slipway::data {

struct ExtractOptions {
  std::vector<std::string> inputs;  // files and folders
  SourceNames names;                // what they are called
  std::filesystem::path out;        // the JSON lines; zstd when it ends in .zst. OUT.quarantine.jsonl tells what could not be read
  uint64_t memory = 512'000'000;    // bytes for pages in work; at least that of one page at the limit
  bool main_text = true;            // false: all visible text
  std::string licence;              // written into each document, when not empty
};

struct ExtractSummary {
  int64_t pages = 0;  // documents written
  int64_t empty = 0;  // of them without text
  int64_t quarantined = 0;
  int64_t bytes = 0;                          // of pages read
  int64_t text_bytes = 0;                     // of text written
  std::map<std::string, int64_t> skipped;     // not meant to be pages: "status", "content_type", "empty_body"
  std::map<std::string, int64_t> languages;   // of the documents
  std::map<std::string, int64_t> encodings;
  bool resumed = false;
  base::Json to_json() const;
};

// One page, decoded and read.
struct ExtractedPage {
  std::string line;     // the document's JSON line, with its newline; empty when it was skipped or faulty
  std::string skipped;  // why
  std::string fault;    // why
  std::string language;
  std::string encoding;
  size_t text_bytes = 0;
};
// Pure; any thread.
ExtractedPage extract_page(const RawPage& page, const ExtractOptions& options);

// Throws Error: kNotFound (an input), kInvalid (no output named), kFailure (cannot write), kInterrupted: started again with the same
// inputs and options it goes on, and the result has the same bytes as that of a run that was not interrupted.
ExtractSummary extract_pages(const ExtractOptions& options, base::Context& context);

}  // namespace slipway::data
