#include "store/bundles.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "store/blobs.h"
#include "store/digest_bytes.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr std::string_view kMagic = "SLWYBND1";
constexpr size_t kDigest = kDigestBytes;
constexpr size_t kHeader = 8 + 8 + kDigest;
constexpr size_t kEntry = kDigest + 8 + 4;
constexpr size_t kChecksum = 8;
constexpr size_t kMaxContents = size_t{1} << 20;
constexpr uint64_t kMaxOffset = uint64_t{1} << 62;
constexpr const char* kSuffix = ".index";

// A bundle is one file to sync, and one index to look into; what of it is no longer needed is written anew: not too large.
constexpr uint64_t kBundleBytes = uint64_t{64} << 20;
constexpr size_t kBundleContents = size_t{1} << 16;
constexpr size_t kBufferBytes = size_t{1} << 20;

// Clocks of file systems tick every 10 ms at most; a folder that changed so lately may change once more within the tick.
constexpr int64_t kSettleNs = 100'000'000;

// The first eight bytes of a digest as a number that orders as the bytes do.
uint64_t leading(std::string_view raw) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) {
    number = number << 8 | static_cast<unsigned char>(raw[i]);
  }
  return number;
}

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

std::string bundle_index_bytes(const std::string& bundle, std::vector<BundledContent> contents) {
  std::vector<std::pair<std::string, const BundledContent*>> rows;
  rows.reserve(contents.size());
  for (const BundledContent& content : contents) {
    rows.emplace_back(digest_bytes(content.digest), &content);
  }
  std::sort(rows.begin(), rows.end());
  std::string bytes(kMagic);
  bytes.reserve(kHeader + kEntry * rows.size() + kChecksum);
  append<uint64_t>(bytes, rows.size());
  bytes += digest_bytes(bundle);
  for (const auto& [raw, content] : rows) {
    bytes += raw;
    append(bytes, content->offset);
    append(bytes, content->size);
  }
  append(bytes, base::xxh64(bytes));
  static_cast<void>(BundleIndex(bytes, "to be written"));  // nothing is written that would not be read
  return bytes;
}

BundleIndex::BundleIndex(std::string_view bytes, std::string_view name) {
  const auto broken = [&](std::string_view why) {
    return Error(Code::kIntegrity, fmt::format("the index of a bundle '{}' is damaged: {}; restore it from a copy, or put its contents again",
                                               name, why));
  };
  if (bytes.size() < kHeader + kChecksum || !bytes.starts_with(kMagic)) {
    throw broken("it does not begin as one, or is cut off");
  }
  const auto count = number_at<uint64_t>(bytes, kMagic.size());
  if (count > kMaxContents || bytes.size() != kHeader + kEntry * count + kChecksum) {
    throw broken("its length is not what its numbers say");
  }
  if (base::xxh64(bytes.substr(0, bytes.size() - kChecksum)) != number_at<uint64_t>(bytes, bytes.size() - kChecksum)) {
    throw broken("it does not have the checksum at its end");
  }
  bundle_ = digest_text(bytes.substr(kMagic.size() + 8, kDigest));
  count_ = count;
  entries_ = bytes.substr(kHeader, kEntry * count);
  // Buckets by the first bits, about one entry in each: a search looks at little more than it finds.
  const int bits = std::bit_width(count_);
  shift_ = 64 - bits;
  starts_.assign((size_t{1} << bits) + 1, static_cast<uint32_t>(count_));
  size_t bucket = 0;
  for (size_t i = 0; i < count_; ++i) {
    const std::string_view entry = entries_.substr(i * kEntry, kEntry);
    if (i > 0 && entries_.substr((i - 1) * kEntry, kDigest) >= entry.substr(0, kDigest)) {
      throw broken("its digests are not in order, or one is there twice");
    }
    if (number_at<uint32_t>(entry, kDigest + 8) == 0 || number_at<uint64_t>(entry, kDigest) > kMaxOffset) {
      throw broken("a content is empty, or beyond any file");
    }
    for (const uint64_t own = shift_ == 64 ? 0 : leading(entry) >> shift_; bucket <= own; ++bucket) {
      starts_[bucket] = static_cast<uint32_t>(i);
    }
  }
}

BundledContent BundleIndex::at(size_t number) const {
  const std::string_view entry = entries_.substr(number * kEntry, kEntry);
  return {digest_text(entry.substr(0, kDigest)), number_at<uint64_t>(entry, kDigest), number_at<uint32_t>(entry, kDigest + 8)};
}

std::optional<BundledContent> BundleIndex::find(std::string_view raw) const {
  const size_t bucket = shift_ == 64 ? 0 : static_cast<size_t>(leading(raw) >> shift_);
  for (size_t i = starts_[bucket]; i < starts_[bucket + 1]; ++i) {
    if (entries_.substr(i * kEntry, kDigest) == raw) {
      return at(i);
    }
  }
  return std::nullopt;
}

