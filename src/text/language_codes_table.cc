// Names of languages and scripts: ISO 639-3 to the shorter ISO 639-1 where there is one, individual languages to the code that their
// macrolanguage is known by ("cmn" is "zh"). ISO 639-3 code tables, 2023; only what LanguageModel's texts are in.
#include <algorithm>
#include <cctype>
#include <iterator>

#include "text/language_model.h"

namespace slipway::text {
namespace {

struct Code {
  std::string_view three;
  std::string_view two;
};

constexpr Code kCodes[] = {
    {"abk", "ab"}, {"afr", "af"}, {"aka", "ak"}, {"als", "sq"}, {"amh", "am"}, {"arb", "ar"}, {"ayr", "ay"}, {"azj", "az"}, {"bam", "bm"},
    {"bel", "be"}, {"ben", "bn"}, {"bis", "bi"}, {"bod", "bo"}, {"bos", "bs"}, {"bre", "br"}, {"bul", "bg"}, {"cat", "ca"}, {"ces", "cs"},
    {"cha", "ch"}, {"cmn", "zh"}, {"cos", "co"}, {"cym", "cy"}, {"dan", "da"}, {"deu", "de"}, {"div", "dv"}, {"dzo", "dz"}, {"ell", "el"},
    {"eng", "en"}, {"epo", "eo"}, {"est", "et"}, {"eus", "eu"}, {"ewe", "ee"}, {"fao", "fo"}, {"fij", "fj"}, {"fin", "fi"}, {"fra", "fr"},
    {"fri", "fy"}, {"gla", "gd"}, {"gle", "ga"}, {"glg", "gl"}, {"gug", "gn"}, {"guj", "gu"}, {"hat", "ht"}, {"hau", "ha"}, {"heb", "he"},
    {"hin", "hi"}, {"hrv", "hr"}, {"hun", "hu"}, {"hye", "hy"}, {"ibo", "ig"}, {"ido", "io"}, {"iii", "ii"}, {"ike", "iu"}, {"ina", "ia"},
    {"ind", "id"}, {"isl", "is"}, {"ita", "it"}, {"jav", "jv"}, {"jpn", "ja"}, {"kal", "kl"}, {"kan", "kn"}, {"kat", "ka"}, {"kaz", "kk"},
    {"khk", "mn"}, {"khm", "km"}, {"kin", "rw"}, {"kir", "ky"}, {"kng", "kg"}, {"kor", "ko"}, {"lao", "lo"}, {"lat", "la"}, {"lav", "lv"},
    {"lin", "ln"}, {"lit", "lt"}, {"ltz", "lb"}, {"lug", "lg"}, {"mah", "mh"}, {"mal", "ml"}, {"mar", "mr"}, {"mkd", "mk"}, {"mlt", "mt"},
    {"mly", "ms"}, {"mri", "mi"}, {"mya", "my"}, {"nav", "nv"}, {"nbl", "nr"}, {"ndo", "ng"}, {"nep", "ne"}, {"nld", "nl"}, {"nno", "nn"},
    {"nob", "no"}, {"nya", "ny"}, {"ojb", "oj"}, {"oss", "os"}, {"pan", "pa"}, {"pbu", "ps"}, {"pes", "fa"}, {"plt", "mg"}, {"pol", "pl"},
    {"por", "pt"}, {"roh", "rm"}, {"ron", "ro"}, {"run", "rn"}, {"rus", "ru"}, {"sag", "sg"}, {"san", "sa"}, {"slk", "sk"}, {"slv", "sl"},
    {"sme", "se"}, {"smo", "sm"}, {"sna", "sn"}, {"som", "so"}, {"sot", "st"}, {"spa", "es"}, {"src", "sc"}, {"srp", "sr"}, {"ssw", "ss"},
    {"sun", "su"}, {"swe", "sv"}, {"swh", "sw"}, {"tah", "ty"}, {"tam", "ta"}, {"tat", "tt"}, {"tgk", "tg"}, {"tgl", "tl"}, {"tha", "th"},
    {"tir", "ti"}, {"ton", "to"}, {"tsn", "tn"}, {"tso", "ts"}, {"tuk", "tk"}, {"tur", "tr"}, {"uig", "ug"}, {"ukr", "uk"}, {"urd", "ur"},
    {"uzn", "uz"}, {"ven", "ve"}, {"vie", "vi"}, {"wln", "wa"}, {"wol", "wo"}, {"xho", "xh"}, {"ydd", "yi"}, {"yor", "yo"}, {"zul", "zu"}};

constexpr std::string_view kScripts[] = {"arab", "cyrl", "hans", "hant", "latn", "mong", "tfng", "tglg"};

}  // namespace

std::string language_of_name(std::string_view name) {
  const std::string_view code = name.substr(0, name.find('_'));
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
    return {};
  }
  const auto* const it = std::find_if(std::begin(kCodes), std::end(kCodes), [&](const Code& one) { return one.three == code; });
  std::string out(it == std::end(kCodes) ? code : it->two);
  const std::string_view rest = name.size() > 4 ? name.substr(4) : std::string_view();
  if (std::find(std::begin(kScripts), std::end(kScripts), rest) != std::end(kScripts)) {
    out += '-';
    out += static_cast<char>(rest[0] - 32);
    out += rest.substr(1);
  }
  return out;
}

}  // namespace slipway::text
