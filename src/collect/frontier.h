// All addresses that a crawl has met, which of them wait, and what is known of their last visit; every change goes through the log
// first. About 150 bytes an address. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collect/archive.h"
#include "collect/crawl_log.h"
#include "collect/hosts.h"
#include "collect/scope.h"

namespace slipway::collect {

enum class UrlKind : uint8_t { kPage, kSitemap };  // stored

// An address on its way into the frontier.
struct Found {
  Url url;
  int depth = 0;  // links from a seed; of a sitemap: below how many others
  UrlKind kind = UrlKind::kPage;
  int redirects = 0;
  int64_t modified = 0;  // when a sitemap says that it was changed, seconds since 1970; 0: it does not
};

struct Visit {  // the last one that brought something
  std::string time, etag, modified, digest, type;
  std::string note;  // why it was not kept: "noindex"; "sitemap"
};

class Frontier {
 public:
  struct Entry {
    std::string url;
    uint8_t depth = 0;
    uint8_t redirects = 0;
    uint8_t tries = 0;
    UrlKind kind = UrlKind::kPage;
    bool queued = false;  // in this round
    bool done = false;
    int64_t modified = 0;  // as Found's, the last that was told
    int64_t visit = -1;  // offset in the log of the last event that has something to compare with
  };

  // Reads what `folder` remembers. What the WARC files do not hold any more (the machine lost its power) is forgotten.
  Frontier(const std::filesystem::path& folder, Scope& scope);

  bool complete() const noexcept { return complete_; }  // the last round came to its end
  bool resumed() const noexcept { return resumed_; }    // there is something of a round that did not
  int round() const noexcept { return round_; }
  Archive::Place last_place() const noexcept { return last_; }
  uint64_t visited() const noexcept { return visited_; }  // answers of this round
  size_t known() const noexcept { return entries_.size(); }
  // How many addresses were not taken, by reason, in this process.
  const std::map<std::string, uint64_t, std::less<>>& refused() const noexcept { return refused_; }

  void begin_round(const std::string& time);
  void end_round();
  void add_seeds(const std::vector<Url>& seeds);

  Hosts& hosts() noexcept { return hosts_; }
  Entry& entry(uint32_t id) { return entries_[id]; }
  std::optional<Visit> last_visit(uint32_t id) const;
  // Appends `event` with what was found, which waits from now on where it is in scope. `unchanged`: with the links of the last visit.
  void page(uint32_t id, Json event, const std::vector<Found>& found, bool unchanged = false);
  void robots(Json event, const std::vector<Found>& found);
  // A line of CDXJ for each response in the archives, sorted.
  std::vector<std::string> index();
  void sync() { log_.sync(); }

 private:
  void replay(const Json& event, uint64_t offset);
  void take_places(const Json& event);
  void add_found(const std::vector<Found>& found, Json& event);
  uint32_t add(const Url& url, const Found& found);
  void apply_found(const Json& event);
  void enqueue(uint32_t id, int depth, int redirects);
  std::vector<uint32_t> links_of_visit(uint32_t id) const;

  const std::filesystem::path folder_;
  Scope& scope_;
  CrawlLog log_;
  std::vector<Entry> entries_;
  std::unordered_map<uint64_t, uint32_t> ids_;  // by XXH64 of the address' key
  Hosts hosts_;
  std::map<std::string, uint64_t, std::less<>> refused_;
  Archive::Place last_;
  uint64_t visited_ = 0;
  int round_ = 0;
  bool complete_ = false;
  bool resumed_ = false;
};

}  // namespace slipway::collect
