#include "data/warc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>
#include <zlib.h>

#include "data/zstd_stream.h"

namespace slipway::data {
namespace {

constexpr size_t kPiece = size_t{64} << 10;  // unpacked at a time
constexpr std::string_view kMember = "\x1f\x8b\x08";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

bool all_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "URL IP DATE TYPE LENGTH"; a URL may hold blanks.
struct ArcLine {
  std::string_view url, address, date, type, length;
};

bool parse_arc_line(std::string_view line, ArcLine& out) noexcept {
  std::string_view rest = trimmed(line);
  const auto last = [&rest](std::string_view& field) {
    const size_t blank = rest.rfind(' ');
    if (blank == std::string_view::npos) {
      return false;
    }
    field = rest.substr(blank + 1);
    rest = trimmed(rest.substr(0, blank));
    return !field.empty();
  };
  if (!last(out.length) || !last(out.type) || !last(out.date) || !last(out.address)) {
    return false;
  }
  out.url = rest;
  return out.url.find(':') != std::string_view::npos && out.date.size() >= 8 && all_digits(out.date);
}

// "20140216050221" as WARC-Date says it; other forms as they are.
std::string arc_date(std::string_view date) {
  if (date.size() < 14) {
    return std::string(date);
  }
  return fmt::format("{}-{}-{}T{}:{}:{}Z", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2), date.substr(8, 2),
                     date.substr(10, 2), date.substr(12, 2));
}

bool begins_record(std::string_view text) noexcept {
  if (text.starts_with("WARC/")) {
    return true;
  }
  ArcLine line;
  return (text.starts_with("filedesc:") || text.starts_with("http")) && parse_arc_line(text.substr(0, text.find('\n')), line);
}

// The first bytes that the gzip member at the beginning of `raw` unpacks to, none when it is not one.
std::string unpack_head(std::string_view raw, size_t capacity) {
  std::string out(capacity, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
    throw std::bad_alloc();
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));  // NOLINT: zlib does not write there
  stream.avail_in = static_cast<uInt>(std::min<size_t>(raw.size(), kPiece));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT: zlib's type for bytes
  stream.avail_out = static_cast<uInt>(capacity);
  inflate(&stream, Z_SYNC_FLUSH);
  out.resize(capacity - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

}  // namespace

struct WarcReader::Damage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The unpacked bytes as a window that moves over them. In a plain file it is the file itself.
class WarcReader::Bytes {
 public:
  explicit Bytes(std::string_view raw) : raw_(raw), packed_(raw.starts_with(kMember.substr(0, 2))) {
    if (packed_ && inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) {
      throw std::bad_alloc();
    }
    if (ZstdStream::begins(raw)) {
      zstd_ = std::make_unique<ZstdStream>(raw);
    }
  }
  ~Bytes() {
    if (packed_) {
      inflateEnd(&stream_);
    }
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  std::string_view window() const noexcept {
    return buffered() ? std::string_view(buffer_).substr(begin_) : raw_.substr(at_);
  }
  void consume(size_t n) noexcept { (buffered() ? begin_ : at_) += n; }
  // More in the window, if only a byte; false when the file ends. Throws Damage. Invalidates views of the window.
  bool more() { return zstd_ ? unpack_zstd() : packed_ && unpack(); }
  void more_of_member() {
    if (packed_ && open_) {
      unpack();
    }
  }
  bool need(size_t n) {
    while (window().size() < n) {
      if (!more()) {
        return false;
      }
    }
    return true;
  }
  bool at_end() noexcept { return window().empty() && raw_at() == raw_.size(); }
  // The window is at the beginning of a member, or is empty between two. Of zstd as a whole: in the unpacked bytes.
  uint64_t record_offset() const noexcept {
    return zstd_ ? dropped_ + begin_ : !packed_ ? at_ : begin_ == buffer_.size() && !open_ ? at_ : member_;
  }
  uint64_t raw_at() const noexcept { return zstd_ ? zstd_->consumed() : at_; }
  // Where a record that began at `offset` ends in the file: reading ahead may have come into the next member.
  uint64_t record_end(uint64_t offset) const noexcept {
    return zstd_ ? record_offset() : std::max<uint64_t>(offset, packed_ && member_ > offset ? member_ : at_);
  }
  // Is the whole of a file that is not packed known to have fewer bytes left, and among these another record?
  bool lies_before_record(uint64_t size) const noexcept {
    const std::string_view rest = window();
    return !buffered() && size > rest.size() && rest.find("\nWARC/") != std::string_view::npos;
  }
  // Where before byte `n` of the window a later gzip member begins with a record: what is told to lie there is a lie. npos: nowhere.
  // Looked for again whenever more was unpacked, so that no more than one such member is ever in the window.
  size_t record_before(size_t n) {
    const uint64_t begin = dropped_ + begin_;
    std::erase_if(starts_, [&](uint64_t start) { return start < begin; });
    for (const uint64_t start : starts_) {
      const auto at = static_cast<size_t>(start - begin);
      if (at >= n) {
        break;
      }
      if (begins_record(window().substr(at, 4096))) {
        return at;
      }
    }
    return std::string_view::npos;
  }
  // Forgets the bytes before the window.
  void shrink() {
    if (buffered()) {
      buffer_.erase(0, begin_);
      dropped_ += std::exchange(begin_, 0);
    }
  }
  // The same from where the window is.
  void find_record() {
    if (zstd_) {
      find_in_stream();
    } else if (!packed_) {
      find_plain(at_);
    } else {
      find_record_after(member_);
    }
  }
  // Goes to the next place after `offset` (the beginning of a record) where a record begins, or to the end.
  void find_record_after(uint64_t offset) {
    if (zstd_) {
      find_in_stream();
      return;
    }
    if (!packed_) {
      find_plain(offset + 1);
      return;
    }
    if ((open_ || begin_ < buffer_.size()) && offset == member_ && find_in_window()) {
      return;
    }
    buffer_.clear();
    begin_ = 0;
    starts_.clear();
    open_ = false;
    size_t from = std::max<uint64_t>(offset + 1, member_ + 1);
    for (; (from = raw_.find(kMember, from)) != std::string_view::npos; ++from) {
      const bool plausible = from + 3 < raw_.size() && (static_cast<unsigned char>(raw_[from + 3]) & 0xE0U) == 0;  // RFC 1952: zero
      if (plausible && begins_record(unpack_head(raw_.substr(from), 4096))) {
        at_ = from;
        return;
      }
    }
    at_ = raw_.size();
  }

 private:
  bool buffered() const noexcept { return packed_ || zstd_ != nullptr; }

  bool unpack_zstd() {
    if (begin_ > 0 && begin_ >= buffer_.size() / 2) {
      shrink();
    }
    const size_t before = buffer_.size();
    for (;;) {
      switch (zstd_->append(kPiece, buffer_)) {
        case ZstdStream::Step::kEnd: return false;
        case ZstdStream::Step::kDamaged:
          buffer_ += '\n';  // the next frame begins a line, and so perhaps a record
          throw Damage(zstd_->damage());
        case ZstdStream::Step::kMore: break;
      }
      if (buffer_.size() > before) {
        return true;
      }
    }
  }

  // Goes to the next line that begins a record, or to the next frame behind damage, or to the end.
  void find_in_stream() {
    if (!find_in_window()) {
      begin_ = buffer_.size();
      shrink();
    }
  }

  bool unpack() {
    if (!open_) {
      // What some writers leave between members, or at the end.
      while (at_ < raw_.size() && (raw_[at_] == '\0' || raw_[at_] == '\n' || raw_[at_] == '\r')) {
        ++at_;
      }
      if (at_ == raw_.size()) {
        return false;
      }
      if (!raw_.substr(at_).starts_with(kMember.substr(0, 2))) {
        member_ = at_;
        throw Damage(fmt::format("byte {} of the file should begin a gzip member and does not", at_));
      }
      inflateReset(&stream_);
      member_ = at_;
      open_ = true;
      starts_.push_back(dropped_ + buffer_.size());
    }
    if (begin_ > 0 && begin_ >= buffer_.size() / 2) {
      shrink();
    }
    const size_t before = buffer_.size();
    buffer_.resize(before + kPiece);
    const auto wanted = static_cast<uInt>(std::min<size_t>(raw_.size() - at_, 1U << 30));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw_.data() + at_));  // NOLINT: zlib does not write there
    stream_.avail_in = wanted;
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data() + before);  // NOLINT: zlib's type for bytes
    stream_.avail_out = static_cast<uInt>(kPiece);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    at_ += wanted - stream_.avail_in;
    buffer_.resize(before + kPiece - stream_.avail_out);
    if (result == Z_STREAM_END) {
      open_ = false;
    } else if (result != Z_OK && buffer_.size() == before) {
      open_ = false;
      throw Damage(at_ == raw_.size() && result == Z_BUF_ERROR
                       ? "the file ends in the middle of a gzip member"
                       : fmt::format("the gzip member at byte {} is damaged ({})", member_,
                                     stream_.msg != nullptr ? stream_.msg : "no valid data"));
    }
    return true;
  }

  void find_plain(size_t from) {
    for (size_t line = from; (line = raw_.find('\n', line)) != std::string_view::npos; ++line) {
      if (begins_record(raw_.substr(line + 1, 4096))) {
        at_ = line + 1;
        return;
      }
    }
    at_ = raw_.size();
  }

  // Records follow each other in one member: the next may be in what is unpacked of it, or further on in it.
  bool find_in_window() {
    try {
      do {
        const std::string_view seen = window();
        for (size_t line = 0; (line = seen.find('\n', line)) != std::string_view::npos; ++line) {
          if (begins_record(seen.substr(line + 1, 4096))) {
            consume(line + 1);
            return true;
          }
        }
        consume(seen.size() - std::min<size_t>(seen.size(), 4096));
      } while (zstd_ ? unpack_zstd() : open_ && unpack());
    } catch (const Damage&) {
    }
    return false;
  }

  const std::string_view raw_;
  const bool packed_;
  size_t at_ = 0;  // in raw_
  std::string buffer_;
  size_t begin_ = 0;
  size_t member_ = 0;
  std::vector<uint64_t> starts_;  // of members of which something is in buffer_: in all that was unpacked
  bool open_ = false;
  z_stream stream_{};
  std::unique_ptr<ZstdStream> zstd_;  // null: plain or gzip
  uint64_t dropped_ = 0;              // unpacked bytes before buffer_
};

