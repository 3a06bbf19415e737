#include "track/delivery.h"

#include <array>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

#include "base/error.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxMetrics = 1000;  // MLflow's limits of a batch
constexpr size_t kMaxPairs = 100;
constexpr size_t kMaxRecords = 1000;
constexpr size_t kMaxBytes = 800'000;   // of its JSON, as estimated; MLflow takes 1,000,000
constexpr size_t kMetricBytes = 120;    // of a metric's JSON besides its key
constexpr uint64_t kAllRefused = 20;    // so many alone, and none taken: it is the run that is refused

// Texts may be escaped in JSON: at worst six bytes for one.
size_t json_bytes(std::string_view text) {
  size_t bytes = text.size();
  for (const char c : text) {
    bytes += static_cast<unsigned char>(c) < 0x20 ? 5 : c == '"' || c == '\\' ? 1 : 0;
  }
  return bytes;
}

bool is_refusal(const Error& error) {
  return error.code() == Code::kInvalid || error.code() == Code::kConflict;
}

template <class T>
std::vector<T> second_half(std::vector<T>& items) {
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
  std::vector<T> rest(std::make_move_iterator(middle), std::make_move_iterator(items.end()));
  items.erase(middle, items.end());
  return rest;
}

// Takes away a part of the batch, so that what is refused can be found.
record::RunBatch split(record::RunBatch& batch) {
  record::RunBatch rest;
  if (!batch.metrics.empty() && (!batch.params.empty() || !batch.tags.empty())) {
    rest.params = std::move(batch.params);
    rest.tags = std::move(batch.tags);
    batch.params.clear();
    batch.tags.clear();
  } else if (!batch.params.empty() && !batch.tags.empty()) {
    rest.tags = std::move(batch.tags);
    batch.tags.clear();
  } else {
    rest.metrics = second_half(batch.metrics);
    rest.params = second_half(batch.params);
    rest.tags = second_half(batch.tags);
  }
  return rest;
}

record::RunStatus status_of(uint8_t end) {
  constexpr std::array kStatuses = {record::RunStatus::kFinished, record::RunStatus::kFailed, record::RunStatus::kKilled};
  return kStatuses.at(end);
}

}  // namespace

std::unique_ptr<Delivery> Delivery::begin(const fs::path& folder, std::unique_ptr<Target> target) {
  auto lock = store::FileLock::try_exclusive(folder / "sender.lock");
  if (!lock) {
    return nullptr;
  }
  return std::unique_ptr<Delivery>(new Delivery(folder, std::move(target), *std::move(lock)));
}

Delivery::Delivery(fs::path folder, std::unique_ptr<Target> target, store::FileLock lock)
    : folder_(std::move(folder)),
      info_(read_info(folder_)),
      target_(std::move(target)),
      lock_(std::move(lock)),
      state_(read_state(folder_)),
      reader_(folder_, state_.position),
      damaged_before_(state_.damaged) {
  commit(state_.position);
}

void Delivery::open() {
  if (opened_) {
    return;
  }
  // One at a time on this machine: the search for the run and its making are two requests.
  const auto lock = store::FileLock::exclusive(folder_.parent_path() / "create.lock");
  Place place = target_->open(info_);
  opened_ = true;
  if (place.run_id != state_.run_id || place.artifact_uri != state_.artifact_uri) {
    state_.run_id = std::move(place.run_id);
    state_.artifact_uri = std::move(place.artifact_uri);
    write_state(folder_, state_);
  }
}

bool Delivery::add(Batch& batch, const Frame& frame) {
  record::RunBatch& records = batch.records;
  size_t bytes = 0;
  if (const auto* metric = std::get_if<MetricFrame>(&frame)) {
    bytes = kMetricBytes + json_bytes(metric->key);
    if (records.metrics.size() == kMaxMetrics || batch.bytes + bytes > kMaxBytes || batch.size() == kMaxRecords) {
      return false;
    }
    records.metrics.push_back({std::string(metric->key), metric->value, metric->step, metric->time_ms});
  } else if (const auto* pair = std::get_if<PairFrame>(&frame)) {
    auto& pairs = pair->tag ? records.tags : records.params;
    bytes = 32 + json_bytes(pair->key) + json_bytes(pair->value);
    if (pairs.size() == kMaxPairs || batch.bytes + bytes > kMaxBytes || batch.size() == kMaxRecords) {
      return false;
    }
    pairs.push_back({std::string(pair->key), std::string(pair->value)});
  } else {
    return false;
  }
  batch.bytes += bytes;
  return true;
}

