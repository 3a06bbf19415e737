// One row of text on its way from a raw file to a dataset, and its form on disk: one JSON object a line,
//     {"id":"0f3a…","text":"…","label":"positive","source":"reviews","at":"reviews.tsv:17"}
// Keys beyond the four fixed ones live in `meta`, in the order they were written. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::data {

using base::Json;

struct Document {
  std::string id;      // 16 hex digits, see document_id
  std::string text;    // UTF-8
  std::string label;   // empty: none
  std::string source;  // id of the source it came from
  Json meta = Json::object();
};

// The stable name of a raw row: XXH64 of the source's id and the text with runs of ASCII whitespace collapsed, as 16
// hex digits. The same row has the same id in every run and in every later version of the file; equal texts share it.
std::string document_id(std::string_view source, std::string_view text);

// Appends the JSON line of `document`, with the newline. Invalid UTF-8 becomes U+FFFD.
void append_line(const Document& document, std::string& out);

// Reads one line (with or without its newline) into `document`, reusing its memory. Text is unescaped without building
// a JSON tree; only unknown keys are parsed by the general parser. Throws Error(kInvalid) naming `where` and the byte.
void parse_line(std::string_view line, std::string_view where, Document& document);

// Appends `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string_view text, std::string& out);

}  // namespace slipway::data