std::string_view WarcRecord::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) {
      return value;
    }
  }
  return {};
}

std::string_view WarcRecord::url() const noexcept {
  std::string_view url = header("WARC-Target-URI");
  if (url.size() >= 2 && url.front() == '<' && url.back() == '>') {
    url = url.substr(1, url.size() - 2);
  }
  return url;
}

WarcReader::WarcReader(std::string_view file, WarcLimits limits) : bytes_(std::make_unique<Bytes>(file)), limits_(limits) {}
WarcReader::~WarcReader() = default;

uint64_t WarcReader::consumed() const noexcept { return bytes_->raw_at(); }

bool WarcReader::next(WarcRecord& record) {
  record.version.clear();
  record.headers.clear();
  record.block = {};
  record.fault.clear();
  if (std::exchange(lost_, false)) {
    bytes_->find_record();
  }
  bytes_->shrink();
  record.offset = bytes_->record_offset();
  try {
    // Empty lines end the record before.
    while (bytes_->need(1)) {
      const char c = bytes_->window().front();
      if (c != '\r' && c != '\n') {
        break;
      }
      bytes_->consume(1);
      record.offset = bytes_->record_offset();
    }
    if (bytes_->at_end()) {
      return false;
    }
    record.offset = bytes_->record_offset();
    read_record(record);
  } catch (const Damage& damage) {
    record.fault = damage.what();
    bytes_->find_record_after(record.offset);
  }
  record.length = bytes_->record_end(record.offset) - record.offset;
  return true;
}

