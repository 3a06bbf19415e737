#include "track/spool.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr const char* kFormat = "slipway.spool/1";
constexpr size_t kMaxJsonBytes = size_t{16} << 20;
constexpr uint64_t kMinSegmentBytes = uint64_t{64} << 10;
constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 30;

Json read_json(const fs::path& path) {
  Json json = base::parse_json(base::read_file(path, kMaxJsonBytes), path.string());
  if (base::get<std::string>(json, "format", path.string()) != kFormat) {
    throw Error(Code::kInvalid, fmt::format("'{}' was written by another version of Slipway; this one reads {}",
                                            path.string(), kFormat));
  }
  return json;
}

std::atomic_ref<uint64_t> dropped_of(char* map) {
  return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(map + kDroppedOffset));
}

}  // namespace

void write_info(const fs::path& folder, const SpoolInfo& info) {
  base::write_file_atomic(folder / "run.json", base::dump_json_pretty({{"format", kFormat},
                                                                       {"id", info.id},
                                                                       {"tracking_uri", info.tracking_uri},
                                                                       {"experiment", info.experiment},
                                                                       {"name", info.name},
                                                                       {"user", info.user},
                                                                       {"started_ms", info.started_ms},
                                                                       {"tags", info.tags},
                                                                       {"run_id", info.run_id},
                                                                       {"transient", info.transient}}));
}

SpoolInfo read_info(const fs::path& folder) {
  const fs::path path = folder / "run.json";
  const std::string source = path.string();
  const Json json = read_json(path);
  SpoolInfo info;
  info.id = base::get<std::string>(json, "id", source);
  info.tracking_uri = base::get<std::string>(json, "tracking_uri", source);
  info.experiment = base::get<std::string>(json, "experiment", source);
  info.name = base::get<std::string>(json, "name", source);
  info.user = base::get<std::string>(json, "user", source);
  info.started_ms = base::get<int64_t>(json, "started_ms", source);
  info.tags = base::get<std::map<std::string, std::string>>(json, "tags", source);
  info.run_id = base::get<std::string>(json, "run_id", source);
  info.transient = base::get<bool>(json, "transient", source);
  return info;
}

void write_state(const fs::path& folder, const SentState& state) {
  base::write_file_atomic(folder / "sent.json", base::dump_json_pretty({{"format", kFormat},
                                                                        {"run_id", state.run_id},
                                                                        {"artifact_uri", state.artifact_uri},
                                                                        {"segment", state.position.segment},
                                                                        {"offset", state.position.offset},
                                                                        {"sent", state.sent},
                                                                        {"refused", state.refused},
                                                                        {"dropped", state.dropped},
                                                                        {"damaged", state.damaged},
                                                                        {"ended", state.ended},
                                                                        {"error", state.error}}));
}

SentState read_state(const fs::path& folder) {
  SentState state;
  const fs::path path = folder / "sent.json";
  if (!fs::exists(path)) {
    return state;
  }
  const std::string source = path.string();
  const Json json = read_json(path);
  state.run_id = base::get<std::string>(json, "run_id", source);
  state.artifact_uri = base::get<std::string>(json, "artifact_uri", source);
  state.position = {base::get<uint64_t>(json, "segment", source), base::get<uint64_t>(json, "offset", source)};
  state.sent = base::get<uint64_t>(json, "sent", source);
  state.refused = base::get<uint64_t>(json, "refused", source);
  state.dropped = base::get<uint64_t>(json, "dropped", source);
  state.damaged = base::get<uint64_t>(json, "damaged", source);
  state.ended = base::get<bool>(json, "ended", source);
  state.error = base::get<std::string>(json, "error", source);
  if (state.position.offset < kSegmentHeaderBytes || state.position.offset % 8 != 0) {
    throw Error(Code::kInvalid, fmt::format("'{}': {} is not the offset of a frame", source, state.position.offset));
  }
  return state;
}

fs::path segment_path(const fs::path& folder, uint64_t number) { return folder / fmt::format("{:08}.seg", number); }

