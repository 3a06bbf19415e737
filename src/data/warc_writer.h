// WARC 1.1 files written record by record, a gzip member each, and the CDXJ index over them. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace slipway::data {

struct WarcEntry {
  uint64_t offset = 0;  // of the record's gzip member
  uint64_t length = 0;
};

// A record before it is bytes.
struct WarcDraft {
  std::string_view type;  // "response"
  std::string_view url;   // may be empty
  std::string_view date;  // RFC 3339
  std::string_view id;    // of record_id()
  std::string_view block;
  std::vector<std::pair<std::string, std::string>> headers = {};  // beyond those that are made of the above
};

// WARC-Type, WARC-Record-ID, WARC-Date, WARC-Target-URI (when there is one), WARC-Block-Digest, `headers`, Content-Length, the block.
// Throws Error(kInvalid) for a line break in any of them.
std::string warc_record(const WarcDraft& draft);
// "<urn:uuid:…>" (RFC 9562, version 8) of a digest of `seed`: the same seed gives the same.
std::string warc_record_id(std::string_view seed);
std::string gzip_member(std::string_view bytes);

class WarcWriter {
 public:
  // Appears under its name when commit() is called, complete or not at all. `gzip`: a member a record.
  explicit WarcWriter(std::filesystem::path path, bool gzip = true);
  // A record as warc_record() makes it, its ID made of the content: the same input gives the same file. Throws as that, and
  // Error(kFailure) when it cannot be written.
  WarcEntry write(std::string_view type, std::string_view url, std::string_view date, std::string_view block,
                  const std::vector<std::pair<std::string, std::string>>& headers = {});
  void commit() { file_.commit(); }

 private:
  base::AtomicFile file_;
  bool gzip_;
};

// The sort-friendly key of a URL, as CDX indexes have it: "http://www.example.com/A?b" -> "com,example)/a?b". Without scheme, "www." and
// default port, in lower case, parameters sorted.
std::string surt_key(std::string_view url);

// A line of a CDXJ index, with its newline: key, 14 digits of `date`, JSON of url, mime, status, digest, length, offset, filename.
// Lines are to be sorted by their bytes.
struct CdxjEntry {
  std::string url, date, mime, status, digest, filename;
  WarcEntry where;
};
std::string cdxj_line(const CdxjEntry& entry);

}  // namespace slipway::data
