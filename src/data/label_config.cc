// Label Studio's configuration of a project: a small XML. Only tags and attributes matter; text between tags is skipped.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "data/annotation_formats.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxConfig = size_t{1} << 20;
constexpr size_t kMaxDepth = 64;

struct Tag {
  std::string name;
  std::map<std::string, std::string> attributes;
  bool opens = false;   // <a>, <a/>
  bool closes = false;  // </a>, <a/>
};

class TagScanner {
 public:
  TagScanner(std::string_view xml, std::string_view source) : xml_(xml), source_(source) {}

  bool next(Tag& tag) {
    for (;;) {
      at_ = xml_.find('<', at_);
      if (at_ == std::string_view::npos) {
        return false;
      }
      if (skip("<!--", "-->") || skip("<![CDATA[", "]]>") || skip("<?", "?>")) {
        continue;
      }
      if (xml_.substr(at_).starts_with("<!")) {
        fail("has a DOCTYPE or entity, which are not read");
      }
      break;
    }
    ++at_;
    tag = {};
    tag.closes = take('/');
    tag.opens = !tag.closes;
    tag.name = name();
    for (;;) {
      skip_space();
      if (take('>')) {
        return true;
      }
      if (take('/')) {
        tag.closes = true;
        continue;
      }
      std::string key = name();
      skip_space();
      if (!take('=')) {
        fail("has an attribute without a value");
      }
      skip_space();
      tag.attributes[std::move(key)] = value();
    }
  }

  [[noreturn]] void fail(const char* what) const {
    const auto line = 1 + std::count(xml_.begin(), xml_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, xml_.size())), '\n');
    throw Error(Code::kInvalid, fmt::format("{}: the configuration {} (line {})", source_, what, line));
  }

 private:
  bool skip(std::string_view begin, std::string_view end) {
    if (!xml_.substr(at_).starts_with(begin)) {
      return false;
    }
    const size_t found = xml_.find(end, at_ + begin.size());
    if (found == std::string_view::npos) {
      fail("ends in the middle of a comment or instruction");
    }
    at_ = found + end.size();
    return true;
  }
  bool take(char c) {
    const bool there = at_ < xml_.size() && xml_[at_] == c;
    at_ += there ? 1 : 0;
    return there;
  }
  void skip_space() {
    while (at_ < xml_.size() && (xml_[at_] == ' ' || xml_[at_] == '\t' || xml_[at_] == '\n' || xml_[at_] == '\r')) {
      ++at_;
    }
  }
  std::string name() {
    const size_t end = std::min(xml_.find_first_of(" \t\r\n/>=<\"'", at_), xml_.size());
    if (end == at_ || end == xml_.size()) {
      fail("is no XML: a name is missing, or the tag does not end");
    }
    std::string name(xml_.substr(at_, end - at_));
    at_ = end;
    return name;
  }
  std::string value() {
    const char quote = at_ < xml_.size() ? xml_[at_] : ' ';
    const size_t end = quote == '"' || quote == '\'' ? xml_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      fail("has a value without quotation marks");
    }
    std::string result;
    std::string_view raw = xml_.substr(at_ + 1, end - at_ - 1);
    while (!raw.empty()) {
      const size_t semicolon = raw[0] == '&' ? raw.substr(0, 12).find(';') : std::string_view::npos;
      if (semicolon == std::string_view::npos) {
        result += raw[0];
        raw.remove_prefix(1);
      } else {
        append_entity(raw.substr(1, semicolon - 1), result);
        raw.remove_prefix(semicolon + 1);
      }
    }
    at_ = end + 1;
    return result;
  }
  void append_entity(std::string_view entity, std::string& out) const {
    constexpr std::pair<std::string_view, char> kKnown[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [name, c] : kKnown) {
      if (entity == name) {
        out += c;
        return;
      }
    }
    uint32_t code = 0;
    const bool hex = entity.starts_with("#x") || entity.starts_with("#X");
    const std::string_view digits = entity.substr(std::min<size_t>(entity.size(), hex ? 2 : 1));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    if (!entity.starts_with('#') || error != std::errc() || end != digits.data() + digits.size()) {
      fail("has an unknown entity");
    }
    text::append_utf8(code, out);
  }

  std::string_view xml_;
  std::string_view source_;
  size_t at_ = 0;
};

