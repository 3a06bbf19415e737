// What a web archive keeps of one answer: its packed WARC records. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collect/fetch.h"
#include "collect/frontier.h"
#include "collect/page_links.h"

namespace slipway::collect {

struct PageRecords {
  std::string packed;        // response or revisit, request, metadata; a gzip member each
  size_t response_bytes = 0;  // of the first
};

struct PageStory {
  std::string_view url, time;
  std::string_view seed;                 // what makes the records' IDs, besides the above
  std::string_view digest;               // of the payload: "sha1:…"
  int depth = 0;
  std::string_view note;                 // why the page itself is not kept: only metadata is; "" when it is
  const std::vector<Url>* links = nullptr;
  const std::optional<Url>* canonical = nullptr;
  const std::optional<Visit>* same_as = nullptr;  // the visit that had the same payload: a revisit record
};

PageRecords page_records(const Fetched& fetched, const PageStory& story);

// A packed resource record of a robots.txt, and the warcinfo record of a file.
std::string robots_record(std::string_view url, std::string_view time, std::string_view body);
std::string info_record(std::string_view time, std::string_view user_agent);

std::string payload_digest(std::string_view body, std::string_view algorithm);

}  // namespace slipway::collect
