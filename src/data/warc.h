// WARC 1.0/1.1 and ARC 1 files read record by record (ISO 28500; the Internet Archive's ARC of 1996): plain, gzip or zstd, by
// record or as a whole, of any size. Made for files that lie: every length is checked against the file and a limit, a damaged record costs
// itself alone (only in zstd, and in gzip that is not packed by record, a length beyond the file's end costs the rest), and what is wrong is told of the record it befell. One
// reader a thread; it borrows the file's bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::data {

struct WarcLimits {
  size_t max_header_bytes = size_t{256} << 10;
  size_t max_block_bytes = size_t{64} << 20;  // a longer block is passed over, and told as a fault
};

struct WarcRecord {
  std::string version;                                        // "WARC/1.0", "ARC/1.0"; empty: no record could be made of it
  std::vector<std::pair<std::string, std::string>> headers;   // as written, continued lines joined; of ARC, WARC's names
  std::string_view block;                                     // valid until the next call of next()
  uint64_t offset = 0;  // where it begins in the file: of its gzip member, or of itself where there are none of its own; of zstd
                        // files in what they unpack to
  uint64_t length = 0;  // bytes of the file (of zstd: unpacked) that it takes
  std::string fault;    // what is wrong with it; empty: nothing

  // The first header of that name, case ignored; "" when absent.
  std::string_view header(std::string_view name) const noexcept;
  std::string_view type() const noexcept { return header("WARC-Type"); }  // "response", "conversion", …
  std::string_view url() const noexcept;                                  // without the <> that some writers put around it
  std::string_view date() const noexcept { return header("WARC-Date"); }
};

class WarcReader {
 public:
  // `file` is the whole file (a map of it): WARC, ARC, or gzip or zstd of either.
  explicit WarcReader(std::string_view file, WarcLimits limits = {});
  ~WarcReader();
  WarcReader(const WarcReader&) = delete;
  WarcReader& operator=(const WarcReader&) = delete;

  // The next record, false at the end. After a fault reading goes on at the next record that can be found. Never throws but
  // std::bad_alloc. Memory: a block of at most the limit. Cost: linear in the bytes of the file and what they unpack to.
  bool next(WarcRecord& record);
  // Bytes of the file read so far.
  uint64_t consumed() const noexcept;

 private:
  class Bytes;
  struct Damage;
  void read_record(WarcRecord& record);
  static void read_arc_headers(std::string_view first_line, WarcRecord& record);
  bool take_line(std::string& line, size_t& budget);
  void read_block(WarcRecord& record, uint64_t size);

  std::unique_ptr<Bytes> bytes_;
  WarcLimits limits_;
  std::string line_;
  bool lost_ = false;  // where the next record begins is to be looked for
};

// Do these first bytes (plain, or of a gzip member) begin a WARC or ARC file?
bool looks_like_warc(std::string_view head);

}  // namespace slipway::data
