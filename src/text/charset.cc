#include "text/charset.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iconv.h>

#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kDeclared = 4096;
constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

struct Label {
  std::string_view label;
  std::string_view encoding;
};

// https://encoding.spec.whatwg.org/#names-and-labels, the labels that pages use, with glibc's names; sorted by label.
constexpr std::array kLabels = std::to_array<Label>({
    {"ascii", "CP1252"},
    {"big5", "BIG5-HKSCS"},
    {"big5-hkscs", "BIG5-HKSCS"},
    {"chinese", "GB18030"},
    {"cn-big5", "BIG5-HKSCS"},
    {"cp1250", "CP1250"},
    {"cp1251", "CP1251"},
    {"cp1252", "CP1252"},
    {"cp1253", "CP1253"},
    {"cp1254", "CP1254"},
    {"cp1255", "CP1255"},
    {"cp1256", "CP1256"},
    {"cp1257", "CP1257"},
    {"cp1258", "CP1258"},
    {"cp866", "CP866"},
    {"csbig5", "BIG5-HKSCS"},
    {"cseuckr", "CP949"},
    {"csgb2312", "GB18030"},
    {"csiso2022jp", "ISO-2022-JP"},
    {"csshiftjis", "CP932"},
    {"euc-jp", "EUC-JP-MS"},
    {"euc-kr", "CP949"},
    {"gb18030", "GB18030"},
    {"gb2312", "GB18030"},
    {"gb_2312", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"gbk", "GB18030"},
    {"iso-2022-jp", "ISO-2022-JP"},
    {"iso-8859-1", "CP1252"},
    {"iso-8859-10", "ISO-8859-10"},
    {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-14", "ISO-8859-14"},
    {"iso-8859-15", "ISO-8859-15"},
    {"iso-8859-16", "ISO-8859-16"},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-4", "ISO-8859-4"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-6", "ISO-8859-6"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-8", "ISO-8859-8"},
    {"iso-8859-9", "CP1254"},
    {"iso8859-1", "CP1252"},
    {"iso8859-2", "ISO-8859-2"},
    {"iso_8859-1", "CP1252"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"korean", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"ksc5601", "CP949"},
    {"l1", "CP1252"},
    {"latin1", "CP1252"},
    {"latin2", "ISO-8859-2"},
    {"macintosh", "MACINTOSH"},
    {"ms_kanji", "CP932"},
    {"shift-jis", "CP932"},
    {"shift_jis", "CP932"},
    {"sjis", "CP932"},
    {"tis-620", "CP874"},
    {"unicode-1-1-utf-8", "UTF-8"},
    {"us-ascii", "CP1252"},
    {"utf-16", "UTF-16LE"},
    {"utf-16be", "UTF-16BE"},
    {"utf-16le", "UTF-16LE"},
    {"utf-8", "UTF-8"},
    {"utf8", "UTF-8"},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"windows-1252", "CP1252"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"windows-31j", "CP932"},
    {"windows-874", "CP874"},
    {"windows-949", "CP949"},
    {"x-cp1251", "CP1251"},
    {"x-cp1252", "CP1252"},
    {"x-euc-jp", "EUC-JP-MS"},
    {"x-gbk", "GB18030"},
    {"x-sjis", "CP932"},
});
static_assert(std::is_sorted(kLabels.begin(), kLabels.end(),
                             [](const Label& a, const Label& b) { return a.label < b.label; }));

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// Where `lower_word` is in `text` from `at` on, without regard to case.
size_t find_word(std::string_view text, std::string_view lower_word, size_t at) noexcept {
  const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size())), text.end(),
                                 lower_word.begin(), lower_word.end(), [](char a, char b) { return lower(a) == b; });
  return found == text.end() ? std::string_view::npos : static_cast<size_t>(found - text.begin());
}

// The value that follows a name at `at`: "= 'x'", "=x"; ends at a quote, blank, ';', '>', '/' or '?'.
std::string_view value_at(std::string_view text, size_t at) noexcept {
  const auto skip = [&] {
    while (at < text.size() && blank(text[at])) {
      ++at;
    }
  };
  skip();
  if (at >= text.size() || text[at] != '=') {
    return {};
  }
  ++at;
  skip();
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
    ++at;
  }
  const size_t end = std::min(text.find_first_of("\"' \t\r\n;>/?,", at), text.size());
  return text.substr(at, end - at);
}

class Iconv {
 public:
  explicit Iconv(const char* from) : handle_(iconv_open("UTF-8", from)) {}
  ~Iconv() {
    if (good()) {
      iconv_close(handle_);
    }
  }
  Iconv(const Iconv&) = delete;
  Iconv& operator=(const Iconv&) = delete;
  bool good() const noexcept { return handle_ != reinterpret_cast<iconv_t>(-1); }  // NOLINT: POSIX's sign of failure