std::vector<uint64_t> list_segments(const fs::path& folder) {
  std::vector<uint64_t> numbers;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    uint64_t number = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (problem == std::errc() && number > 0 && segment_path(folder, number).filename() == name) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

uint64_t dropped_in_segments(const fs::path& folder, uint64_t end) {
  uint64_t dropped = 0;
  for (const uint64_t number : list_segments(folder)) {
    if (number >= end) {
      break;
    }
    const base::MappedFile file(segment_path(folder, number));
    SegmentHeader header;
    if (parse_segment_header(file.bytes(), header)) {
      dropped += header.dropped;
    }
  }
  return dropped;
}

SpoolWriter::SpoolWriter(fs::path folder, SpoolLimits limits)
    : folder_(std::move(folder)), limits_(limits), spare_path_(folder_ / "spare") {
  if (limits_.segment_bytes < kMinSegmentBytes || limits_.segment_bytes > kMaxSegmentBytes ||
      limits_.segment_bytes % 4096 != 0 || limits_.max_bytes < 2 * limits_.segment_bytes) {
    throw Error(Code::kInvalid, fmt::format("a spool needs segments of {} to {} bytes, a multiple of 4096, and room for two of "
                                            "them; got segments of {} bytes and {} bytes in all",
                                            kMinSegmentBytes, kMaxSegmentBytes, limits_.segment_bytes, limits_.max_bytes));
  }
  const auto there = list_segments(folder_);
  const SentState state = read_state(folder_);
  number_ = std::max(there.empty() ? 0 : there.back(), state.position.segment - 1) + 1;
  oldest_ = there.empty() ? number_ : there.front();
  if (!make_segment(segment_path(folder_, number_), current_)) {
    throw Error(Code::kUnavailable, fmt::format("cannot make '{}' of {} bytes: {}", segment_path(folder_, number_).string(),
                                                limits_.segment_bytes, base::errno_text(errno)));
  }
  write_segment_header(current_.map, number_);
  at_ = kSegmentHeaderBytes;
}

SpoolWriter::~SpoolWriter() {
  for (const int fd : unsynced_) {
    ::close(fd);
  }
  close(current_);
  if (spare_.map != nullptr) {
    close(spare_);
    ::unlink(spare_path_.c_str());
  }
}

// On failure nothing is left, and errno tells.
bool SpoolWriter::make_segment(const fs::path& path, Segment& segment) noexcept {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return false;
  }
  // Blocks of its own: a write to the map of a sparse file on a full disk would be a signal.
  int problem = ::posix_fallocate(fd, 0, static_cast<off_t>(limits_.segment_bytes));
  void* map = MAP_FAILED;
  if (problem == 0) {
    map = ::mmap(nullptr, limits_.segment_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    problem = errno;
  }
  if (map == MAP_FAILED) {
    ::close(fd);
    ::unlink(path.c_str());
    errno = problem;
    return false;
  }
  segment = {fd, static_cast<char*>(map)};
  return true;
}

void SpoolWriter::close(Segment& segment) const noexcept {
  if (segment.map != nullptr) {
    ::munmap(segment.map, limits_.segment_bytes);
    ::close(segment.fd);
    segment = {};
  }
}

// Goes on to the next segment; false when there is no room for one.
bool SpoolWriter::roll(bool last_word) noexcept {
  const uint64_t allowed = limits_.max_bytes / limits_.segment_bytes + (last_word ? 1 : 0);
  if (number_ + 1 - oldest_ >= allowed) {
    return false;
  }
  // A name is put together without allocation: the folder's, which may be long, is left to the C library.
  Segment next = std::exchange(spare_, {});
  try {
    const fs::path path = segment_path(folder_, number_ + 1);
    if (next.map == nullptr ? !make_segment(path, next) : ::rename(spare_path_.c_str(), path.c_str()) != 0) {
      close(next);
      return false;
    }
    unsynced_.push_back(current_.fd);
  } catch (...) {  // out of memory
    close(next);
    return false;
  }
  ++number_;
  ::munmap(current_.map, limits_.segment_bytes);
  current_ = next;
  write_segment_header(current_.map, number_);
  at_ = kSegmentHeaderBytes;
  return true;
}

bool SpoolWriter::fits(size_t payload_bytes) const noexcept {
  return payload_bytes <= limits_.segment_bytes - kSegmentHeaderBytes - kFrameHeaderBytes;
}

bool SpoolWriter::append(const Frame& frame, bool last_word) noexcept {
  const Payload payload = payload_of(frame);
  const size_t need = frame_bytes(payload.size());
  const std::lock_guard lock(mutex_);
  if (at_ + need > limits_.segment_bytes && (!fits(payload.size()) || !roll(last_word))) {
    ++dropped_;
    dropped_of(current_.map).fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  write_frame(current_.map + at_, payload);
  at_ += need;
  ++logged_;
  dirty_ = true;
  return true;
}

Position SpoolWriter::end() const {
  const std::lock_guard lock(mutex_);
  return {number_, at_};
}

uint64_t SpoolWriter::logged() const {
  const std::lock_guard lock(mutex_);
  return logged_;
}

uint64_t SpoolWriter::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void SpoolWriter::forget_before(uint64_t segment) {
  const std::lock_guard lock(mutex_);
  oldest_ = std::max(oldest_, std::min(segment, number_));
}

void SpoolWriter::prepare() noexcept {
  bool wanted = false;
  std::vector<int> files;
  int current = -1;
  {
    const std::lock_guard lock(mutex_);
    wanted = spare_.map == nullptr && at_ > limits_.segment_bytes / 4;
    files.swap(unsynced_);
    if (std::exchange(dirty_, false)) {
      current = ::dup(current_.fd);
    }
  }
  for (const int fd : files) {
    ::fdatasync(fd);
    ::close(fd);
  }
  if (current >= 0) {
    ::fdatasync(current);
    ::close(current);
  }
  Segment made;
  if (wanted && make_segment(spare_path_, made)) {
    const std::lock_guard lock(mutex_);
    spare_ = made;
  }
}

SpoolReader::SpoolReader(fs::path folder, Position position) : folder_(std::move(folder)), position_(position) {}

bool SpoolReader::open() {
  if (opened_ == position_.segment) {
    return true;
  }
  const fs::path path = segment_path(folder_, position_.segment);
  if (!fs::exists(path)) {
    return false;
  }
  file_ = base::MappedFile(path);  // shows what is written to the file meanwhile: its pages are those of the page cache
  opened_ = position_.segment;
  return true;
}

std::optional<uint64_t> SpoolReader::later_segment() const {
  for (const uint64_t number : list_segments(folder_)) {
    if (number > position_.segment) {
      return number;
    }
  }
  return std::nullopt;
}

Parsed SpoolReader::parse() const noexcept {
  SegmentHeader header;
  Parsed parsed;
  const std::string_view bytes = file_.bytes();
  if (!parse_segment_header(bytes, header) || header.number != position_.segment) {
    parsed.found = Found::kBroken;
  } else if (position_.offset < bytes.size()) {
    parsed = parse_frame(bytes.substr(position_.offset));
  }
  return parsed;
}

std::optional<Frame> SpoolReader::next(bool at_end) {
  std::optional<uint64_t> later;  // while it is set, the segment at hand is complete
  while (true) {
    const bool there = open();
    const Parsed parsed = there ? parse() : Parsed();
    if (parsed.found == Found::kFrame) {
      position_.offset += parsed.bytes;
      return parsed.frame;
    }
    if (parsed.found == Found::kUnknown) {
      position_.offset += parsed.bytes;
      damaged_ += parsed.bytes;
      continue;
    }
    if (!later && (later = later_segment())) {
      continue;  // who writes goes on only when a segment is whole: what looked like the end may have grown since
    }
    if (!later && !at_end) {
      return std::nullopt;
    }
    if (parsed.found == Found::kBroken) {
      const std::string_view rest = file_.bytes().substr(std::min<uint64_t>(position_.offset, file_.bytes().size()));
      const size_t last = rest.find_last_not_of('\0');
      damaged_ += last == std::string_view::npos ? 0 : last + 1;
    }
    if (!later) {
      if (there) {
        position_.offset = std::max<uint64_t>(file_.bytes().size(), kSegmentHeaderBytes) / 8 * 8;  // damage is told once
      }
      return std::nullopt;
    }
    position_ = {*later, kSegmentHeaderBytes};
    later.reset();
  }
}

}  // namespace slipway::track
