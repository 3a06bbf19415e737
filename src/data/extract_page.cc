// One page: transfer and character encodings undone, main text, language, the document's line.
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "data/document.h"
#include "data/extract.h"
#include "data/http_message.h"
#include "text/charset.h"
#include "text/html.h"
#include "text/language.h"

namespace slipway::data {
namespace {

bool is_html(std::string_view content_type) {
  return content_type.find("html") != std::string_view::npos || content_type.find("HTML") != std::string_view::npos;
}

// Pages whose server told no type: does it begin as HTML does?
bool looks_like_html(std::string_view body) {
  const size_t at = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return at != std::string_view::npos && body[at] == '<';
}

void append_member(std::string_view name, std::string_view value, std::string& line) {
  line += line.empty() ? '{' : ',';
  append_json_string(name, line);
  line += ':';
  append_json_string(value, line);
}

// The main language subtag of a lang attribute: "en" of "en-US".
std::string_view main_subtag(std::string_view tag) { return tag.substr(0, tag.find_first_of("-_")); }

struct Body {
  std::string_view bytes;
  std::string_view content_type;
  bool plain = false;
};

// False: nothing to read, the reason is in `result`.
bool body_of(const RawPage& page, HttpMessage& message, Body& body, ExtractedPage& result) {
  body = {page.bytes, page.content_type, page.kind == PageKind::kText};
  if (page.kind == PageKind::kHttp) {
    parse_http_response(page.bytes, kMaxPageBytes, message);
    if (message.status < 200 || message.status > 299) {
      result.skipped = "status";
      return false;
    }
    body.content_type = message.header("Content-Type");
    body.plain = body.content_type.starts_with("text/plain");
    if (!body.plain && !is_html(body.content_type) && !(body.content_type.empty() && looks_like_html(message.body))) {
      result.skipped = "content_type";
      return false;
    }
    if (!message.fault.empty()) {
      result.fault = message.fault;
      return false;
    }
    body.bytes = message.body;
  }
  if (body.bytes.empty() && page.kind == PageKind::kHttp) {
    result.skipped = "empty_body";
    return false;
  }
  return true;
}

}  // namespace

ExtractedPage extract_page(const RawPage& page, const ExtractOptions& options) {
  ExtractedPage result;
  result.fault = page.fault;
  HttpMessage message;
  Body body;
  if (!result.fault.empty() || !body_of(page, message, body, result)) {
    return result;
  }
  if (body.bytes.size() > kMaxPageBytes) {
    result.fault = fmt::format("a page of {} bytes; the limit is {}", body.bytes.size(), kMaxPageBytes);
    return result;
  }
  std::string converted;
  const text::Utf8Text utf8 = text::to_utf8(body.bytes, text::charset_of_content_type(body.content_type), converted);
  result.encoding = utf8.encoding;
  text::HtmlText read;
  try {
    if (body.plain) {
      read.text = utf8.bytes;
    } else {
      read = text::html_to_text(utf8.bytes, {.main_text = options.main_text});
    }
  } catch (const base::Error& error) {
    result.fault = error.what();
    return result;
  }
  const text::LanguageGuess guess = text::detect_language(read.text);
  result.language = guess.reliable || read.language.empty() ? guess.code : std::string(main_subtag(read.language));
  result.text_bytes = read.text.size();
  std::string& line = result.line;
  line.reserve(read.text.size() + 512);
  append_member("url", page.url, line);
  append_member("title", read.title, line);
  append_member("text", read.text, line);
  append_member("date", read.date, line);
  append_member("author", read.author, line);
  append_member("language", result.language, line);
  append_member("source", page.at, line);
  append_member("digest", base::digest_of(body.bytes), line);
  append_member("time", page.time, line);
  if (!options.licence.empty()) {
    append_member("licence", options.licence, line);
  }
  line += "}\n";
  return result;
}

}  // namespace slipway::data