  // Appends `bytes` to `out`; true when some of them meant nothing.
  bool convert(std::string_view bytes, std::string& out) {
    bool replaced = false;
    std::array<char, 16384> piece{};
    char* in = const_cast<char*>(bytes.data());  // NOLINT: iconv's interface is not const-correct; it does not write there
    size_t in_left = bytes.size();
    while (in_left > 0) {
      char* to = piece.data();
      size_t room = piece.size();
      const size_t result = iconv(handle_, &in, &in_left, &to, &room);
      out.append(piece.data(), piece.size() - room);
      if (result != static_cast<size_t>(-1) || errno == E2BIG) {
        continue;
      }
      replaced = true;  // EILSEQ, or EINVAL: the text ends within a character
      out.append(kReplacementUtf8);
      ++in;
      --in_left;
    }
    char* to = piece.data();
    size_t room = piece.size();
    iconv(handle_, nullptr, nullptr, &to, &room);  // a stateful encoding may hold a character back
    out.append(piece.data(), piece.size() - room);
    return replaced;
  }

 private:
  iconv_t handle_;
};

Utf8Text convert(std::string_view bytes, std::string_view encoding, std::string& converted) {
  converted.clear();
  Iconv iconv{std::string(encoding).c_str()};
  if (!iconv.good()) {  // a system without this table: the bytes that are UTF-8 remain
    converted = sanitize_utf8(bytes);
    return {converted, "UTF-8", true};
  }
  converted.reserve(bytes.size() + bytes.size() / 2);
  const bool replaced = iconv.convert(bytes, converted);
  return {converted, std::string(encoding), replaced};
}

bool is_ascii(std::string_view bytes) noexcept {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

}  // namespace

std::string_view encoding_of_label(std::string_view label) noexcept {
  while (!label.empty() && blank(label.front())) {
    label.remove_prefix(1);
  }
  while (!label.empty() && blank(label.back())) {
    label.remove_suffix(1);
  }
  std::array<char, 24> folded{};
  if (label.empty() || label.size() > folded.size()) {
    return {};
  }
  std::transform(label.begin(), label.end(), folded.begin(), lower);
  const std::string_view wanted(folded.data(), label.size());
  const auto found = std::lower_bound(kLabels.begin(), kLabels.end(), wanted,
                                      [](const Label& a, std::string_view b) { return a.label < b; });
  return found != kLabels.end() && found->label == wanted ? found->encoding : std::string_view{};
}

std::string_view charset_of_content_type(std::string_view value) noexcept {
  const size_t at = find_word(value, "charset", 0);
  return at == std::string_view::npos ? std::string_view{} : value_at(value, at + 7);
}

std::string_view declared_charset(std::string_view page) noexcept {
  const std::string_view head = page.substr(0, kDeclared);
  if (head.starts_with("<?xml")) {
    const std::string_view declaration = head.substr(0, head.find("?>"));
    if (const size_t at = find_word(declaration, "encoding", 0); at != std::string_view::npos) {
      return value_at(declaration, at + 8);
    }
  }
  for (size_t at = find_word(head, "<meta", 0); at != std::string_view::npos; at = find_word(head, "<meta", at + 5)) {
    const std::string_view element = head.substr(at, std::min(head.find('>', at), head.size()) - at);
    const size_t name = find_word(element, "charset", 0);
    if (name != std::string_view::npos) {
      const std::string_view value = value_at(element, name + 7);
      if (!encoding_of_label(value).empty()) {
        return value;
      }
    }
  }
  return {};
}

Utf8Text to_utf8(std::string_view bytes, std::string_view label, std::string& converted) {
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    bytes.remove_prefix(3);
    label = "utf-8";
  } else if (bytes.starts_with("\xFF\xFE")) {
    return convert(bytes.substr(2), "UTF-16LE", converted);
  } else if (bytes.starts_with("\xFE\xFF")) {
    return convert(bytes.substr(2), "UTF-16BE", converted);
  }
  std::string_view encoding = encoding_of_label(label);
  if (encoding.empty()) {
    encoding = encoding_of_label(declared_charset(bytes));
    if (encoding.starts_with("UTF-16")) {
      encoding = "UTF-8";  // its declaration could be read byte by byte
    }
  }
  const bool byte_wise = encoding != "ISO-2022-JP" && !encoding.starts_with("UTF-16");
  if (byte_wise && is_valid_utf8(bytes)) {
    return {bytes, "UTF-8", false};
  }
  if (encoding == "UTF-8") {
    converted = sanitize_utf8(bytes);
    return {converted, "UTF-8", true};
  }
  if (!byte_wise && encoding == "ISO-2022-JP" && !is_ascii(bytes)) {
    encoding = "CP932";
  }
  return convert(bytes, encoding.empty() ? "CP1252" : encoding, converted);
}

}  // namespace slipway::text
