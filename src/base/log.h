// Logging with constant messages and typed fields: log.info("loaded model", {{"name", name}, {"seconds", t}}).
// Texts, tokens and personal data never go above debug; secrets never. Any thread.
#pragma once

#include <concepts>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  template <class T>
  LogField(std::string_view key_in, T&& value_in) : key(key_in), value(std::forward<T>(value_in)) {}
  std::string_view key;
  Json value;
};

class Log {
 public:
  // `sink` receives whole lines without the newline; it is called under a lock.
  using Sink = std::function<void(std::string_view)>;
  enum class Format { kText, kJson };

  Log(Sink sink, LogLevel level, Format format) : sink_(std::move(sink)), level_(level), format_(format) {}
  // A log that drops everything.
  Log() = default;

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, message, fields);
  }
  bool enabled(LogLevel level) const { return sink_ && level >= level_; }

 private:
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);
  Sink sink_;
  LogLevel level_ = LogLevel::kInfo;
  Format format_ = Format::kText;
  std::mutex mutex_;
};

}  // namespace slipway::base
