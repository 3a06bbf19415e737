#include "base/log.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace slipway::base {

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!enabled(level)) {
    return;
  }
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  const char* name = kNames[static_cast<int>(level)];
  const std::string time = iso8601(SystemClock().unix_ms());
  std::string line;
  if (format_ == Format::kJson) {
    Json object = {{"time", time}, {"level", name}, {"message", message}};
    for (const LogField& field : fields) {
      object[std::string(field.key)] = field.value;
    }
    line = dump_json(object);
  } else {
    line = fmt::format("{} {:7} {}", time, name, message);
    for (const LogField& field : fields) {
      line += fmt::format(" {}={}", field.key, dump_json(field.value));
    }
  }
  const std::lock_guard lock(mutex_);
  sink_(line);
}

}  // namespace slipway::base