std::optional<BundlePlace> BundleSet::find(const std::string& digest) const {
  if (entries_.empty() || !base::is_digest(digest)) {
    return std::nullopt;
  }
  const std::string raw = digest_bytes(digest);
  for (const auto& entry : entries_) {
    if (const auto content = entry->index.find(raw)) {
      return BundlePlace{entry->index.bundle(), content->offset, content->size};
    }
  }
  return std::nullopt;
}

std::shared_ptr<const BundleSet> Bundles::now() const {
  struct stat info {};
  const bool there = ::stat(folder_.c_str(), &info) == 0;
  const int64_t changed_ns = there ? nanoseconds(info.st_mtim) : 0;
  const std::lock_guard lock(mutex_);
  if (set_ && settled_ && changed_ns == changed_ns_) {
    return set_;
  }
  timespec clock{};
  ::clock_gettime(CLOCK_REALTIME, &clock);
  auto set = std::make_shared<BundleSet>();
  std::vector<fs::path> files;
  std::error_code gone;
  for (fs::directory_iterator it(folder_, gone), end; !gone && it != end; it.increment(gone)) {
    if (it->path().extension() == kSuffix) {
      files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    struct stat now {};
    if (::stat(file.c_str(), &now) != 0) {
      continue;  // it was collected since
    }
    if (set_) {
      const auto known = std::find_if(set_->entries_.begin(), set_->entries_.end(), [&](const auto& entry) {
        return entry->path == file && entry->inode == now.st_ino && entry->changed_ns == nanoseconds(now.st_ctim);
      });
      if (known != set_->entries_.end()) {
        set->entries_.push_back(*known);
        continue;
      }
    }
    try {
      base::MappedFile map(file);
      BundleIndex index(map.bytes(), file.string());
      set->entries_.push_back(std::make_shared<BundleSet::Entry>(
          BundleSet::Entry{file, now.st_ino, nanoseconds(now.st_ctim), std::move(map), std::move(index)}));
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) {  // else it was collected since
        set->damaged_.push_back({file, error.what()});
      }
    }
  }
  set_ = std::move(set);
  changed_ns_ = changed_ns;
  settled_ = changed_ns + kSettleNs <= nanoseconds(clock);
  return set_;
}

void Bundles::add(const std::string& bundle, std::vector<BundledContent> contents) const {
  // Named by its own bytes, for one bundle may be cut in two ways.
  const std::string bytes = bundle_index_bytes(bundle, std::move(contents));
  const fs::path place = folder_ / (base::sha256_hex(bytes) + kSuffix);
  const Temporary temporary(blobs_, "up");
  temporary.write(bytes);
  temporary.seal();
  if (!fs::exists(folder_)) {
    base::make_dirs(folder_);
    base::sync_dir(blobs_);
  }
  if (::rename(temporary.path().c_str(), place.c_str()) != 0) {
    fail_file("keep", place, errno);
  }
  base::sync_dir(folder_);
}

void Bundles::remove(const std::string& bundle) const {
  for (const auto& entry : now()->entries()) {
    std::error_code gone;
    if (entry->index.bundle() == bundle && (fs::remove(entry->path, gone), gone)) {
      fail_file("remove", entry->path, gone.value());
    }
  }
}

BundleWriter::BundleWriter(const Blobs& blobs) : blobs_(blobs) {}
BundleWriter::~BundleWriter() = default;

void BundleWriter::add(const Blob& blob, std::string bytes) {
  if (!there_.insert(blob.digest).second) {
    return;
  }
  if (writer_) {
    append(blob, bytes);
    return;
  }
  few_.emplace_back(blob, std::move(bytes));
  if (few_.size() == kLeastContents) {
    writer_ = std::make_unique<BlobWriter>(blobs_, Lasting::kNo);
    for (const auto& [one, content] : std::exchange(few_, {})) {
      append(one, content);
    }
  }
}

void BundleWriter::append(const Blob& blob, std::string_view bytes) {
  contents_.push_back({blob.digest, size_, static_cast<uint32_t>(bytes.size())});
  size_ += bytes.size();
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) {
    writer_->write(buffer_);
    buffer_.clear();
  }
  if (size_ >= kBundleBytes || contents_.size() == kBundleContents) {
    keep_bundle();
  }
}

void BundleWriter::keep_bundle() {
  writer_->write(buffer_);
  const Blob bundle = writer_->commit();  // on the disk before an index names it
  blobs_.add_bundle(bundle.digest, std::exchange(contents_, {}));
  writer_.reset();
  buffer_.clear();
  size_ = 0;
  there_.clear();
}

void BundleWriter::finish() {
  if (writer_) {
    keep_bundle();
  }
  for (const auto& [blob, bytes] : std::exchange(few_, {})) {
    BlobWriter alone(blobs_, Lasting::kNo);  // whole, though it may be in a bundle that is to go
    alone.write(bytes);
    static_cast<void>(alone.commit());
  }
  there_.clear();
}

}  // namespace slipway::store
