// Character encodings of web pages and old text files: which one, and its bytes as UTF-8. Labels mean what the WHATWG Encoding
// Standard says (what browsers do: "iso-8859-1" is windows-1252, "gb2312" is GB18030); conversion is the C library's iconv.
// Any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::text {

// The iconv name of a label ("Shift_JIS" -> "CP932"), any case, blanks around it ignored; "" for an unknown one.
std::string_view encoding_of_label(std::string_view label) noexcept;

// The charset parameter of a Content-Type value ("text/html; charset=GBK"), "" without one.
std::string_view charset_of_content_type(std::string_view value) noexcept;

// What a page's first 4096 bytes declare: <meta charset>, <meta http-equiv content>, <?xml encoding?>; "" for none.
std::string_view declared_charset(std::string_view page) noexcept;

struct Utf8Text {
  std::string_view bytes;     // of the input itself where it was UTF-8, else of `converted`
  std::string encoding;       // iconv's name of what it was: "UTF-8", "GB18030", …
  bool replaced = false;      // some bytes meant nothing in it; U+FFFD stands for them
};

// `bytes` as UTF-8. A byte order mark decides; then what is valid UTF-8 with characters beyond ASCII is UTF-8, whatever was
// declared (no other encoding's text looks so); then `label` (of the HTTP header), then the page's own; windows-1252 when none is
// known. `converted` is the caller's to keep while the result is used; it grows to at most three bytes a byte. Cost: linear.
Utf8Text to_utf8(std::string_view bytes, std::string_view label, std::string& converted);

}  // namespace slipway::text
