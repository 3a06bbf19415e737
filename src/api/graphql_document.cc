#include "api/graphql_document.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>

#include "api/errors.h"
#include "text/unicode.h"

namespace slipway::api::graphql {
namespace {

constexpr size_t kMaxText = size_t{256} << 10;
constexpr int kMaxNesting = 64;
constexpr size_t kMaxFragments = 100;
constexpr int kMaxDepth = 10;
constexpr int kMaxSelections = 1000;
constexpr int kMaxRootFields = 10;
constexpr int kMaxAliases = 10;

enum class Kind { kEnd, kPunctuator, kName, kNumber, kText };
struct Token {
  Kind kind = Kind::kEnd;
  std::string text;  // of a text: what it stands for
  size_t at = 0;
};

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();
  [[noreturn]] void fail(size_t at, const std::string& what) const {
    const auto before = text_.substr(0, std::min(at, text_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t start = before.rfind('\n');
    invalid(fmt::format("Syntax Error: {} (line {}, column {})", what, line,
                        before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1));
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip_ignored();
  Token number();
  Token text();
  Token block();
  void escape(std::string& out);
  uint32_t hex4();
  std::string_view text_;
  size_t at_ = 0;
};

void Lexer::skip_ignored() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
      ++at_;
    } else if (text_.substr(at_).starts_with(kMark)) {
      at_ += kMark.size();
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skip_ignored();
  if (at_ >= text_.size()) {
    return {Kind::kEnd, {}, at_};
  }
  const size_t start = at_;
  const char c = peek();
  if (is_name_start(c)) {
    while (is_name_start(peek()) || is_digit(peek())) {
      ++at_;
    }
    return {Kind::kName, std::string(text_.substr(start, at_ - start)), start};
  }
  if (is_digit(c) || c == '-') {
    return number();
  }
  if (c == '"') {
    return text_.substr(at_).starts_with(R"(""")") ? block() : text();
  }
  if (text_.substr(at_).starts_with("...")) {
    at_ += 3;
    return {Kind::kPunctuator, "...", start};
  }
  if (std::string_view("!$&()=:@[]{|}").find(c) == std::string_view::npos) {
    fail(start, "unexpected character");
  }
  ++at_;
  return {Kind::kPunctuator, std::string(1, c), start};
}

Token Lexer::number() {
  const size_t start = at_;
  const auto digits = [this] {
    if (!is_digit(peek())) {
      fail(at_, "a digit is missing in a number");
    }
    while (is_digit(peek())) {
      ++at_;
    }
  };
  at_ += peek() == '-' ? 1 : 0;
  if (peek() == '0' && is_digit(peek(1))) {
    fail(at_, "a number begins with 0");
  }
  digits();
  if (peek() == '.') {
    ++at_;
    digits();
  }
  if (peek() == 'e' || peek() == 'E') {
    at_ += peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    digits();
  }
  if (is_name_start(peek()) || peek() == '.') {
    fail(at_, "a number ends in something else");
  }
  return {Kind::kNumber, std::string(text_.substr(start, at_ - start)), start};
}

uint32_t Lexer::hex4() {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = peek();
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) {
      fail(at_, "\\u needs four hexadecimal digits");
    }
    value = value * 16 + static_cast<uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

void Lexer::escape(std::string& out) {
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  const char c = peek();
  if (c == 'u') {
    ++at_;
    uint32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00 && peek() == '\\' && peek(1) == 'u') {
      at_ += 2;
      const uint32_t low = hex4();
      code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0xD800;
    }
    if (code >= 0xD800 && code < 0xE000) {
      fail(at_, "\\u names half a character");
    }
    text::append_utf8(static_cast<char32_t>(code), out);
    return;
  }
  const size_t found = kFrom.find(c);
  if (c == '\0' || found == std::string_view::npos) {
    fail(at_, "unknown escape in a text");
  }
  out += kTo[found];
  ++at_;
}

Token Lexer::text() {
  Token token{Kind::kText, {}, at_++};
  while (peek() != '"') {
    const char c = peek();
    if (at_ >= text_.size() || c == '\n' || c == '\r' || (static_cast<unsigned char>(c) < 0x20 && c != '\t')) {
      fail(token.at, "a text has no end");
    }
    ++at_;
    if (c == '\\') {
      escape(token.text);
    } else {
      token.text += c;
    }
  }
  ++at_;
  return token;
}

// A block's lines lose the indentation that all but the first share, and blank lines at both ends (specification 2.9.4).
std::string dedented(const std::string& raw) {
  std::vector<std::string> lines(1);
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\n' || raw[i] == '\r') {
      i += raw[i] == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n' ? 1 : 0;
      lines.emplace_back();
    } else {
      lines.back() += raw[i];
    }
  }
  const auto indent_of = [](const std::string& line) { return std::min(line.find_first_not_of(" \t"), line.size()); };
  size_t common = std::string::npos;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (indent_of(lines[i]) < lines[i].size()) {
      common = std::min(common, indent_of(lines[i]));
    }
  }
  for (size_t i = 1; i < lines.size() && common != std::string::npos; ++i) {
    lines[i].erase(0, common);
  }
  const auto is_blank = [&](const std::string& line) { return indent_of(line) == line.size(); };
  const auto first = std::find_if_not(lines.begin(), lines.end(), is_blank);
  const auto last = std::find_if_not(lines.rbegin(), lines.rend(), is_blank).base();
  return first < last ? fmt::format("{}", fmt::join(first, last, "\n")) : std::string();
}

