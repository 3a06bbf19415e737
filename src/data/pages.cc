#include "data/pages.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/libarchive.h"
#include "data/file_head.h"
#include "data/http_message.h"
#include "data/warc.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr std::array<std::string_view, 4> kPageEndings = {".html", ".htm", ".xhtml", ".shtml"};
constexpr std::array<std::string_view, 8> kArchiveEndings = {".zip",    ".tar",     ".tgz",     ".tar.gz",
                                                             ".tar.xz", ".tar.zst", ".tar.bz2", ".txz"};
constexpr std::array<std::string_view, 3> kWarcEndings = {".warc", ".arc", ".wet"};
constexpr size_t kHeadBytes = size_t{64} << 10;
constexpr uint64_t kMaxArchiveEntries = 50'000'000;

std::string lowered(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

// The name without what says that it is compressed.
std::string uncompressed(std::string name) {
  for (const std::string_view ending : {".gz", ".zst"}) {
    if (name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      break;
    }
  }
  return name;
}

template <size_t n>
bool ends_in(std::string_view name, const std::array<std::string_view, n>& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

bool is_archive(const fs::path& path) { return ends_in(lowered(path.filename().string()), kArchiveEndings); }

bool is_ours(const fs::path& path) {
  const std::string name = lowered(path.filename().string());
  return ends_in(name, kArchiveEndings) || ends_in(uncompressed(name), kPageEndings) || ends_in(uncompressed(name), kWarcEndings);
}

PageFile page_file(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw Error(errno == ENOENT ? Code::kNotFound : Code::kFailure,
                fmt::format("cannot read '{}': {}", path.string(), base::errno_text(errno)));
  }
  return {path, path.generic_string(), static_cast<uint64_t>(status.st_size),
          static_cast<int64_t>(status.st_mtim.tv_sec) * 1000 + status.st_mtim.tv_nsec / 1'000'000};
}

void add_folder(const fs::path& folder, std::vector<PageFile>& files) {
  std::vector<fs::path> found;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (it->path().filename().string().starts_with('.')) {
      if (it->is_directory()) {
        it.disable_recursion_pending();
      }
    } else if (it->is_regular_file() && is_ours(it->path())) {
      found.push_back(it->path());
    }
  }
  if (found.empty()) {
    throw Error(Code::kNotFound,
                fmt::format("the folder '{}' has no pages: no file ending in .html, .htm, .xhtml, .warc, .arc, .wet (also .gz, .zst), "
                            ".zip or .tar",
                            folder.string()));
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& path : found) {
    files.push_back(page_file(path));
  }
}

RawPage page_of(const PageFile& file, std::string at) {
  RawPage page;
  page.source = file.name;
  page.at = std::move(at);
  page.time = base::iso8601(file.modified_ms);
  return page;
}

// A page that is compressed by itself is unpacked.
void unpack(RawPage& page) {
  if (!page.bytes.starts_with("\x1f\x8b") && !page.bytes.starts_with("\x28\xb5\x2f\xfd")) {
    return;
  }
  std::string plain;
  page.fault = undo_coding(page.bytes.front() == '\x1f' ? "gzip" : "zstd", page.bytes, kMaxPageBytes, plain);
  page.bytes.swap(plain);
}

class OnePage final : public PageReader {
 public:
  explicit OnePage(const PageFile& file) : file_(file) {}
  bool next(RawPage& page) override {
    if (std::exchange(done_, true)) {
      return false;
    }
    page = page_of(file_, file_.name);
    try {
      page.bytes = base::read_decompressed(file_.path, kMaxPageBytes);
    } catch (const Error& error) {
      if (error.code() != Code::kInvalid && error.code() != Code::kIntegrity) {
        throw;
      }
      page.fault = error.what();
    }
    return true;
  }
  uint64_t consumed() const noexcept override { return done_ ? file_.size : 0; }

 private:
  const PageFile file_;
  bool done_ = false;
};

// What a record says that can be read, as a page; false for records of other kinds.
bool page_of_record(const WarcRecord& record, RawPage& page) {
  const std::string_view type = record.type();
  if (type == "conversion") {
    page.kind = PageKind::kText;
  } else if (type == "response" || (type == "resource" && record.header("Content-Type").find("html") != std::string_view::npos)) {
    page.kind = record.block.starts_with("HTTP/") ? PageKind::kHttp : PageKind::kHtml;
  } else if (record.fault.empty() || record.type() == "warcinfo" || record.type() == "request") {
    return false;
  }
  page.url = record.url();
  page.content_type = record.header("Content-Type");
  page.bytes = record.block;
  if (!record.date().empty()) {
    page.time = record.date();
  }
  return true;
}