// Reads the next frame into pending_.
bool Delivery::next(bool at_end) {
  if (!pending_) {
    pending_ = reader_.next(at_end);
  }
  return pending_.has_value();
}

bool Delivery::step(bool at_end) {
  open();
  Batch batch;
  Position end = state_.position;
  while (next(at_end) && add(batch, *pending_)) {
    end = reader_.position();
    pending_.reset();
  }
  if (batch.size() > 0) {
    uint64_t sent = 0;
    uint64_t refused = 0;
    const uint64_t refused_before = state_.refused;
    try {
      deliver(std::move(batch.records), sent, refused);
    } catch (...) {
      // Read again from the beginning of the batch.
      reader_ = SpoolReader(folder_, state_.position);
      damaged_before_ = state_.damaged;
      state_.refused = refused_before;
      pending_.reset();
      throw;
    }
    state_.sent += sent;
    commit(end);
    return true;
  }
  if (!pending_) {
    if (reader_.position() != state_.position) {
      commit(reader_.position());  // past damage
    }
    return false;
  }
  if (const auto* bytes = std::get_if<BytesFrame>(&*pending_)) {
    put_file(std::string(bytes->path), bytes->bytes);
  } else if (const auto* file = std::get_if<FileFrame>(&*pending_)) {
    put_file(*file);
  } else {
    this->end(std::get<EndFrame>(*pending_));
  }
  end = reader_.position();
  pending_.reset();
  commit(end);
  return true;
}

void Delivery::deliver(record::RunBatch batch, uint64_t& sent, uint64_t& refused) {
  const size_t size = batch.metrics.size() + batch.params.size() + batch.tags.size();
  try {
    target_->log({state_.run_id, state_.artifact_uri}, batch);
    sent += size;
    return;
  } catch (const Error& error) {
    if (!is_refusal(error)) {
      throw;
    }
    if (size == 1) {
      ++refused;
      refuse(error.what());
      if (sent == 0 && refused >= kAllRefused) {
        throw Error(Code::kNotFound, fmt::format("the run {} takes nothing: {}", state_.run_id, error.what()));
      }
      return;
    }
  }
  record::RunBatch rest = split(batch);
  deliver(std::move(batch), sent, refused);
  deliver(std::move(rest), sent, refused);
}

void Delivery::refuse(const std::string& why) {
  ++state_.refused;
  state_.error = why;
}

void Delivery::put_file(const std::string& path, std::string_view bytes) {
  try {
    target_->put_file({state_.run_id, state_.artifact_uri}, path, bytes);
    ++state_.sent;
  } catch (const Error& error) {
    if (!is_refusal(error)) {
      throw;
    }
    refuse(fmt::format("artifact '{}': {}", path, error.what()));
  }
}

void Delivery::put_file(const FileFrame& file) {
  const bool kept = file.source.find('/') == std::string_view::npos;  // a link in the spool
  const fs::path source = kept ? folder_ / file.source : fs::path(file.source);
  struct stat info {};
  if (::stat(source.c_str(), &info) != 0) {
    refuse(fmt::format("artifact '{}': '{}' is not there any more", file.path, source.string()));
    return;
  }
  const int64_t mtime_ns = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) != file.size || mtime_ns != file.mtime_ns) {
    refuse(fmt::format("artifact '{}': '{}' changed since it was logged", file.path, source.string()));
    return;
  }
  {
    const base::MappedFile map(source);
    put_file(std::string(file.path), map.bytes());
  }
  if (kept) {
    sent_file_ = source.string();
  }
}

void Delivery::end(const EndFrame& end) {
  const Place place{state_.run_id, state_.artifact_uri};
  if (const uint64_t dropped = state_.dropped + dropped_in_segments(folder_); dropped > 0) {
    record::RunBatch batch;
    batch.tags.push_back({kDroppedTag, std::to_string(dropped)});
    target_->log(place, batch);
  }
  target_->end(place, status_of(end.status), end.time_ms);
  state_.ended = true;
  ++state_.sent;
}

void Delivery::commit(Position position) {
  // What segments to be deleted tell is taken over first; those before the position of the file were taken over already.
  if (position.segment > state_.position.segment) {
    state_.dropped += dropped_in_segments(folder_, position.segment);
  }
  state_.position = position;
  state_.damaged = damaged_before_ + reader_.damaged();
  write_state(folder_, state_);
  std::error_code ignored;
  if (!sent_file_.empty()) {
    fs::remove(sent_file_, ignored);
    sent_file_.clear();
  }
  for (const uint64_t number : list_segments(folder_)) {
    if (number < position.segment) {
      fs::remove(segment_path(folder_, number), ignored);
    }
  }
}

}  // namespace slipway::track
