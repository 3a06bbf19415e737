#include "text/charset.h"

#include <gtest/gtest.h>

namespace slipway::text {
namespace {

std::string utf8(std::string_view bytes, std::string_view label = "") {
  std::string converted;
  return std::string(to_utf8(bytes, label, converted).bytes);
}

TEST(Charset, LabelsMeanWhatBrowsersMean) {
  EXPECT_EQ(encoding_of_label(" ISO-8859-1 "), "CP1252");
  EXPECT_EQ(encoding_of_label("GB2312"), "GB18030");
  EXPECT_EQ(encoding_of_label("Shift_JIS"), "CP932");
  EXPECT_EQ(encoding_of_label("ks_c_5601-1987"), "CP949");
  EXPECT_EQ(encoding_of_label("utf8"), "UTF-8");
  EXPECT_EQ(encoding_of_label("no-such"), "");
  EXPECT_EQ(encoding_of_label(std::string(1000, 'x')), "");
}

TEST(Charset, ReadsDeclarations) {
  EXPECT_EQ(charset_of_content_type("text/html; Charset=\"gbk\""), "gbk");
  EXPECT_EQ(charset_of_content_type("text/html"), "");
  EXPECT_EQ(declared_charset("<html><META charset='big5'>"), "big5");
  EXPECT_EQ(declared_charset("<meta http-equiv=Content-Type content=\"text/html; charset=euc-kr\">"), "euc-kr");
  EXPECT_EQ(declared_charset("<?xml version=\"1.0\" encoding=\"shift_jis\"?><html>"), "shift_jis");
  EXPECT_EQ(declared_charset("<meta charset=nonsense><p>charset=gbk</p>"), "");
}

// "中文" "日本語" "한국어" "Привет" in their encodings.
TEST(Charset, ConvertsEachEncoding) {
  EXPECT_EQ(utf8("\xD6\xD0\xCE\xC4", "gb2312"), "中文");
  EXPECT_EQ(utf8("\xD6\xD0\xCE\xC4", "gb18030"), "中文");
  EXPECT_EQ(utf8("\xA4\xA4\xA4\xE5", "big5"), "中文");
  EXPECT_EQ(utf8("\x93\xFA\x96\x7B\x8C\xEA", "shift_jis"), "日本語");
  EXPECT_EQ(utf8("\xC6\xFC\xCB\xDC\xB8\xEC", "euc-jp"), "日本語");
  EXPECT_EQ(utf8("\x1B$BF|K\\8l\x1B(B", "iso-2022-jp"), "日本語");
  EXPECT_EQ(utf8("\xC7\xD1\xB1\xB9\xBE\xEE", "euc-kr"), "한국어");
  EXPECT_EQ(utf8("\xCF\xF0\xE8\xE2\xE5\xF2", "windows-1251"), "Привет");
  EXPECT_EQ(utf8("\x93quoted\x94", "iso-8859-1"), "“quoted”");
}

TEST(Charset, TheByteOrderMarkDecidesThenUtf8ThenTheHeaderThenThePage) {
  EXPECT_EQ(utf8("\xEF\xBB\xBFé", "gbk"), "é");
  EXPECT_EQ(utf8(std::string_view("\xFF\xFEh\0i\0", 6), "gbk"), "hi");
  EXPECT_EQ(utf8("<meta charset=iso-8859-1>é"), "<meta charset=iso-8859-1>é");  // it lies: these bytes are UTF-8
  EXPECT_EQ(utf8("<meta charset=big5>\xD6\xD0", "gbk"), "<meta charset=big5>中");
  EXPECT_EQ(utf8("<meta charset=gbk>\xD6\xD0"), "<meta charset=gbk>中");
  EXPECT_EQ(utf8("caf\xE9"), "café");  // nothing said
}

TEST(Charset, BytesWithoutMeaningAreReplaced) {
  std::string converted;
  const Utf8Text text = to_utf8("\xD6\xD0\xFF!\xD6", "gbk", converted);
  EXPECT_TRUE(text.replaced);
  EXPECT_EQ(text.bytes, "中\uFFFD!\uFFFD");
  EXPECT_EQ(text.encoding, "GB18030");
  EXPECT_EQ(utf8("a\xFF", "utf-8"), "a\uFFFD");
}

}  // namespace
}  // namespace slipway::text
