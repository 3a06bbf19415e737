// What a crawl knows, kept so that kill -9 takes nothing that was finished: a file of JSON lines, only ever appended to (on disk:
// docs/formats/crawl.md). One process, one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"

namespace slipway::collect {

using base::Json;

class CrawlLog {
 public:
  // Opens or makes it, and holds it: a second process gets Error(kConflict). Throws Error(kFailure) when it cannot.
  explicit CrawlLog(std::filesystem::path path);
  ~CrawlLog();
  CrawlLog(const CrawlLog&) = delete;
  CrawlLog& operator=(const CrawlLog&) = delete;

  // Calls `see` with every event and its offset. Where it returns false the log ends: that event and what follows are cut off; so is a
  // last line that was not written to its end. Throws Error(kIntegrity) for a damaged line before the last, naming it.
  void replay(const std::function<bool(const Json&, uint64_t offset)>& see);
  // Appends; the event is in the operating system's hands then (a killed process loses nothing). Returns its offset.
  uint64_t append(const Json& event);
  Json read(uint64_t offset) const;
  void sync();  // on the disk

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace slipway::collect
