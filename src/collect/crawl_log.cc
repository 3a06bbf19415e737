#include "collect/crawl_log.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

namespace slipway::collect {
namespace {

using base::Code;
using base::Error;
constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kMaxLine = size_t{256} << 20;  // 50,000 addresses of a sitemap, escaped, are less

}  // namespace

CrawlLog::CrawlLog(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw Error(Code::kFailure, fmt::format("cannot open '{}': {}", path_.string(), base::errno_text(errno)));
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd_);
    throw Error(Code::kConflict, fmt::format("another crawl writes to '{}'", path_.parent_path().string()));
  }
}

CrawlLog::~CrawlLog() { ::close(fd_); }

void CrawlLog::replay(const std::function<bool(const Json&, uint64_t offset)>& see) {
  std::string buffer;
  uint64_t begin = 0;  // of buffer, in the file
  uint64_t line_number = 0;
  std::optional<Error> damage;  // of the line before: forgiven only at the end
  size_ = 0;
  for (bool more = true; more;) {
    const size_t before = buffer.size();
    buffer.resize(before + kPiece);
    const ssize_t got = ::pread(fd_, buffer.data() + before, kPiece, static_cast<off_t>(begin + before));
    if (got < 0) {
      throw Error(Code::kFailure, fmt::format("cannot read '{}': {}", path_.string(), base::errno_text(errno)));
    }
    buffer.resize(before + static_cast<size_t>(got));
    more = got > 0;
    size_t at = 0;
    for (size_t end = 0; (end = buffer.find('\n', at)) != std::string::npos; at = end + 1) {
      ++line_number;
      if (damage) {
        throw Error(*damage);
      }
      try {
        const std::string where = fmt::format("'{}' line {}", path_.string(), line_number);
        const Json event = base::parse_json(std::string_view(buffer).substr(at, end - at), where, {kMaxLine, 8});
        if (!see(event, begin + at)) {
          more = false;
          break;
        }
        size_ = begin + end + 1;
      } catch (const std::exception& error) {
        damage = Error(Code::kIntegrity, error.what());
      }
    }
    if (buffer.size() - at > kMaxLine) {
      throw Error(Code::kIntegrity, fmt::format("'{}' has a line of more than {} bytes", path_.string(), kMaxLine));
    }
    buffer.erase(0, at);
    begin += at;
  }
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) {
    throw Error(Code::kFailure, fmt::format("cannot write '{}': {}", path_.string(), base::errno_text(errno)));
  }
}

uint64_t CrawlLog::append(const Json& event) {
  const std::string line = base::dump_json(event) + "\n";
  const uint64_t offset = size_;
  for (size_t done = 0; done < line.size();) {
    const ssize_t wrote = ::pwrite(fd_, line.data() + done, line.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno != EINTR) {
      throw Error(Code::kFailure, fmt::format("cannot write '{}': {}", path_.string(), base::errno_text(errno)));
    }
    done += wrote > 0 ? static_cast<size_t>(wrote) : 0;
  }
  size_ += line.size();
  return offset;
}

Json CrawlLog::read(uint64_t offset) const {
  std::string line;
  while (line.find('\n') == std::string::npos && line.size() <= kMaxLine) {
    const size_t before = line.size();
    line.resize(before + (size_t{64} << 10));
    const ssize_t got = ::pread(fd_, line.data() + before, line.size() - before, static_cast<off_t>(offset + before));
    line.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) {
      break;
    }
  }
  return base::parse_json(std::string_view(line).substr(0, line.find('\n')), fmt::format("'{}' byte {}", path_.string(), offset),
                          {kMaxLine, 8});
}

void CrawlLog::sync() {
  if (::fdatasync(fd_) != 0) {
    throw Error(Code::kFailure, fmt::format("cannot write '{}': {}", path_.string(), base::errno_text(errno)));
  }
}

}  // namespace slipway::collect
