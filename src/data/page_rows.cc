// Web pages and their archives as lines of JSON, main text and all, so that what reads JSON Lines reads them: the lines of `data extract`.
#include <fmt/format.h>

#include "data/extract.h"
#include "data/pages.h"
#include "data/table_rows.h"

namespace slipway::data {
namespace {

// Pages in work at a time: enough for all threads, little beside a block.
constexpr size_t kBatchPages = 256;
constexpr size_t kBatchBytes = size_t{16} << 20;

class PageRows final : public TableRows {
 public:
  PageRows(const PageFile& file, base::Pool* pool) : reader_(open_pages(file)), pool_(pool) {}

  Step next(std::string& line) override {
    for (;;) {
      if (at_ == read_.size() && !fill()) {
        return Step::kEnd;
      }
      ExtractedPage& page = read_[at_];
      const std::string& where = pages_[at_++].at;
      if (!page.fault.empty()) {
        line = fmt::format("{}: {}", where, page.fault);
        return Step::kBroken;
      }
      if (page.skipped.empty()) {
        line.swap(page.line);
        line.pop_back();  // its line feed
        return Step::kRow;
      }
    }
  }
  uint64_t consumed() const noexcept override { return reader_->consumed(); }
  std::vector<std::string> columns() const override {
    return {"url", "title", "text", "date", "author", "language", "source", "digest", "time"};
  }

 private:
  bool fill() {
    pages_.clear();
    at_ = 0;
    size_t bytes = 0;
    for (RawPage page; bytes < kBatchBytes && pages_.size() < kBatchPages && reader_->next(page);) {
      bytes += page.bytes.size();
      pages_.push_back(std::move(page));
    }
    read_.assign(pages_.size(), {});
    const auto extract = [&](int64_t i) { read_[static_cast<size_t>(i)] = extract_page(pages_[static_cast<size_t>(i)], options_); };
    const auto n = static_cast<int64_t>(pages_.size());
    if (pool_ != nullptr) {
      pool_->parallel_for(n, extract);
    } else {
      for (int64_t i = 0; i < n; ++i) {
        extract(i);
      }
    }
    return n > 0;
  }

  const std::unique_ptr<PageReader> reader_;
  base::Pool* pool_;
  const ExtractOptions options_;
  std::vector<RawPage> pages_;
  std::vector<ExtractedPage> read_;
  size_t at_ = 0;
};

}  // namespace

std::unique_ptr<TableRows> open_page_rows(const std::filesystem::path& file, base::Pool* pool, const SourceNames& names) {
  return looks_like_pages(file) ? std::make_unique<PageRows>(page_files({file.string()}, names).front(), pool) : nullptr;
}

}  // namespace slipway::data
