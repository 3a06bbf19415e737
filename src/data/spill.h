// Sorting more than memory holds: records go into a buffer of bounded size, sorted runs of them into files, and a merge of
// the runs comes out. Every method of deduplication stands on it. Runs are files of their own name, written under a
// temporary name and renamed, so that after a kill -9 those that are there are whole (on disk: docs/formats/dedup.md).
// Records are plain values with a total order by operator<; what comes out depends on what went in, never on the buffer's
// size, on threads or on how often a run was interrupted. One thread at a time; sorting uses the pool.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/file.h"
#include "base/pool.h"

namespace slipway::data {

// Where and how much: the folder is made when it is first written to.
struct SpillSpace {
  std::filesystem::path folder;
  uint64_t memory_bytes = uint64_t{1} << 30U;  // of all buffers that are alive at one time, roughly
  base::Pool* pool = nullptr;

  // A share of the memory, and at least enough to go on.
  uint64_t share(uint64_t parts) const noexcept { return std::max<uint64_t>(memory_bytes / parts, uint64_t{1} << 16U); }
};

// Writes a file of fixed-size records: a header of 24 bytes, then the records. Visible after commit() only.
class RecordFileWriter {
 public:
  RecordFileWriter(const std::filesystem::path& path, uint32_t record_bytes);
  void write(const void* records, size_t count);
  uint64_t count() const noexcept { return count_; }
  void commit();

 private:
  base::AtomicFile file_;
  uint32_t record_bytes_;
  uint64_t count_ = 0;
};

// Reads one. Throws Error(kIntegrity) when the header, the record's size or the file's length do not fit.
class RecordFileReader {
 public:
  RecordFileReader(const std::filesystem::path& path, uint32_t record_bytes);
  ~RecordFileReader();
  RecordFileReader(RecordFileReader&& other) noexcept;
  RecordFileReader& operator=(RecordFileReader&&) = delete;
  uint64_t count() const noexcept { return count_; }
  // Up to `capacity` records into `out`; 0 at the end.
  size_t read(void* out, size_t capacity);
  // One record by its index < count().
  void read_at(uint64_t index, void* out) const;
  void seek(uint64_t index) noexcept { at_ = index; }

 private:
  size_t pread_records(void* out, uint64_t index, size_t count) const;
  std::filesystem::path path_;
  int fd_ = -1;
  uint32_t record_bytes_;
  uint64_t count_ = 0;
  uint64_t at_ = 0;
};

// A row of records in order; buffers of one file, or of a part of memory.
template <class Record>
class RecordCursor {
 public:
  static_assert(std::is_trivially_copyable_v<Record>);
  explicit RecordCursor(const std::filesystem::path& path, size_t buffer_bytes = size_t{1} << 18U)
      : reader_(std::make_unique<RecordFileReader>(path, sizeof(Record))),
        buffer_(std::max<size_t>(buffer_bytes / sizeof(Record), 16)) {
    refill();
  }
  // [begin, end) of records in memory.
  RecordCursor(std::shared_ptr<std::vector<Record>> records, size_t begin, size_t end)
      : memory_(std::move(records)), at_(begin), end_(end) {}

  // The record at hand, nullptr at the end; valid until the next advance.
  const Record* peek() const noexcept { return at_ < end_ ? (memory_ == nullptr ? &buffer_[at_] : &(*memory_)[at_]) : nullptr; }
  void advance() {
    if (++at_ == end_ && reader_ != nullptr) {
      refill();
    }
  }

 private:
  void refill() {
    at_ = 0;
    end_ = reader_->read(buffer_.data(), buffer_.size());
  }
  std::unique_ptr<RecordFileReader> reader_;
  std::shared_ptr<std::vector<Record>> memory_;  // of all parts of one buffer
  std::vector<Record> buffer_;
  size_t at_ = 0;
  size_t end_ = 0;
};

// The merge of several rows: the smallest first, of equal ones that of the earlier row.
template <class Record>
class SortedStream {
 public:
  SortedStream() = default;
  explicit SortedStream(std::vector<RecordCursor<Record>> cursors) : cursors_(std::move(cursors)) {
    for (size_t i = 0; i < cursors_.size(); ++i) {
      if (cursors_[i].peek() != nullptr) {
        heap_.push_back(i);
      }
    }
    std::make_heap(heap_.begin(), heap_.end(), Later{this});
  }
  const Record* peek() const noexcept { return heap_.empty() ? nullptr : cursors_[heap_.front()].peek(); }
  bool next(Record& out) {
    if (heap_.empty()) {
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), Later{this});
    RecordCursor<Record>& cursor = cursors_[heap_.back()];
    out = *cursor.peek();
    cursor.advance();
    if (cursor.peek() == nullptr) {
      heap_.pop_back();
    } else {
      std::push_heap(heap_.begin(), heap_.end(), Later{this});
    }
    return true;
  }
  // The same without repeats: records equal to the one before are passed over.
  bool next_distinct(Record& out) {
    if (!next(out)) {
      return false;
    }
    while (peek() != nullptr && !(out < *peek())) {
      Record skipped;
      next(skipped);
    }
    return true;
  }

 private:
  struct Later {
    const SortedStream* stream;
    bool operator()(size_t a, size_t b) const {
      const Record& x = *stream->cursors_[a].peek();
      const Record& y = *stream->cursors_[b].peek();
      return y < x || (!(x < y) && b < a);
    }
  };
  std::vector<RecordCursor<Record>> cursors_;
  std::vector<size_t> heap_;
};

