#include "data/spill.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kMagic = "SLIPREC1";
constexpr size_t kHeaderBytes = 24;

}  // namespace

RecordFileWriter::RecordFileWriter(const std::filesystem::path& path, uint32_t record_bytes)
    : file_(path), record_bytes_(record_bytes) {
  file_.write(std::string(kHeaderBytes, '\0'));
}

void RecordFileWriter::write(const void* records, size_t count) {
  file_.write({static_cast<const char*>(records), count * record_bytes_});
  count_ += count;
}

void RecordFileWriter::commit() {
  std::array<char, kHeaderBytes> header{};
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.data() + 8, &record_bytes_, sizeof(record_bytes_));
  std::memcpy(header.data() + 16, &count_, sizeof(count_));
  file_.write_at(0, {header.data(), header.size()});
  file_.commit();
}

RecordFileReader::RecordFileReader(const std::filesystem::path& path, uint32_t record_bytes)
    : path_(path), record_bytes_(record_bytes) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) {
    throw Error(Code::kNotFound, fmt::format("cannot open '{}': {}", path.string(), error.message()));
  }
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    throw Error(Code::kFailure, fmt::format("cannot open '{}': {}", path.string(), base::errno_text(errno)));
  }
  std::array<char, kHeaderBytes> header{};
  uint32_t stored_bytes = 0;
  const bool whole = ::pread(fd_, header.data(), header.size(), 0) == static_cast<ssize_t>(kHeaderBytes);
  std::memcpy(&stored_bytes, header.data() + 8, sizeof(stored_bytes));
  std::memcpy(&count_, header.data() + 16, sizeof(count_));
  // Divided, not multiplied: a count from a damaged file may be anything.
  const bool fits = whole && std::string_view(header.data(), kMagic.size()) == kMagic && stored_bytes == record_bytes &&
                    (size - kHeaderBytes) % record_bytes == 0 && (size - kHeaderBytes) / record_bytes == count_;
  if (!fits) {
    ::close(fd_);
    fd_ = -1;
    throw Error(Code::kIntegrity,
                fmt::format("'{}' is no whole file of records of {} bytes; remove the folder it is in and start again",
                            path.string(), record_bytes));
  }
}

RecordFileReader::~RecordFileReader() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

RecordFileReader::RecordFileReader(RecordFileReader&& other) noexcept
    : path_(std::move(other.path_)), fd_(other.fd_), record_bytes_(other.record_bytes_), count_(other.count_),
      at_(other.at_) {
  other.fd_ = -1;
}

size_t RecordFileReader::pread_records(void* out, uint64_t index, size_t count) const {
  const size_t wanted = count * record_bytes_;
  size_t done = 0;
  while (done < wanted) {
    const ssize_t got = ::pread(fd_, static_cast<char*>(out) + done, wanted - done,
                                static_cast<off_t>(kHeaderBytes + index * record_bytes_ + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      throw Error(Code::kFailure, fmt::format("cannot read '{}': {}", path_.string(),
                                              got < 0 ? base::errno_text(errno) : "it became shorter"));
    }
    done += static_cast<size_t>(got);
  }
  return count;
}

size_t RecordFileReader::read(void* out, size_t capacity) {
  const auto count = static_cast<size_t>(std::min<uint64_t>(capacity, count_ - at_));
  pread_records(out, at_, count);
  at_ += count;
  return count;
}

void RecordFileReader::read_at(uint64_t index, void* out) const {
  SLIPWAY_CHECK(index < count_);
  pread_records(out, index, 1);
}

}  // namespace slipway::data
