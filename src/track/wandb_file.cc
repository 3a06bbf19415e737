#include "track/wandb_file.h"

#include <cstring>
#include <fmt/format.h>
#include <zlib.h>

#include "base/error.h"
#include "text/proto_reader.h"

namespace slipway::track {
namespace {

using text::ProtoReader;

constexpr std::string_view kHead("\x3AW&B\xE1\xBE\0", 7);  // ":W&B", 0xBEE1, version 0
constexpr size_t kBlock = 32768;
constexpr size_t kFragmentHead = 7;  // CRC, size, type
constexpr size_t kMaxRecord = size_t{256} << 20;
enum Fragment { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

using Items = std::vector<std::pair<std::string, std::string>>;

// HistoryItem, ConfigItem, SummaryItem: key 1, nested_key 2, value_json 16.
std::pair<std::string, std::string> parse_item(std::string_view bytes, const std::string& source) {
  ProtoReader reader(bytes, source);
  std::string key;
  std::string nested;
  std::string value;
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        key = reader.bytes();
        break;
      case 2:
        nested += (nested.empty() ? "" : ".") + std::string(reader.bytes());
        break;
      case 16:
        value = reader.bytes();
        break;
      default:
        break;
    }
  }
  return {key.empty() ? nested : key, value};
}

void parse_updates(std::string_view bytes, const std::string& source, Items& items) {
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    if (reader.field() == 1) {
      items.push_back(parse_item(reader.bytes(), source));
    }
  }
}

// google.protobuf.Timestamp.
int64_t parse_time(std::string_view bytes, const std::string& source) {
  ProtoReader reader(bytes, source);
  int64_t seconds = 0;
  int64_t nanos = 0;
  while (reader.next()) {
    if (reader.field() == 1) {
      seconds = reader.integer();
    } else if (reader.field() == 2) {
      nanos = reader.integer();
    }
  }
  const bool sane = seconds >= 0 && seconds < 1'000'000'000'000 && nanos >= 0 && nanos < 1'000'000'000;
  return sane ? seconds * 1000 + nanos / 1'000'000 : 0;
}

WandbRecord::Run parse_run(std::string_view bytes, const std::string& source, Items& config) {
  WandbRecord::Run run;
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        run.id = reader.bytes();
        break;
      case 3:
        run.project = reader.bytes();
        break;
      case 4:
        parse_updates(reader.bytes(), source, config);
        break;
      case 6:
        run.group = reader.bytes();
        break;
      case 7:
        run.job_type = reader.bytes();
        break;
      case 8:
        run.name = reader.bytes();
        break;
      case 9:
        run.notes = reader.bytes();
        break;
      case 10:
        run.tags.emplace_back(reader.bytes());
        break;
      case 13:
        run.host = reader.bytes();
        break;
      case 17:
        run.started_ms = parse_time(reader.bytes(), source);
        break;
      default:
        break;
    }
  }
  return run;
}

void parse_history(std::string_view bytes, const std::string& source, WandbRecord& record) {
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    if (reader.field() == 1) {
      record.history.push_back(parse_item(reader.bytes(), source));
    } else if (reader.field() == 2) {
      ProtoReader step(reader.bytes(), source);
      while (step.next()) {
        if (step.field() == 1) {
          record.step = step.integer();
        }
      }
    }
  }
}

void parse_record(std::string_view bytes, const std::string& source, WandbRecord& record) {
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    switch (reader.field()) {
      case 2:
        parse_history(reader.bytes(), source, record);
        break;
      case 3:
        parse_updates(reader.bytes(), source, record.summary);
        break;
      case 5:
        parse_updates(reader.bytes(), source, record.config);
        break;
      case 17:
        record.run = parse_run(reader.bytes(), source, record.config);
        break;
      case 18: {
        record.exit_code = 0;
        ProtoReader exit(reader.bytes(), source);
        while (exit.next()) {
          if (exit.field() == 1) {
            record.exit_code = exit.integer();
          }
        }
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace

WandbFile::WandbFile(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)), at_(kHead.size()) {
  if (!bytes.starts_with(kHead)) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' is not a .wandb file of version 0", name_));
  }
}

// One record's bytes, put together from its fragments.
bool WandbFile::next_bytes(std::string& out) {
  bool begun = false;
  while (true) {
    if (const size_t left = kBlock - at_ % kBlock; left < kFragmentHead) {
      at_ += left;  // filled with zeros
    }
    if (at_ + kFragmentHead > bytes_.size()) {
      return false;
    }
    uint32_t check = 0;
    uint16_t size = 0;
    std::memcpy(&check, bytes_.data() + at_, sizeof check);
    std::memcpy(&size, bytes_.data() + at_ + 4, sizeof size);
    const auto type = static_cast<unsigned char>(bytes_[at_ + 6]);
    const std::string_view content = bytes_.substr(at_ + 6).substr(0, size_t{size} + 1);  // with the type, as checked
    const size_t block_left = kBlock - at_ % kBlock - kFragmentHead;
    if (size > block_left || content.size() != size_t{size} + 1) {
      if (size <= block_left) {
        return false;  // cut off
      }
      ++damaged_;
      at_ += kBlock - at_ % kBlock;  // the framing is lost until the next block
      begun = false;
      continue;
    }
    at_ += kFragmentHead + size;
    const bool good = ::crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())) == check;
    const bool first = type == kFull || type == kFirst;
    if (!good || type < kFull || type > kLast || first == begun || (begun && out.size() + size > kMaxRecord)) {
      ++damaged_;
      begun = false;
      if (!good || !first) {
        continue;
      }
    }
    if (first) {
      out.clear();
    }
    out += content.substr(1);
    begun = true;
    if (type == kFull || type == kLast) {
      return true;
    }
  }
}

bool WandbFile::next(WandbRecord& record) {
  std::string bytes;
  while (next_bytes(bytes)) {
    record = WandbRecord();
    try {
      parse_record(bytes, name_, record);
      return true;
    } catch (const base::Error&) {
      ++damaged_;
    }
  }
  return false;
}

}  // namespace slipway::track
