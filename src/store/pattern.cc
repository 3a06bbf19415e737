#include "store/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <sqlite3.h>

#include "base/error.h"

namespace slipway::store {
namespace {

constexpr size_t kMaxPattern = 1000;     // bytes
constexpr int64_t kMaxMemory = 1 << 20;  // of a compiled pattern

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  return options;
}

void regexp(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  const auto text_of = [](sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return re2::StringPiece(text == nullptr ? "" : text, static_cast<size_t>(sqlite3_value_bytes(value)));
  };
  if (sqlite3_value_type(values[1]) == SQLITE_NULL) {
    return;
  }
  auto* pattern = static_cast<re2::RE2*>(sqlite3_get_auxdata(context, 0));
  if (pattern == nullptr) {
    // SQLite owns it from here on, and frees it with the statement.
    pattern = new re2::RE2(text_of(values[0]), options());  // NOLINT(cppcoreguidelines-owning-memory)
    sqlite3_set_auxdata(context, 0, pattern, [](void* kept) { delete static_cast<re2::RE2*>(kept); });  // NOLINT
    pattern = static_cast<re2::RE2*>(sqlite3_get_auxdata(context, 0));
    if (pattern == nullptr) {
      sqlite3_result_error_nomem(context);
      return;
    }
  }
  sqlite3_result_int(context, pattern->ok() && re2::RE2::PartialMatch(text_of(values[1]), *pattern) ? 1 : 0);
}

}  // namespace

void check_pattern(const std::string& pattern) {
  if (pattern.size() > kMaxPattern) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("a regular expression may have {} bytes, this has {}", kMaxPattern, pattern.size()));
  }
  const re2::RE2 compiled(pattern, options());
  if (!compiled.ok()) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("Invalid regular expression '{}': {}", pattern, compiled.error()));
  }
}

void add_regexp(sqlite3* database) {
  sqlite3_create_function(database, "regexp", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr, regexp,
                          nullptr, nullptr);
}

}  // namespace slipway::store
