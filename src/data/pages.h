// Web pages wherever they are kept: HTML files, folders of them, tar and zip archives, WARC, WET and ARC files. Each comes with where
// it was and what is known of it; what cannot be read comes too, as a fault, so that nothing is lost silently. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/source_names.h"

namespace slipway::data {

enum class PageKind : uint8_t { kHtml, kHttp, kText };  // bytes of a page; of an HTTP response with its head; of a text

struct RawPage {
  PageKind kind = PageKind::kHtml;
  std::string source;        // the file, as it was named
  std::string at;            // where: "pages/a.html", "pages.zip:a.html", "crawl.warc.gz@1023" (the record's first byte)
  std::string url;           // as the archive says it, or ""
  std::string time;          // when it was fetched (WARC-Date), else when the file was written; RFC 3339
  std::string content_type;  // as the archive says it, or ""
  std::string bytes;
  std::string fault;  // why it cannot be used; empty: nothing is wrong
};

struct PageFile {
  std::filesystem::path path;
  std::string name;  // as messages and documents name it
  uint64_t size = 0;
  int64_t modified_ms = 0;
};

// The files that `paths` mean, in this order; those of a folder (searched deeply, hidden ones left out) sorted by path, and of them
// only pages and archives by their extension. Throws Error(kNotFound) for a path that is not there or a folder without any.
// `names`: what they are called when they were brought here from elsewhere.
std::vector<PageFile> page_files(const std::vector<std::string>& paths, const SourceNames& names = {});

// A page, or an archive of them, by its name.
bool is_page_file(const std::filesystem::path& file);

inline constexpr size_t kMaxPageBytes = size_t{32} << 20;  // what text::html_to_text takes

// The pages of one file, one after the other.
class PageReader {
 public:
  virtual ~PageReader() = default;
  // False at the end. Never throws for what is wrong with the file's content: that is a page with a fault.
  virtual bool next(RawPage& page) = 0;
  virtual uint64_t consumed() const noexcept = 0;  // bytes of the file
};
// By name and first bytes; what is neither an archive nor a WARC file is a page. Throws Error when it cannot be opened.
std::unique_ptr<PageReader> open_pages(const PageFile& file);
// An archive or a WARC file by its first bytes, whatever its name.
bool looks_like_pages(const std::filesystem::path& file);

// Every page of `file` in its order; `consumed` is the bytes of the file read so far. Stops when `take` returns false. Never throws for
// what is wrong with the file's content: that is a page with a fault. Throws Error when it cannot be opened.
void read_pages(const PageFile& file, const std::function<bool(RawPage&&, uint64_t consumed)>& take);

}  // namespace slipway::data
