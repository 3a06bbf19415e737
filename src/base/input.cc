#include "base/input.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {
namespace {

enum class Kind { kPlain, kZstd, kGzip };

}  // namespace

struct Input::State {
  std::filesystem::path path;
  int fd = -1;
  Kind kind = Kind::kPlain;
  std::string raw = std::string(256 << 10, '\0');
  size_t raw_begin = 0;
  size_t raw_end = 0;
  uint64_t consumed = 0;
  bool raw_at_end = false;
  ZSTD_DStream* zstd = nullptr;
  z_stream gzip{};
  bool frame_open = false;  // inside a compressed frame: the file may not end here

  ~State() {
    if (fd >= 0) {
      ::close(fd);
    }
    ZSTD_freeDStream(zstd);
    if (kind == Kind::kGzip) {
      inflateEnd(&gzip);
    }
  }

  // Refills an empty raw buffer; false at the end of the file.
  bool fill() {
    while (raw_begin == raw_end && !raw_at_end) {
      const ssize_t got = ::read(fd, raw.data(), raw.size());
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        throw Error(Code::kFailure, fmt::format("cannot read '{}': {}", path.string(), errno_text(errno)));
      }
      raw_begin = 0;
      raw_end = static_cast<size_t>(got);
      consumed += raw_end;
      raw_at_end = got == 0;
    }
    return raw_begin < raw_end;
  }

  [[noreturn]] void damaged(const char* what) const {
    throw Error(Code::kIntegrity,
                fmt::format("'{}' is damaged: {} near compressed byte {}", path.string(), what, consumed));
  }

  size_t read_plain(char* buffer, size_t capacity) {
    if (!fill()) {
      return 0;
    }
    const size_t n = std::min(capacity, raw_end - raw_begin);
    std::memcpy(buffer, raw.data() + raw_begin, n);
    raw_begin += n;
    return n;
  }

  size_t read_zstd(char* buffer, size_t capacity) {
    ZSTD_outBuffer out{buffer, capacity, 0};
    while (out.pos == 0) {
      const bool more = fill();
      if (!more && !frame_open) {
        return 0;  // asking the decoder again would start a new frame
      }
      ZSTD_inBuffer in{raw.data() + raw_begin, raw_end - raw_begin, 0};
      const size_t result = ZSTD_decompressStream(zstd, &out, &in);
      if (ZSTD_isError(result) != 0U) {
        damaged(ZSTD_getErrorName(result));
      }
      raw_begin += in.pos;
      frame_open = result != 0;  // 0: a frame is complete and all of it was given out
      if (!more && out.pos == 0 && frame_open) {
        damaged("it ends in the middle of a zstd frame");
      }
    }
    return out.pos;
  }

  size_t read_gzip(char* buffer, size_t capacity) {
    gzip.next_out = reinterpret_cast<Bytef*>(buffer);  // NOLINT: zlib's type for bytes
    gzip.avail_out = static_cast<uInt>(std::min<size_t>(capacity, 1U << 30));
    const uInt wanted = gzip.avail_out;
    while (gzip.avail_out == wanted) {
      if (!fill()) {
        if (frame_open) {
          damaged("it ends in the middle of a gzip member");
        }
        return 0;
      }
      gzip.next_in = reinterpret_cast<Bytef*>(raw.data() + raw_begin);  // NOLINT
      gzip.avail_in = static_cast<uInt>(raw_end - raw_begin);
      const int result = inflate(&gzip, Z_NO_FLUSH);
      raw_begin = raw_end - gzip.avail_in;
      frame_open = true;
      if (result == Z_STREAM_END) {
        frame_open = false;
        inflateReset(&gzip);  // another member may follow
      } else if (result != Z_OK) {
        damaged(gzip.msg != nullptr ? gzip.msg : "not valid gzip data");
      }
    }
    return wanted - gzip.avail_out;
  }
};

Input::Input(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  s.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (s.fd < 0) {
    throw Error(errno == ENOENT ? Code::kNotFound : Code::kFailure,
                fmt::format("cannot open '{}': {}", path.string(), errno_text(errno)));
  }
  s.fill();
  const std::string_view head(s.raw.data(), s.raw_end);
  if (head.starts_with("\x28\xb5\x2f\xfd")) {
    s.kind = Kind::kZstd;
    s.zstd = ZSTD_createDStream();
    ZSTD_initDStream(s.zstd);
  } else if (head.starts_with("\x1f\x8b")) {
    if (inflateInit2(&s.gzip, 16 + MAX_WBITS) != Z_OK) {
      throw Error(Code::kFailure, "cannot start gzip decompression");
    }
    s.kind = Kind::kGzip;
  }
}

Input::~Input() = default;

size_t Input::read(char* buffer, size_t capacity) {
  switch (state_->kind) {
    case Kind::kPlain: return state_->read_plain(buffer, capacity);
    case Kind::kZstd: return state_->read_zstd(buffer, capacity);
    case Kind::kGzip: return state_->read_gzip(buffer, capacity);
  }
  return 0;
}

uint64_t Input::consumed() const noexcept { return state_->consumed; }

LineReader::LineReader(const std::filesystem::path& path, size_t max_line_bytes)
    : input_(path), path_(path), max_line_bytes_(max_line_bytes), buffer_(256 << 10, '\0') {}

bool LineReader::next(std::string_view& line) {
  size_t searched = begin_;
  while (true) {
    const void* found = searched < end_ ? std::memchr(buffer_.data() + searched, '\n', end_ - searched) : nullptr;
    const bool last = found == nullptr && at_end_;
    if (found != nullptr || (last && begin_ < end_)) {
      const size_t stop = found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - buffer_.data()) : end_;
      line = std::string_view(buffer_).substr(begin_, stop - begin_);
      begin_ = found != nullptr ? stop + 1 : end_;
      if (line.ends_with('\r')) {
        line.remove_suffix(1);
      }
      ++line_number_;
      return true;
    }
    if (last) {
      return false;
    }
    searched = end_;
    if (end_ - begin_ > max_line_bytes_) {
      throw Error(Code::kInvalid, fmt::format("'{}' line {}: longer than the limit of {} bytes", path_.string(),
                                              line_number_ + 1, max_line_bytes_));
    }
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      searched -= begin_;
      begin_ = 0;
    }
    if (end_ == buffer_.size()) {
      buffer_.resize(buffer_.size() * 2);
    }
    const size_t got = input_.read(buffer_.data() + end_, buffer_.size() - end_);
    end_ += got;
    at_end_ = got == 0;
  }
}

std::string read_decompressed(const std::filesystem::path& path, size_t max_bytes) {
  Input input(path);
  std::string bytes;
  std::string piece(size_t{1} << 20, '\0');
  while (const size_t got = input.read(piece.data(), piece.size())) {
    if (bytes.size() + got > max_bytes) {
      throw Error(Code::kInvalid, fmt::format("'{}' unpacks to more than the limit of {} bytes", path.string(), max_bytes));
    }
    bytes.append(piece, 0, got);
  }
  return bytes;
}

std::string zstd_compress(std::string_view bytes, int level) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0U) {
    throw Error(Code::kFailure, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
  }
  out.resize(size);
  return out;
}

}  // namespace slipway::base
