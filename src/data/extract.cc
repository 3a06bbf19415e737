#include "data/extract.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr int kStateVersion = 1;                        // stored
constexpr size_t kMaxBatch = 2048;                      // pages
constexpr uint64_t kMinBatchBytes = 8 << 20;            // a batch may be one page, whatever its size
constexpr uint64_t kCopies = 8;                         // of a page's bytes that its work may take: raw, decoded, UTF-8, blocks, line
constexpr uint64_t kCheckpointBytes = uint64_t{64} << 20;  // of pages

// A file that grows, and may be cut back to where a checkpoint left it.
class Growing {
 public:
  Growing(fs::path path, uint64_t size) : path_(std::move(path)), size_(size) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(size)) != 0 || ::lseek(fd_, 0, SEEK_END) < 0) {
      fail();
    }
  }
  ~Growing() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;
  void append(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) {
        fail();
      }
      bytes.remove_prefix(n < 0 ? 0 : static_cast<size_t>(n));
    }
  }
  void sync() {
    if (::fsync(fd_) != 0) {
      fail();
    }
  }
  uint64_t size() const noexcept { return size_; }
  const fs::path& path() const noexcept { return path_; }

 private:
  [[noreturn]] void fail() const {
    throw Error(Code::kFailure, fmt::format("cannot write '{}': {}", path_.string(), base::errno_text(errno)));
  }
  fs::path path_;
  uint64_t size_;
  int fd_ = -1;
};

// Where a run is: pages of files before `file`, and `page` pages of it, are done.
struct Position {
  size_t file = 0;
  int64_t page = 0;
};

fs::path beside(const fs::path& out, const char* ending) { return out.string() + ending; }

void add_counts(const Json& json, std::map<std::string, int64_t>& counts) {
  for (const auto& [key, value] : json.items()) {
    counts[key] = value.get<int64_t>();
  }
}

class Extraction {
 public:
  Extraction(const ExtractOptions& options, base::Context& context)
      : options_(options), context_(context), files_(page_files(options.inputs, options.names)),
        packed_(options.out.extension() == ".zst"), batch_bytes_(std::max(kMinBatchBytes, options.memory / kCopies)) {
    std::string key = fmt::format("{} {} {} {}\n", kStateVersion, options.main_text, options.licence, batch_bytes_);
    for (const PageFile& file : files_) {
      key += fmt::format("{} {} {}\n", file.name, file.size, file.modified_ms);
      total_ += static_cast<int64_t>(file.size);
    }
    key_ = base::sha256_hex(key);
  }

  ExtractSummary run() {
    resume();
    context_.progress.start("extract", total_, "bytes");
    for (size_t i = 0; i < position_.file; ++i) {
      before_ += static_cast<int64_t>(files_[i].size);
    }
    for (size_t i = position_.file; i < files_.size(); ++i) {
      read_file(i);
      before_ += static_cast<int64_t>(files_[i].size);
    }
    flush({files_.size(), 0});
    finish();
    context_.progress.finish(fmt::format("{} pages", summary_.pages));
    return summary_;
  }

 private:
  void read_file(size_t index) {
    int64_t n = 0;
    const int64_t done = index == position_.file ? position_.page : 0;
    read_pages(files_[index], [&](RawPage&& page, uint64_t consumed) {
      if (n++ < done) {
        return true;
      }
      waiting_ += page.bytes.size();
      batch_.push_back(std::move(page));
      if (waiting_ >= batch_bytes_ || batch_.size() >= kMaxBatch) {
        base::check_stop(context_, "extracting pages");
        flush({index, n});
        context_.progress.update(before_ + static_cast<int64_t>(consumed), fmt::format("{} pages", summary_.pages));
      }
      return true;
    });
  }

