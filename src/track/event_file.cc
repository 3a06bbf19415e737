#include "track/event_file.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "text/proto_reader.h"

namespace slipway::track {
namespace {

using text::ProtoReader;

constexpr size_t kMaxRecord = size_t{1} << 30;
constexpr size_t kMaxTexts = 10'000;  // of one tensor

// DataType of tensorflow/core/framework/types.proto.
enum { kFloat = 1, kDouble = 2, kInt32 = 3, kInt64 = 9 };

template <class T>
T load(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::optional<double> number_of(int64_t type, std::string_view content) {
  switch (type) {
    case kFloat:
      return content.size() == 4 ? std::optional<double>(load<float>(content)) : std::nullopt;
    case kDouble:
      return content.size() == 8 ? std::optional<double>(load<double>(content)) : std::nullopt;
    case kInt32:
      return content.size() == 4 ? std::optional<double>(load<int32_t>(content)) : std::nullopt;
    case kInt64:
      return content.size() == 8 ? std::optional<double>(static_cast<double>(load<int64_t>(content))) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// A repeated field of numbers comes packed, or one by one.
void parse_tensor(std::string_view bytes, const std::string& source, SummaryValue& value) {
  ProtoReader tensor(bytes, source);
  int64_t type = 0;
  std::string_view content;
  while (tensor.next()) {
    switch (tensor.field()) {
      case 1:
        type = tensor.integer();
        break;
      case 4:
        content = tensor.bytes();
        break;
      case 5:  // float_val: packed
      case 6:  // double_val: packed
        content = tensor.bytes();
        break;
      case 8:
        if (value.texts.size() < kMaxTexts) {
          value.texts.push_back(tensor.bytes());
        }
        break;
      default:
        break;
    }
  }
  if (value.texts.empty()) {
    value.scalar = number_of(type, content);
  }
}

void parse_metadata(std::string_view bytes, const std::string& source, SummaryValue& value) {
  ProtoReader metadata(bytes, source);
  while (metadata.next()) {
    if (metadata.field() != 1) {
      continue;
    }
    ProtoReader plugin(metadata.bytes(), source);
    while (plugin.next()) {
      if (plugin.field() == 1) {
        value.plugin = plugin.bytes();
      } else if (plugin.field() == 2) {
        value.plugin_content = plugin.bytes();
      }
    }
  }
}

SummaryValue parse_value(std::string_view bytes, const std::string& source) {
  SummaryValue value;
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        value.tag = reader.bytes();
        break;
      case 2:
        value.scalar = reader.number();
        break;
      case 4: {
        ProtoReader image(reader.bytes(), source);
        while (image.next()) {
          if (image.field() == 4) {
            value.image = image.bytes();
          }
        }
        break;
      }
      case 8:
        parse_tensor(reader.bytes(), source, value);
        break;
      case 9:
        parse_metadata(reader.bytes(), source, value);
        break;
      default:
        break;
    }
  }
  return value;
}

void parse_event(std::string_view bytes, const std::string& source, Event& event) {
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        event.wall_time = reader.real();
        break;
      case 2:
        event.step = reader.integer();
        break;
      case 3:
        event.file_version = reader.bytes();
        break;
      case 5: {
        ProtoReader summary(reader.bytes(), source);
        while (summary.next()) {
          if (summary.field() == 1) {
            event.values.push_back(parse_value(summary.bytes(), source));
          }
        }
        break;
      }
      default:
        break;
    }
  }
}

// google.protobuf.Value as people write it; empty for null and lists.
std::string value_text(std::string_view bytes, const std::string& source) {
  ProtoReader value(bytes, source);
  std::string text;
  while (value.next()) {
    switch (value.field()) {
      case 2:
        text = fmt::format("{}", value.real());
        break;
      case 3:
        text = value.bytes();
        break;
      case 4:
        text = value.boolean() ? "true" : "false";
        break;
      default:
        break;
    }
  }
  return text;
}

}  // namespace

uint32_t masked_crc32c(std::string_view bytes) noexcept { return std::rotr(base::crc32c(bytes), 15) + 0xA282EAD8U; }

bool EventFile::next(Event& event) {
  while (at_ < bytes_.size()) {
    const std::string_view rest = bytes_.substr(at_);
    if (rest.size() < 12 || load<uint32_t>(rest.substr(8)) != masked_crc32c(rest.substr(0, 8))) {
      torn_ = true;
      return false;
    }
    const auto size = load<uint64_t>(rest);
    if (size > kMaxRecord || rest.size() - 12 < size + 4) {
      torn_ = true;
      return false;
    }
    const std::string_view record = rest.substr(12, size);
    at_ += 12 + size + 4;
    if (load<uint32_t>(rest.substr(12 + size)) != masked_crc32c(record)) {
      ++damaged_;
      continue;
    }
    event = Event();
    try {
      parse_event(record, name_, event);
      return true;
    } catch (const base::Error&) {
      ++damaged_;
    }
  }
  return false;
}

HparamsContent parse_hparams(std::string_view content, const std::string& source) {
  HparamsContent result;
  ProtoReader data(content, source);
  while (data.next()) {
    if (data.field() == 3) {  // session_start_info
      ProtoReader start(data.bytes(), source);
      while (start.next()) {
        if (start.field() != 1) {
          continue;
        }
        ProtoReader entry(start.bytes(), source);
        std::string key;
        std::string value;
        while (entry.next()) {
          if (entry.field() == 1) {
            key = entry.bytes();
          } else if (entry.field() == 2) {
            value = value_text(entry.bytes(), source);
          }
        }
        result.values.emplace(std::move(key), std::move(value));
      }
    } else if (data.field() == 4) {  // session_end_info
      result.end_status = 0;
      ProtoReader end(data.bytes(), source);
      while (end.next()) {
        if (end.field() == 1) {
          result.end_status = end.integer();
        }
      }
    }
  }
  return result;
}

}  // namespace slipway::track
