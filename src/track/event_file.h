// TensorBoard's event files: TFRecord frames (length, masked CRC-32C of it, bytes, masked CRC-32C of them) of protocol buffers
// tensorflow.Event. Only what an import takes is read. Untrusted bytes: every length is checked, nothing is allocated by what a
// file claims. One thread at a time; views are of the bytes given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::track {

struct SummaryValue {
  std::string_view tag;
  std::string_view plugin;          // "scalars", "text", "images", "hparams", …; empty for files of TensorFlow 1
  std::string_view plugin_content;  // of "hparams"
  std::optional<double> scalar;     // simple_value, or the one number of a tensor
  std::vector<std::string_view> texts;  // of a tensor: texts, or encoded images after width and height
  std::string_view image;               // encoded, of a Summary.Image
};

struct Event {
  double wall_time = 0;  // seconds since 1970
  int64_t step = 0;
  std::string_view file_version;  // of the first event: "brain.Event:2"
  std::vector<SummaryValue> values;
};

class EventFile {
 public:
  // `name` is for messages.
  EventFile(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}
  // The next event; false at the end, or where the file is cut off or its framing is lost (torn()). Events whose bytes are
  // damaged are passed over and counted.
  bool next(Event& event);
  uint64_t damaged() const noexcept { return damaged_; }
  bool torn() const noexcept { return torn_; }

 private:
  std::string_view bytes_;
  const std::string name_;
  size_t at_ = 0;
  uint64_t damaged_ = 0;
  bool torn_ = false;
};

// What the plugin "hparams" tells at a session's start, as texts; and its end (status 1: success), if that is what it is.
struct HparamsContent {
  std::map<std::string, std::string> values;
  std::optional<int64_t> end_status;
};
// Throws kInvalid.
HparamsContent parse_hparams(std::string_view content, const std::string& source);

// TensorFlow's mask of a CRC-32C.
uint32_t masked_crc32c(std::string_view bytes) noexcept;

}  // namespace slipway::track