// The next line without its end; false at the end of the file. `budget` is what the headers may still take.
bool WarcReader::take_line(std::string& line, size_t& budget) {
  size_t searched = 0;
  while (true) {
    const std::string_view window = bytes_->window();
    const size_t end = window.substr(0, budget + 1).find('\n', searched);
    if (end != std::string_view::npos) {
      line.assign(window.substr(0, end));
      while (line.ends_with('\r')) {
        line.pop_back();
      }
      bytes_->consume(end + 1);
      budget -= std::min(budget, end + 1);
      return true;
    }
    if (window.size() > budget) {
      throw Damage(fmt::format("headers longer than the limit of {} bytes", limits_.max_header_bytes));
    }
    searched = window.size();
    if (!bytes_->more()) {
      line.assign(window);
      bytes_->consume(window.size());
      return !line.empty();
    }
  }
}

void WarcReader::read_record(WarcRecord& record) {
  size_t budget = limits_.max_header_bytes;
  take_line(line_, budget);
  const std::string first = line_;
  if (first.starts_with("WARC/")) {
    record.version = first;
    while (take_line(line_, budget) && !line_.empty()) {
      if ((line_.front() == ' ' || line_.front() == '\t') && !record.headers.empty()) {
        record.headers.back().second += ' ';
        record.headers.back().second += trimmed(line_);
        continue;
      }
      const size_t colon = line_.find(':');
      if (colon == std::string::npos) {
        record.fault = fmt::format("a header without a colon: '{}'", line_.substr(0, 64));
        continue;
      }
      record.headers.emplace_back(trimmed(std::string_view(line_).substr(0, colon)),
                                  trimmed(std::string_view(line_).substr(colon + 1)));
    }
  } else {
    read_arc_headers(first, record);
  }
  const std::string_view length = record.header("Content-Length");
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), size);
  if (length.empty() || error != std::errc() || end != length.data() + length.size()) {
    throw Damage(fmt::format("the Content-Length is '{}'", length.substr(0, 32)));
  }
  read_block(record, size);
}