  void flush(const Position& position) {
    std::vector<ExtractedPage> results(batch_.size());
    context_.pool.parallel_for(static_cast<int64_t>(batch_.size()), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      results[at] = extract_page(batch_[at], options_);
    });
    std::string lines;
    std::string faults;
    for (size_t i = 0; i < results.size(); ++i) {
      count(batch_[i], results[i], faults);
      lines += results[i].line;
    }
    if (!lines.empty()) {
      out_->append(packed_ ? base::zstd_compress(lines) : lines);
    }
    quarantine_->append(faults);
    since_checkpoint_ += waiting_;
    waiting_ = 0;
    batch_.clear();
    if (since_checkpoint_ >= kCheckpointBytes) {
      checkpoint(position);
    }
  }

  void count(const RawPage& page, const ExtractedPage& result, std::string& faults) {
    summary_.bytes += static_cast<int64_t>(page.bytes.size());
    if (!result.fault.empty()) {
      ++summary_.quarantined;
      faults += base::dump_json({{"source", page.at}, {"url", page.url}, {"reason", result.fault}, {"bytes", page.bytes.size()}});
      faults += '\n';
    } else if (!result.skipped.empty()) {
      ++summary_.skipped[result.skipped];
    } else {
      ++summary_.pages;
      summary_.empty += result.text_bytes == 0 ? 1 : 0;
      summary_.text_bytes += static_cast<int64_t>(result.text_bytes);
      ++summary_.languages[result.language];
      ++summary_.encodings[result.encoding];
    }
  }

  void checkpoint(const Position& position) {
    out_->sync();
    quarantine_->sync();
    base::write_file_atomic(beside(options_.out, ".state"), base::dump_json({{"key", key_},
                                                                             {"file", position.file},
                                                                             {"page", position.page},
                                                                             {"out_bytes", out_->size()},
                                                                             {"quarantine_bytes", quarantine_->size()},
                                                                             {"summary", summary_.to_json()}}));
    since_checkpoint_ = 0;
  }

  // Goes on where a run with the same inputs and options stopped; else begins anew.
  void resume() {
    uint64_t out_bytes = 0;
    uint64_t quarantine_bytes = 0;
    const fs::path part = beside(options_.out, ".part");
    const fs::path faults = beside(options_.out, ".quarantine.jsonl.part");
    if (base::is_file(beside(options_.out, ".state"))) {
      const std::string where = beside(options_.out, ".state").string();
      const Json state = base::parse_json(base::read_file(where), where);
      std::error_code none;
      if (base::get<std::string>(state, "key", where) == key_ &&
          fs::file_size(part, none) >= base::get<uint64_t>(state, "out_bytes", where) && !none &&
          fs::file_size(faults, none) >= base::get<uint64_t>(state, "quarantine_bytes", where) && !none) {
        out_bytes = base::get<uint64_t>(state, "out_bytes", where);
        quarantine_bytes = base::get<uint64_t>(state, "quarantine_bytes", where);
        position_ = {base::get<size_t>(state, "file", where), base::get<int64_t>(state, "page", where)};
        restore(state.at("summary"));
      }
    }
    if (const fs::path parent = options_.out.parent_path(); !parent.empty()) {
      base::make_dirs(parent);
    }
    out_ = std::make_unique<Growing>(part, out_bytes);
    quarantine_ = std::make_unique<Growing>(faults, quarantine_bytes);
  }

  void restore(const Json& json) {
    summary_.pages = json.value("pages", int64_t{0});
    summary_.empty = json.value("empty", int64_t{0});
    summary_.quarantined = json.value("quarantined", int64_t{0});
    summary_.bytes = json.value("bytes", int64_t{0});
    summary_.text_bytes = json.value("text_bytes", int64_t{0});
    add_counts(json.at("skipped"), summary_.skipped);
    add_counts(json.at("languages"), summary_.languages);
    add_counts(json.at("encodings"), summary_.encodings);
    summary_.resumed = true;
  }

  void finish() {
    out_->sync();
    quarantine_->sync();
    const fs::path faults = beside(options_.out, ".quarantine.jsonl");
    if (quarantine_->size() > 0) {
      fs::rename(quarantine_->path(), faults);
    } else {
      fs::remove(quarantine_->path());
      fs::remove(faults);
    }
    fs::rename(out_->path(), options_.out);
    fs::remove(beside(options_.out, ".state"));
    base::sync_dir(fs::absolute(options_.out).parent_path());
  }

  const ExtractOptions& options_;
  base::Context& context_;
  const std::vector<PageFile> files_;
  const bool packed_;
  const uint64_t batch_bytes_;
  std::string key_;
  int64_t total_ = 0;
  int64_t before_ = 0;  // bytes of the files that are done
  Position position_;
  ExtractSummary summary_;
  std::unique_ptr<Growing> out_;
  std::unique_ptr<Growing> quarantine_;
  std::vector<RawPage> batch_;
  uint64_t waiting_ = 0;
  uint64_t since_checkpoint_ = 0;
};

}  // namespace

Json ExtractSummary::to_json() const {
  const auto counts = [](const std::map<std::string, int64_t>& map) {
    Json json = Json::object();
    for (const auto& [key, value] : map) {
      json[key] = value;
    }
    return json;
  };
  return {{"pages", pages},           {"empty", empty},
          {"quarantined", quarantined}, {"skipped", counts(skipped)},
          {"bytes", bytes},           {"text_bytes", text_bytes},
          {"languages", counts(languages)}, {"encodings", counts(encodings)}};
}

ExtractSummary extract_pages(const ExtractOptions& options, base::Context& context) {
  if (options.out.empty()) {
    throw Error(Code::kInvalid, "--out is missing: the file for the documents");
  }
  try {
    return Extraction(options, context).run();
  } catch (const fs::filesystem_error& error) {
    throw Error(Code::kFailure, error.what());
  }
}

}  // namespace slipway::data
