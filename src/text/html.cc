#include "text/html.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/entities.h"
#include "text/html_main_text.h"
#include "text/html_page.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxHtmlBytes = size_t{32} << 20;

std::string decode_windows_1252(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    append_utf8(windows_1252(static_cast<unsigned char>(c)), out);
  }
  return out;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return lower;
}

// The bytes as UTF-8, in `converted` when they are not already: windows-1252 (and its subset Latin 1) when a meta
// element names it.
std::string_view as_utf8(std::string_view html, std::string& converted) {
  if (html.starts_with("\xEF\xBB\xBF")) {
    html.remove_prefix(3);
  }
  if (is_valid_utf8(html)) {
    return html;
  }
  const std::string head = ascii_lower(html.substr(0, 2048));
  const size_t charset = head.find("charset=");
  if (charset != std::string::npos) {
    std::string_view name = std::string_view(head).substr(charset + 8);
    while (name.starts_with('"') || name.starts_with('\'')) {
      name.remove_prefix(1);
    }
    if (name.starts_with("iso-8859-1") || name.starts_with("windows-1252") || name.starts_with("latin1")) {
      return converted = decode_windows_1252(html);
    }
  }
  return converted = sanitize_utf8(html);
}

}  // namespace

void HtmlOptions::describe(base::FieldTable& table) {
  table.add("main_text", main_text, "keep the main text only; false keeps menus and the rest of the visible text");
  table.add("keep_tables", keep_tables, "keep tables, cells separated by tabs");
}

HtmlText html_to_text(std::string_view html, const HtmlOptions& options) {
  if (html.size() > kMaxHtmlBytes) {
    throw Error(Code::kInvalid, fmt::format("an HTML page of {} bytes; the limit is {}", html.size(), kMaxHtmlBytes));
  }
  std::string converted;
  HtmlPage page =
      read_html_page(as_utf8(html, converted), {.all_text = !options.main_text, .tables = options.keep_tables});
  HtmlText result;
  result.text = options.main_text ? main_text_of(page) : all_text_of(page);
  result.title = std::move(!page.title.empty()              ? page.title
                           : !page.open_graph_title.empty() ? page.open_graph_title
                                                            : page.heading);
  result.language = std::move(page.language);
  result.date = std::move(page.date);
  result.author = std::move(page.author);
  return result;
}

}  // namespace slipway::text