Token Lexer::block() {
  Token token{Kind::kText, {}, at_};
  at_ += 3;
  std::string raw;
  while (!text_.substr(at_).starts_with(R"(""")")) {
    if (at_ >= text_.size()) {
      fail(token.at, "a block of text has no end");
    }
    if (text_.substr(at_).starts_with(R"(\""")")) {
      raw += R"(""")";
      at_ += 4;
    } else {
      raw += text_[at_++];
    }
  }
  at_ += 3;
  token.text = dedented(raw);
  return token;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text), token_(lexer_.next()) {}
  Document document();

 private:
  bool is(std::string_view punctuator) const { return token_.kind == Kind::kPunctuator && token_.text == punctuator; }
  bool is_name(std::string_view name) const { return token_.kind == Kind::kName && token_.text == name; }
  [[noreturn]] void unexpected(std::string_view wanted) const {
    lexer_.fail(token_.at, fmt::format("expected {}, found {}", wanted,
                                       token_.kind == Kind::kEnd ? "the end" : "'" + token_.text.substr(0, 40) + "'"));
  }
  bool take(std::string_view punctuator) {
    const bool there = is(punctuator);
    if (there) {
      token_ = lexer_.next();
    }
    return there;
  }
  void need(std::string_view punctuator) {
    if (!take(punctuator)) {
      unexpected(fmt::format("'{}'", punctuator));
    }
  }
  std::string name() {
    if (token_.kind != Kind::kName) {
      unexpected("a name");
    }
    std::string text = std::move(token_.text);
    token_ = lexer_.next();
    return text;
  }
  std::string keyword(std::string_view word) {
    if (!is_name(word)) {
      unexpected(fmt::format("'{}'", word));
    }
    return name();
  }
  Operation operation();
  Fragment fragment();
  Variable variable();
  bool type(int depth);  // whether null is refused
  std::vector<Directive> directives();
  Arguments arguments();
  std::vector<Selection> selections(int depth);
  Selection selection(int depth);
  Value value(int depth);
  Json number();
  void check_depth(int depth) const {
    if (depth > kMaxNesting) {
      lexer_.fail(token_.at, fmt::format("nested more than {} deep", kMaxNesting));
    }
  }
  Lexer lexer_;
  Token token_;
};

Document Parser::document() {
  Document document;
  do {
    if (is_name("fragment")) {
      if (document.fragments.size() == kMaxFragments) {
        lexer_.fail(token_.at, fmt::format("more than {} fragments", kMaxFragments));
      }
      document.fragments.push_back(fragment());
    } else {
      document.operations.push_back(operation());
    }
  } while (token_.kind != Kind::kEnd);
  return document;
}

Operation Parser::operation() {
  Operation operation;
  if (is("{")) {
    operation.selections = selections(1);
    return operation;
  }
  if (!is_name("query") && !is_name("mutation") && !is_name("subscription")) {
    unexpected("an operation");
  }
  operation.kind = name();
  if (token_.kind == Kind::kName) {
    operation.name = name();
  }
  if (take("(")) {
    do {
      operation.variables.push_back(variable());
    } while (!take(")"));
  }
  directives();
  operation.selections = selections(1);
  return operation;
}

Fragment Parser::fragment() {
  Fragment fragment;
  name();
  if (is_name("on")) {
    unexpected("a fragment's name");
  }
  fragment.name = name();
  keyword("on");
  fragment.on = name();
  directives();
  fragment.selections = selections(1);
  return fragment;
}

Variable Parser::variable() {
  Variable variable;
  need("$");
  variable.name = name();
  need(":");
  variable.required = type(0);
  if (take("=")) {
    variable.has_fallback = true;
    variable.fallback = value(0);
    variable.required = false;
  }
  directives();
  return variable;
}

bool Parser::type(int depth) {
  check_depth(depth);
  if (take("[")) {
    type(depth + 1);
    need("]");
  } else {
    name();
  }
  return take("!");
}

std::vector<Directive> Parser::directives() {
  std::vector<Directive> all;
  while (take("@")) {
    Directive& directive = all.emplace_back();
    directive.name = name();
    directive.arguments = arguments();
  }
  return all;
}

Arguments Parser::arguments() {
  Arguments all;
  if (take("(")) {
    do {
      std::string key = name();
      need(":");
      all.emplace_back(std::move(key), value(0));
    } while (!take(")"));
  }
  return all;
}