// "#f00" and "#ff0000"; other ways to say a color are left to the page.
std::string color_of(std::string_view color) {
  const bool hex = (color.size() == 4 || color.size() == 7) && color[0] == '#' && color.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
  if (!hex) {
    return "";
  }
  if (color.size() == 7) {
    return std::string(color);
  }
  std::string full = "#";
  for (const char c : color.substr(1)) {
    full.append(2, c);
  }
  return full;
}

class SchemeReader {
 public:
  void open(const Tag& tag) {
    const auto attribute = [&](const char* key) {
      const auto found = tag.attributes.find(key);
      return found == tag.attributes.end() ? std::string() : found->second;
    };
    using record::Question;
    if (tag.name == "Choices") {
      several_ = several_ || choices_ || attribute("choice") == "multiple";
      choices_ = true;
    } else if (tag.name == "Choice") {
      add(attribute("alias"), attribute("value"), attribute("background"), attribute("hotkey"), scheme_.classes);
    } else if (tag.name == "Label") {
      add(attribute("alias"), attribute("value"), attribute("background"), attribute("hotkey"), scheme_.spans);
    } else if (tag.name == "Relation") {
      add(attribute("alias"), attribute("value"), attribute("background"), attribute("hotkey"), scheme_.relations);
    } else if (tag.name == "Relations") {
      relations_ = true;
    } else if (tag.name == "TextArea") {
      ask(Question::kText);
    } else if (tag.name == "Rating") {
      rating(attribute("maxRating"));
      ask(attribute("perItem") == "true" ? Question::kChatReview : Question::kRating);
    } else if (tag.name == "Pairwise") {
      ask(Question::kPreference);
    }
  }

  record::AnnotationScheme finish(std::string_view source) {
    using record::Question;
    if (!scheme_.classes.empty()) {
      ask(several_ ? Question::kClasses : Question::kClass);
    }
    if (!scheme_.spans.empty()) {
      ask(Question::kSpans);
      if (relations_ && scheme_.relations.empty()) {
        scheme_.relations.push_back({"related", "", ""});
      }
      if (!scheme_.relations.empty()) {
        ask(Question::kRelations);
      }
    } else {
      scheme_.relations.clear();
    }
    if (scheme_.questions.empty()) {
      throw Error(Code::kInvalid, fmt::format("{}: the configuration asks for nothing that is read: Choices, Labels, Relations, TextArea, Rating, Pairwise", source));
    }
    return record::scheme_from_json(record::to_json(scheme_), source);  // its limits
  }

 private:
  void ask(record::Question question) {
    if (std::find(scheme_.questions.begin(), scheme_.questions.end(), question) == scheme_.questions.end()) {
      scheme_.questions.push_back(question);
    }
  }
  void rating(const std::string& max) {
    int value = 5;
    std::from_chars(max.data(), max.data() + max.size(), value);
    scheme_.rating_max = std::clamp(value, 2, 100);
  }
  void add(const std::string& alias, const std::string& value, const std::string& background, const std::string& hotkey, std::vector<record::Label>& labels) {
    const std::string& name = alias.empty() ? value : alias;
    const bool there = std::any_of(labels.begin(), labels.end(), [&](const record::Label& label) { return label.name == name; });
    if (name.empty() || there || labels.size() > 10000) {
      return;
    }
    // A key of one character that no other label has: combinations are the page's.
    const bool key = record::length_of(hotkey) == 1 && hotkeys_.find(hotkey) == std::string::npos;
    hotkeys_ += key ? hotkey : "";
    labels.push_back({name, color_of(background), key ? hotkey : ""});
  }