class WarcPages final : public PageReader {
 public:
  explicit WarcPages(const PageFile& file) : file_(file), map_(file.path), reader_(map_.bytes()) {}
  bool next(RawPage& page) override {
    while (reader_.next(record_)) {
      page = page_of(file_, fmt::format("{}@{}", file_.name, record_.offset));
      page.fault = record_.fault;
      if (page_of_record(record_, page)) {
        return true;
      }
    }
    return false;
  }
  uint64_t consumed() const noexcept override { return reader_.consumed(); }

 private:
  const PageFile file_;
  const base::MappedFile map_;
  WarcReader reader_;
  WarcRecord record_;
};

struct ArchiveFree {
  void operator()(archive* a) const { base::libarchive().archive_free(a); }
};

class ArchivePages final : public PageReader {
 public:
  explicit ArchivePages(const PageFile& file) : file_(file), archive_(lib_.archive_read_new()) {
    lib_.archive_read_support_format_tar(archive_.get());
    lib_.archive_read_support_format_zip(archive_.get());
    lib_.archive_read_support_filter_gzip(archive_.get());
    lib_.archive_read_support_filter_bzip2(archive_.get());
    lib_.archive_read_support_filter_xz(archive_.get());
    lib_.archive_read_support_filter_zstd(archive_.get());
    broken_ = lib_.archive_read_open_filename(archive_.get(), file_.path.c_str(), size_t{1} << 20) != ARCHIVE_OK;
  }

  bool next(RawPage& page) override {
    while (!done_ && ++entries_ <= kMaxArchiveEntries) {
      archive_entry* entry = nullptr;
      const int result = broken_ ? ARCHIVE_FATAL : lib_.archive_read_next_header(archive_.get(), &entry);
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        done_ = result != ARCHIVE_RETRY;
        page = page_of(file_, file_.name);
        page.fault = reason();
        return result != ARCHIVE_EOF;
      }
      const char* name = lib_.archive_entry_pathname(entry);
      if (name == nullptr || lib_.archive_entry_filetype(entry) != AE_IFREG || !ends_in(uncompressed(lowered(name)), kPageEndings)) {
        continue;
      }
      page = page_of(file_, fmt::format("{}:{}", file_.name, name));
      if (lib_.archive_entry_mtime_is_set(entry) != 0) {
        page.time = base::iso8601(static_cast<int64_t>(lib_.archive_entry_mtime(entry)) * 1000);
      }
      read_entry(page);
      return true;
    }
    return false;
  }
  uint64_t consumed() const noexcept override { return file_.size; }

 private:
  void read_entry(RawPage& page) {
    constexpr size_t kStep = size_t{256} << 10;
    for (;;) {
      const size_t before = page.bytes.size();
      page.bytes.resize(before + kStep);
      const la_ssize_t got = lib_.archive_read_data(archive_.get(), page.bytes.data() + before, kStep);
      page.bytes.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
      if (got < 0) {
        page.fault = reason();
        return;
      }
      if (page.bytes.size() > kMaxPageBytes) {
        page.fault = fmt::format("a page of more than the limit of {} bytes", kMaxPageBytes);
        return;
      }
      if (got == 0) {
        unpack(page);
        return;
      }
    }
  }
  std::string reason() const {
    const char* text = lib_.archive_error_string(archive_.get());
    return fmt::format("the archive is damaged: {}", text == nullptr ? "no reason given" : text);
  }

  const PageFile file_;
  const base::Libarchive& lib_ = base::libarchive();
  std::unique_ptr<archive, ArchiveFree> archive_;
  bool broken_ = false;
  bool done_ = false;
  uint64_t entries_ = 0;
};

bool is_warc(const PageFile& file) {
  if (ends_in(uncompressed(lowered(file.path.filename().string())), kWarcEndings)) {
    return true;
  }
  return file.size > 0 && looks_like_warc(file_head(file.path, kHeadBytes));
}

}  // namespace

bool is_page_file(const fs::path& file) { return is_ours(file); }

std::vector<PageFile> page_files(const std::vector<std::string>& paths, const SourceNames& names) {
  std::vector<PageFile> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      add_folder(path, files);
    } else {
      files.push_back(page_file(path));
    }
  }
  for (PageFile& file : files) {
    file.name = names.of(file.path);
  }
  return files;
}

bool looks_like_pages(const fs::path& path) {
  return base::is_file(path) && (is_ours(path) || looks_like_warc(file_head(path, kHeadBytes)));
}

std::unique_ptr<PageReader> open_pages(const PageFile& file) {
  if (is_archive(file.path)) {
    return std::make_unique<ArchivePages>(file);
  }
  if (is_warc(file)) {
    return std::make_unique<WarcPages>(file);
  }
  return std::make_unique<OnePage>(file);
}

void read_pages(const PageFile& file, const std::function<bool(RawPage&& page, uint64_t consumed)>& take) {
  const std::unique_ptr<PageReader> reader = open_pages(file);
  RawPage page;
  while (reader->next(page)) {
    if (!take(std::move(page), reader->consumed())) {
      return;
    }
  }
}

}  // namespace slipway::data