template <class Record>
class ExternalSorter {
 public:
  // Runs are named `name`-00000.run, …; `memory_bytes` bounds the buffer, and the buffers of the merge.
  ExternalSorter(const SpillSpace& space, std::string name, uint64_t memory_bytes)
      : space_(space), name_(std::move(name)), capacity_(std::max<uint64_t>(memory_bytes / sizeof(Record), 64)),
        memory_bytes_(memory_bytes) {}

  void add(const Record& record) {
    if (buffer_.size() == capacity_) {
      spill();
    }
    if (buffer_.size() == buffer_.capacity()) {  // doubling would pass the bound
      buffer_.reserve(std::min<uint64_t>(capacity_, std::max<uint64_t>(1024, buffer_.size() * 2)));
    }
    buffer_.push_back(record);
    ++count_;
  }
  // Takes over a run that an earlier process wrote; further runs are numbered behind it.
  void adopt(std::filesystem::path run) {
    runs_.push_back(std::move(run));
    next_run_ = runs_.size();
  }

  uint64_t count() const noexcept { return count_; }
  const std::vector<std::filesystem::path>& runs() const noexcept { return runs_; }
  bool empty_buffer() const noexcept { return buffer_.empty(); }
  uint64_t buffered_bytes() const noexcept { return buffer_.size() * sizeof(Record); }
  bool nearly_full() const noexcept { return buffer_.size() >= capacity_ - capacity_ / 8; }

  // Writes what is in memory as one more run.
  void spill() {
    if (buffer_.empty()) {
      return;
    }
    SortedStream<Record> sorted = sort_buffer();
    runs_.push_back(write(sorted));
  }

  // Ends adding: everything in order. The runs stay until remove_runs().
  SortedStream<Record> finish() {
    if (runs_.empty()) {
      return sort_buffer();
    }
    spill();
    std::vector<Record>().swap(buffer_);
    constexpr uint64_t kCursorBytes = uint64_t{1} << 16U;
    const auto fan_in = static_cast<size_t>(std::clamp<uint64_t>(memory_bytes_ / kCursorBytes, 4, 256));
    while (runs_.size() > fan_in) {
      std::vector<std::filesystem::path> merged;
      for (size_t i = 0; i < runs_.size(); i += fan_in) {
        const std::vector<std::filesystem::path> group(
            runs_.begin() + static_cast<std::ptrdiff_t>(i),
            runs_.begin() + static_cast<std::ptrdiff_t>(std::min(runs_.size(), i + fan_in)));
        SortedStream<Record> stream = open(group, kCursorBytes);
        merged.push_back(write(stream));
        for (const auto& run : group) {
          consumed_.push_back(run);
        }
      }
      runs_ = std::move(merged);
    }
    return open(runs_, std::min<uint64_t>(memory_bytes_ / runs_.size(), uint64_t{1} << 20U));
  }

  void remove_runs() noexcept {
    std::error_code ignored;
    for (const auto& list : {runs_, consumed_}) {
      for (const auto& run : list) {
        std::filesystem::remove(run, ignored);
      }
    }
    runs_.clear();
    consumed_.clear();
  }

 private:
  // The buffer's parts are sorted side by side and merged as they are read; equal records are alike, so that where the
  // parts begin is not seen.
  SortedStream<Record> sort_buffer() {
    const auto parts = static_cast<size_t>(buffer_.size() < 4096 ? 1 : space_.pool->size());
    const size_t size = buffer_.size() / parts + 1;
    space_.pool->parallel_for(static_cast<int64_t>(parts), [&](int64_t i) {
      const auto begin = static_cast<std::ptrdiff_t>(std::min(buffer_.size(), static_cast<size_t>(i) * size));
      const auto end = static_cast<std::ptrdiff_t>(std::min(buffer_.size(), static_cast<size_t>(i + 1) * size));
      std::sort(buffer_.begin() + begin, buffer_.begin() + end);
    });
    const auto shared = std::make_shared<std::vector<Record>>(std::move(buffer_));
    buffer_ = {};
    std::vector<RecordCursor<Record>> cursors;
    for (size_t i = 0; i < parts; ++i) {
      cursors.emplace_back(shared, std::min(shared->size(), i * size), std::min(shared->size(), (i + 1) * size));
    }
    return SortedStream<Record>(std::move(cursors));
  }

  std::filesystem::path write(SortedStream<Record>& stream) {
    base::make_dirs(space_.folder);
    std::string number = std::to_string(next_run_++);
    number.insert(0, number.size() < 5 ? 5 - number.size() : 0, '0');
    std::filesystem::path path = space_.folder / (name_ + "-" + number + ".run");
    RecordFileWriter writer(path, sizeof(Record));
    Record record;
    while (stream.next(record)) {
      writer.write(&record, 1);
    }
    writer.commit();
    return path;
  }
  static SortedStream<Record> open(const std::vector<std::filesystem::path>& runs, uint64_t buffer_bytes) {
    std::vector<RecordCursor<Record>> cursors;
    for (const auto& run : runs) {
      cursors.emplace_back(run, buffer_bytes);
    }
    return SortedStream<Record>(std::move(cursors));
  }

  SpillSpace space_;
  std::string name_;
  uint64_t capacity_;
  uint64_t memory_bytes_;
  std::vector<Record> buffer_;
  std::vector<std::filesystem::path> runs_;
  std::vector<std::filesystem::path> consumed_;
  uint64_t count_ = 0;
  size_t next_run_ = 0;
};

}  // namespace slipway::data