void WarcReader::read_arc_headers(std::string_view first_line, WarcRecord& record) {
  ArcLine arc;
  if (!parse_arc_line(first_line, arc)) {
    throw Damage("neither a WARC nor an ARC record begins here");
  }
  record.version = "ARC/1.0";
  const bool description = arc.url.starts_with("filedesc:");
  record.headers = {{"WARC-Type", description ? "warcinfo" : "response"},
                    {"WARC-Target-URI", std::string(arc.url)},
                    {"WARC-IP-Address", std::string(arc.address)},
                    {"WARC-Date", arc_date(arc.date)},
                    {"Content-Type", std::string(arc.type)},
                    {"Content-Length", std::string(arc.length)}};
}

void WarcReader::read_block(WarcRecord& record, uint64_t size) {
  if (bytes_->lies_before_record(size)) {
    throw Damage(fmt::format("a block of {} bytes where the file has {}, with other records", size, bytes_->window().size()));
  }
  if (size > limits_.max_block_bytes) {
    record.fault = fmt::format("a block of {} bytes; the limit is {}", size, limits_.max_block_bytes);
    for (uint64_t left = size; left > 0;) {
      if (!bytes_->need(1) || bytes_->record_before(1) == 0) {
        record.fault += fmt::format(", and {} ends {} bytes before its end", bytes_->at_end() ? "the file" : "its gzip member", left);
        return;
      }
      size_t n = static_cast<size_t>(std::min<uint64_t>(left, bytes_->window().size()));
      n = std::min(n, bytes_->record_before(n));
      bytes_->consume(n);
      left -= n;
    }
    return;
  }
  try {
    // With the empty lines behind it and the end of its member, so that nothing below moves the window.
    while (bytes_->window().size() < size + 4 && bytes_->record_before(size) == std::string_view::npos && bytes_->more()) {
    }
    if (bytes_->window().size() == size + 4) {
      bytes_->more_of_member();
    }
  } catch (const Damage& damage) {
    record.fault = damage.what();
  }
  if (const size_t end = bytes_->record_before(size); end != std::string_view::npos) {
    record.fault = fmt::format("a block of {} bytes where its gzip member has {}", size, end);
    record.block = bytes_->window().substr(0, end);
    bytes_->consume(end);
    return;
  }
  const std::string_view window = bytes_->window();
  record.block = window.substr(0, size);
  bytes_->consume(record.block.size());
  if (record.block.size() < size) {
    if (record.fault.empty()) {
      record.fault = fmt::format("the file ends after {} of {} bytes of the block", record.block.size(), size);
    }
    return;
  }
  const std::string_view rest = window.substr(size);
  const bool arc = record.version.starts_with("ARC");
  if (rest.starts_with("\r\n\r\n")) {
    bytes_->consume(4);
  } else if (!rest.empty() && !rest.starts_with('\n') && !begins_record(rest) &&
             !(rest.starts_with("\r\n") && (arc || rest.size() == 2))) {
    record.fault = "the block goes on after the Content-Length that is told of it";
    lost_ = true;  // the next call looks for its end: now the block is a view of what would move
  }
}

bool looks_like_warc(std::string_view head) {
  return begins_record(head.starts_with(kMember) ? std::string_view(unpack_head(head, 4096)) : head);
}

}  // namespace slipway::data
