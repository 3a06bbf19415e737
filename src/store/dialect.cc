#include "store/dialect.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::store {
namespace {

struct Token {
  std::string_view space;  // before it
  std::string_view text;
  bool word = false;
  bool is(std::string_view wanted) const {  // `wanted` in capitals
    return text.size() == wanted.size() &&
           std::equal(text.begin(), text.end(), wanted.begin(),
                      [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
  }
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Where the token that begins at `at` ends.
size_t token_end(std::string_view sql, size_t at) {
  const char first = sql[at];
  size_t end = at + 1;
  if (first == '\'' || first == '"') {
    while (end < sql.size() && sql[end] != first) {
      ++end;  // a doubled quote begins another token right behind: the text stays the same
    }
    return std::min(end + 1, sql.size());
  }
  if (first == '?') {
    while (end < sql.size() && std::isdigit(static_cast<unsigned char>(sql[end])) != 0) {
      ++end;
    }
  } else if (is_word(first)) {
    while (end < sql.size() && is_word(sql[end])) {
      ++end;
    }
  }
  return end;
}

// Where blanks and comments ("-- …") end.
size_t space_end(std::string_view sql, size_t at) {
  while (at < sql.size()) {
    if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

std::vector<Token> tokens_of(std::string_view sql) {
  std::vector<Token> tokens;
  size_t at = 0;
  while (at < sql.size()) {
    const size_t begin = at;
    at = space_end(sql, at);
    const size_t end = at < sql.size() ? token_end(sql, at) : at;
    tokens.push_back({sql.substr(begin, at - begin), sql.substr(at, end - at), at < sql.size() && is_word(sql[at])});
    at = end;
  }
  tokens.push_back({});  // the end
  return tokens;
}

class Translation {
 public:
  explicit Translation(std::string_view sql) : tokens_(tokens_of(sql)) {}

  PostgresSql run() {
    while (at_ + 1 < tokens_.size()) {
      one();
    }
    end_statement();
    result_.globs.resize(static_cast<size_t>(result_.parameters));
    return std::move(result_);
  }

 private:
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool words(std::initializer_list<std::string_view> wanted) const {
    size_t ahead = 0;
    return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view word) { return peek(ahead++).is(word); });
  }
  // Writes `text` in the place of the next `count` tokens.
  void put(std::string_view text, size_t count = 1) {
    result_.sql.append(peek().space).append(text);
    at_ += count;
  }

  void end_statement() {
    if (ignore_) {
      result_.sql += " ON CONFLICT DO NOTHING";
    }
    ignore_ = false;
    first_ = {};
    parens_.clear();
  }

  int parameter(const Token& token) {
    int number = result_.parameters + 1;
    if (token.text.size() > 1) {
      std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
    }
    result_.parameters = std::max(result_.parameters, number);
    if (result_.globs.size() < static_cast<size_t>(number)) {
      result_.globs.resize(static_cast<size_t>(number));
    }
    return number;
  }
  bool at_parameter() const { return peek().text.starts_with('?'); }

  void open() {
    parens_.push_back(from_ && peek(1).is("SELECT"));
    put("(");
  }
  void close() {
    const bool sub = !parens_.empty() && parens_.back();
    if (!parens_.empty()) {
      parens_.pop_back();
    }
    put(")");
    static constexpr std::string_view kBehind[] = {"WHERE", "ORDER", "GROUP", "LIMIT", "JOIN", "LEFT", "CROSS", "UNION", "ON"};
    const bool named = peek().word && std::none_of(std::begin(kBehind), std::end(kBehind),
                                                   [&](std::string_view word) { return peek().is(word); });
    if (sub && !named) {
      result_.sql += fmt::format(" AS sub{}", ++subs_);
    }
  }

  // Whether the function at hand has more than one argument.
  bool several_arguments() const {
    int depth = 0;
    for (size_t ahead = 1; at_ + ahead < tokens_.size(); ++ahead) {
      const std::string_view text = peek(ahead).text;
      depth += text == "(" ? 1 : text == ")" ? -1 : 0;
      if (depth == 0) {
        return false;
      }
      if (depth == 1 && text == ",") {
        return true;
      }
    }
    return false;
  }

  void insert_or() {
    if (!peek(2).is("IGNORE")) {
      throw base::Error(base::Code::kFailure, "the statement is written for SQLite only: INSERT OR REPLACE");
    }
    ignore_ = true;
    put("INSERT", 3);
  }

  // CROSS JOIN table t ON t.a = b.c: a query for each row of what is before it, which OFFSET 0 keeps one. The planner would choose by
  // its statistics, and of tables that have grown in the last minute it has none: the other order took 3 s for 10,000 runs.
  void ordered_join() {
    constexpr size_t kLength = 12;
    if (!peek(2).word || !peek(3).word || !peek(4).is("ON") || peek(8).text != "=") {
      throw base::Error(base::Code::kFailure, "the statement is written for SQLite only: CROSS JOIN without a name or a key");
    }
    std::string condition;
    for (size_t i = 5; i < kLength; ++i) {
      condition.append(peek(i).space).append(peek(i).text);
    }
    const std::string name(peek(3).text);
    put(fmt::format("CROSS JOIN LATERAL (SELECT * FROM {} {} WHERE{} OFFSET 0) {}", peek(2).text, name, condition, name), kLength);
  }

  void pattern() {
    const bool glob = peek().is("GLOB");
    put(glob ? "LIKE" : "ILIKE");
    if (at_parameter()) {
      const int number = parameter(peek());
      result_.globs[static_cast<size_t>(number - 1)] = glob;
      put(fmt::format("${}", number));
    } else {
      put(peek().text);
    }
    if (!glob) {
      result_.sql += " ESCAPE ''";
    }
  }

  // The types of columns and casts, which are written in capitals: columns have such names too.
  bool type() {
    const bool table = first_ == "TABLE";
    if (peek().text == "INTEGER") {
      const bool key = table && peek(1).is("PRIMARY") && peek(2).is("KEY");
      if (key) {
        put("BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", peek(3).is("AUTOINCREMENT") ? 4 : 3);
      } else {
        put("BIGINT");
      }
    } else if (peek().text == "REAL") {
      put("DOUBLE PRECISION");
    } else if (peek().text == "BLOB") {
      put("BYTEA");
    } else if (table && peek().text == "TEXT") {
      put("TEXT COLLATE \"C\"");
    } else if (table && words({"WITHOUT", "ROWID"})) {
      put("", 2);
    } else {
      return false;
    }
    return true;
  }

  void one() {
    const Token& token = peek();
    const bool from = token.is("FROM") || token.is("JOIN");
    if (first_.empty() && token.word) {
      first_ = (token.is("CREATE") || token.is("ALTER")) && peek(1).is("TABLE") ? "TABLE" : "OTHER";
    }
    if (token.text == ";") {
      end_statement();
      put(";");
    } else if (token.text == "(") {
      open();
    } else if (token.text == ")") {
      close();
    } else if (token.text.starts_with('?')) {
      put(fmt::format("${}", parameter(token)));
    } else if (words({"INSERT", "OR"})) {
      insert_or();
    } else if (token.is("GLOB") || token.is("LIKE")) {
      pattern();
    } else if (token.is("LIMIT") && peek(1).text.starts_with('?')) {
      put("LIMIT");
      put(fmt::format("nullif(${}, -1)", parameter(peek())));
    } else if (words({"CROSS", "JOIN"})) {
      ordered_join();
    } else if (words({"WHERE", "1"}) && (peek(2).word || peek(2).text.empty() || peek(2).text == ")")) {
      put("WHERE true", 2);
    } else if (token.is("REGEXP")) {
      put("~");
    } else if ((token.is("MAX") || token.is("MIN")) && peek(1).text == "(" && several_arguments()) {
      put(token.is("MAX") ? "greatest" : "least");
    } else if (token.is("USER")) {
      put("\"user\"");
    } else if (token.is("UNIXEPOCH")) {
      put("extract(epoch FROM now())::bigint", 3);
    } else if (!token.word || !type()) {
      put(token.text);
    }
    from_ = from;
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  PostgresSql result_;
  std::string_view first_;    // what kind of statement this is
  std::vector<bool> parens_;  // of each open one: a table that is a query
  bool from_ = false;         // the token before was FROM or JOIN
  bool ignore_ = false;
  int subs_ = 0;
};

}  // namespace

PostgresSql to_postgres(std::string_view sql) { return Translation(sql).run(); }

std::string like_of_glob(std::string_view glob) {
  std::string like;
  const auto literal = [&](char c) {
    if (c == '%' || c == '_' || c == '\\') {
      like += '\\';
    }
    like += c;
  };
  for (size_t i = 0; i < glob.size(); ++i) {
    if (glob[i] == '[' && i + 2 < glob.size() && glob[i + 2] == ']') {
      literal(glob[i + 1]);
      i += 2;
    } else if (glob[i] == '*') {
      like += '%';
    } else if (glob[i] == '?') {
      like += '_';
    } else {
      literal(glob[i]);
    }
  }
  return like;
}

}  // namespace slipway::store
