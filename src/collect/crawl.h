// A polite crawler: pages of the web into WARC files, as their owners allow. It obeys robots.txt (RFC 9309), asks a host one request at
// a time with a pause in between, keeps away from private addresses and from traps, and asks again only for what has changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "base/json.h"
#include "collect/scope.h"

namespace slipway::collect {

struct CrawlOptions {
  std::vector<std::string> seeds;
  std::filesystem::path out;           // folder: crawl-*.warc.gz, crawl.log, index.cdxj
  std::string user_agent;              // its product token is what robots.txt is asked about
  ScopeOptions scope;
  double delay = 1.0;                  // seconds between two requests to a host, at least; Crawl-delay may ask for more
  double jitter = 0.5;                 // of it, at random on top
  int concurrency = 8;                 // hosts at a time
  uint64_t max_pages = 100'000;
  std::vector<std::string> types = {"text/html", "application/xhtml+xml", "text/plain"};
  uint64_t max_page_bytes = uint64_t{32} << 20;
  int page_timeout = 60;               // seconds
  int retries = 3;                     // of no answer, 429, 503 and other 5xx
  int max_wait = 600;                  // seconds that Retry-After may ask for; more is given up until the next round
  int max_redirects = 5;
  uint64_t max_file_bytes = 1'000'000'000;
  std::string digest = "sha1";         // of payloads: "sha1" (base32, as web archives have it) or "sha256" (hex)
  bool sitemaps = true;                // of robots.txt
  bool keep_reserved = false;          // pages that ask not to be used for training, too
  bool allow_private = false;
  bool lastmod = true;                 // a page that its sitemap calls older than our last visit is not asked again
  int max_age = 30;                    // days after which it is nevertheless
  bool recrawl = false;                // of what is complete: again, for what has changed
  std::string ca_file;
  uint64_t seed = 0;                   // of jitter
  void describe(base::FieldTable& table);
};

struct CrawlSummary {
  uint64_t fetched = 0;    // answers in this round
  uint64_t stored = 0;     // pages kept by this process; with their bytes as they came
  uint64_t unchanged = 0;  // of them: as they were at the last visit (revisit records)
  uint64_t bytes = 0;
  uint64_t known = 0;      // addresses
  uint64_t waiting = 0;
  int round = 0;
  bool resumed = false;
  bool complete = false;
  std::map<std::string, uint64_t, std::less<>> skipped;  // pages not kept, by reason
  std::map<std::string, uint64_t, std::less<>> refused;  // links not taken, by reason
  base::Json to_json() const;
};

// Crawls until nothing waits, max_pages is reached or the stop token says so; started again it goes on, after kill -9 too. Of a crawl
// that is complete it does nothing, or with `recrawl` the next round. Throws Error(kInvalid) for options, kConflict when another
// process crawls into the folder, kInterrupted when it was stopped, kFailure when the disk is full. Never for what a host does.
CrawlSummary crawl(const CrawlOptions& options, base::Context& context);

}  // namespace slipway::collect