  record::AnnotationScheme scheme_;
  std::string hotkeys_;
  bool choices_ = false, several_ = false, relations_ = false;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void append_labels(const char* tag, const std::vector<record::Label>& labels, std::string& out) {
  for (const record::Label& label : labels) {
    out += fmt::format("    <{} value=\"{}\"", tag, escaped(label.name));
    out += label.color.empty() ? "" : fmt::format(" background=\"{}\"", label.color);
    out += label.hotkey.empty() ? "" : fmt::format(" hotkey=\"{}\"", escaped(label.hotkey));
    out += "/>\n";
  }
}

}  // namespace

record::AnnotationScheme scheme_from_label_config(std::string_view xml, std::string_view source) {
  if (xml.size() > kMaxConfig || !text::is_valid_utf8(xml)) {
    throw Error(Code::kInvalid, fmt::format("{}: the configuration is longer than {} bytes or no UTF-8", source, kMaxConfig));
  }
  TagScanner scanner(xml, source);
  SchemeReader reader;
  std::vector<std::string> open;
  bool any = false;
  for (Tag tag; scanner.next(tag);) {
    any = true;
    if (tag.opens) {
      reader.open(tag);
      open.push_back(tag.name);
      if (open.size() > kMaxDepth) {
        scanner.fail("is nested too deep");
      }
    }
    if (tag.closes) {
      if (open.empty() || open.back() != tag.name) {
        scanner.fail("closes a tag that is not open");
      }
      open.pop_back();
    }
  }
  if (!any || !open.empty()) {
    scanner.fail(any ? "does not close a tag" : "is no XML");
  }
  return reader.finish(source);
}

std::string label_config_of(const record::AnnotationScheme& scheme) {
  using record::Question;
  const auto asks = [&](Question question) { return std::find(scheme.questions.begin(), scheme.questions.end(), question) != scheme.questions.end(); };
  std::string out = "<View>\n";
  if (asks(Question::kSpans)) {
    out += "  <Labels name=\"label\" toName=\"text\">\n";
    append_labels("Label", scheme.spans, out);
    out += "  </Labels>\n";
  }
  if (asks(Question::kRelations)) {
    out += "  <Relations>\n";
    append_labels("Relation", scheme.relations, out);
    out += "  </Relations>\n";
  }
  out += "  <Text name=\"text\" value=\"$text\"/>\n";
  if (asks(Question::kChatReview)) {
    out += "  <Paragraphs name=\"messages\" value=\"$messages\" nameKey=\"role\" textKey=\"content\" layout=\"dialogue\"/>\n";
    out += fmt::format("  <Rating name=\"message_rating\" toName=\"messages\" maxRating=\"{}\" perItem=\"true\"/>\n", scheme.rating_max);
  }
  if (asks(Question::kPreference)) {
    out += "  <Text name=\"candidate1\" value=\"$candidate1\"/>\n  <Text name=\"candidate2\" value=\"$candidate2\"/>\n";
    out += "  <Pairwise name=\"preference\" toName=\"candidate1,candidate2\"/>\n";
  }
  if (asks(Question::kClass) || asks(Question::kClasses)) {
    out += fmt::format("  <Choices name=\"class\" toName=\"text\" choice=\"{}\">\n", asks(Question::kClasses) ? "multiple" : "single");
    append_labels("Choice", scheme.classes, out);
    out += "  </Choices>\n";
  }
  if (asks(Question::kText)) {
    out += "  <TextArea name=\"answer\" toName=\"text\"/>\n";
  }
  if (asks(Question::kRating)) {
    out += fmt::format("  <Rating name=\"rating\" toName=\"text\" maxRating=\"{}\"/>\n", scheme.rating_max);
  }
  return out + "</View>\n";
}

}  // namespace slipway::data