std::vector<Selection> Parser::selections(int depth) {
  check_depth(depth);
  std::vector<Selection> all;
  need("{");
  do {
    all.push_back(selection(depth));
  } while (!take("}"));
  return all;
}

Selection Parser::selection(int depth) {
  Selection selection;
  if (take("...")) {
    const bool condition = is_name("on");
    if (token_.kind == Kind::kName && !condition) {
      selection.kind = Selection::Kind::kSpread;
      selection.name = name();
      selection.directives = directives();
      return selection;
    }
    selection.kind = Selection::Kind::kInline;
    if (condition) {
      name();
      selection.on = name();
    }
    selection.directives = directives();
    selection.selections = selections(depth + 1);
    return selection;
  }
  selection.name = name();
  if (take(":")) {
    selection.alias = std::exchange(selection.name, name());
  }
  selection.arguments = arguments();
  selection.directives = directives();
  if (is("{")) {
    selection.selections = selections(depth + 1);
  }
  return selection;
}

Json Parser::number() {
  const Json number = Json::parse(token_.text, nullptr, false);
  if (number.is_discarded()) {
    unexpected("a number");
  }
  return number;
}

Value Parser::value(int depth) {
  check_depth(depth);
  Value value;
  if (take("$")) {
    value.kind = Value::Kind::kVariable;
    value.variable = name();
  } else if (take("[")) {
    value.kind = Value::Kind::kList;
    while (!take("]")) {
      value.items.push_back(this->value(depth + 1));
    }
  } else if (take("{")) {
    value.kind = Value::Kind::kObject;
    while (!take("}")) {
      value.names.push_back(name());
      need(":");
      value.items.push_back(this->value(depth + 1));
    }
  } else if (token_.kind == Kind::kText || token_.kind == Kind::kName || token_.kind == Kind::kNumber) {
    if (token_.kind == Kind::kNumber) {
      value.scalar = number();
    } else if (is_name("true") || is_name("false")) {
      value.scalar = token_.text == "true";
    } else if (!is_name("null")) {
      value.scalar = std::move(token_.text);
    }
    token_ = lexer_.next();
  } else {
    unexpected("a value");
  }
  return value;
}

struct Level {
  std::vector<const Selection*> fields;
  int aliases = 0;
};

// The fields of one selection, those of its fragments among them. `spread`: fragments seen at this level, each once.
void collect(const Document& document, const std::vector<Selection>& selections, std::set<std::string>& spread, Level& level) {
  for (const Selection& selection : selections) {
    if (selection.kind == Selection::Kind::kField) {
      level.fields.push_back(&selection);
      level.aliases += selection.alias.empty() ? 0 : 1;
    } else if (selection.kind == Selection::Kind::kInline) {
      collect(document, selection.selections, spread, level);
    } else if (spread.insert(selection.name).second) {
      if (const Fragment* fragment = document.find_fragment(selection.name)) {
        collect(document, fragment->selections, spread, level);
      }
    }
  }
}

std::string excess_of(const Document& document, const Operation& operation) {
  int selections = 0;
  std::vector<std::pair<const std::vector<Selection>*, int>> open = {{&operation.selections, 1}};
  int root_fields = 0;
  int aliases = 0;
  while (!open.empty()) {
    const auto [list, depth] = open.back();
    open.pop_back();
    if (depth > kMaxDepth) {
      return fmt::format("Query exceeds maximum depth of {}", kMaxDepth);
    }
    Level level;
    std::set<std::string> spread;
    collect(document, *list, spread, level);
    aliases = std::max(aliases, level.aliases);
    root_fields += depth == 1 ? static_cast<int>(level.fields.size()) : 0;
    selections += static_cast<int>(level.fields.size());
    if (selections > kMaxSelections) {
      return fmt::format("Query exceeds maximum total selections of {}", kMaxSelections);
    }
    for (const Selection* field : level.fields) {
      if (!field->selections.empty()) {
        open.emplace_back(&field->selections, depth + 1);
      }
    }
  }
  if (root_fields > kMaxRootFields) {
    return fmt::format("GraphQL queries should have at most {} root fields, got {} root fields.", kMaxRootFields, root_fields);
  }
  if (aliases > kMaxAliases) {
    return fmt::format("GraphQL queries should have at most {} aliases, got {} aliases.", kMaxAliases, aliases);
  }
  return {};
}

}  // namespace

const Fragment* Document::find_fragment(std::string_view name) const {
  const auto found =
      std::find_if(fragments.begin(), fragments.end(), [&](const Fragment& fragment) { return fragment.name == name; });
  return found == fragments.end() ? nullptr : &*found;
}

Document parse_document(std::string_view text) {
  if (text.size() > kMaxText) {
    invalid(fmt::format("a GraphQL query has at most {} bytes, this one {}", kMaxText, text.size()));
  }
  return Parser(text).document();
}

std::string excess_of(const Document& document) {
  for (const Operation& operation : document.operations) {
    if (std::string excess = excess_of(document, operation); !excess.empty()) {
      return excess;
    }
  }
  return {};
}

}  // namespace slipway::api::graphql
