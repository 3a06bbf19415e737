#include "text/segment_dictionary.h"

#include <bit>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

static_assert(std::endian::native == std::endian::little, "the file is little-endian and read in place");

// docs/formats/segment-dictionary.md
struct Header {
  char magic[8];
  uint64_t checksum;  // XXH64 of all that follows it
  uint64_t total;
  uint32_t nodes;
  uint32_t chars;
  uint32_t frequencies;
  uint32_t emissions;  // characters from kFirstHan on; 0: no model
  double start[4];
  double transitions[16];
};
static_assert(sizeof(Header) == 200);
constexpr size_t kChecked = 16;  // bytes before what the checksum is of
constexpr uint32_t kHanCount = SegmentDictionary::kLastHan - SegmentDictionary::kFirstHan + 1;

[[noreturn]] void damaged(std::string_view source, std::string_view what) {
  throw Error(Code::kIntegrity, fmt::format("{}: {}; remove it, and it is built again", source, what));
}

template <class T>
std::span<const T> take(std::string_view bytes, size_t& at, size_t count) {
  const std::span<const T> out(reinterpret_cast<const T*>(bytes.data() + at), count);
  at += count * sizeof(T);
  return out;
}

}  // namespace

std::shared_ptr<const SegmentDictionary> SegmentDictionary::open(const std::filesystem::path& file) {
  if (!base::is_file(file)) {
    throw Error(Code::kNotFound, fmt::format("there is no dictionary '{}'", file.string()));
  }
  const std::shared_ptr<SegmentDictionary> out(new SegmentDictionary);
  out->file_ = base::MappedFile(file);
  out->read(out->file_.bytes(), file.string());
  return out;
}

std::shared_ptr<const SegmentDictionary> SegmentDictionary::from_bytes(std::string_view bytes, std::string_view source) {
  const std::shared_ptr<SegmentDictionary> out(new SegmentDictionary);
  out->copy_.resize(bytes.size() / 8 + 1);
  std::memcpy(out->copy_.data(), bytes.data(), bytes.size());
  out->read({reinterpret_cast<const char*>(out->copy_.data()), bytes.size()}, source);
  return out;
}

void SegmentDictionary::read(std::string_view bytes, std::string_view source) {
  Header header;
  if (bytes.size() < sizeof(header)) {
    damaged(source, "is too short for a segmentation dictionary");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::string_view(header.magic, 8) != "SLSEGD01") {
    damaged(source, "is no segmentation dictionary of this version");
  }
  const uint64_t size = sizeof(header) + uint64_t{header.emissions} * 32 + uint64_t{header.frequencies} * 8 +
                        uint64_t{header.chars} * 4 + uint64_t{header.nodes} * sizeof(Node);
  if (size != bytes.size() || header.nodes == 0 || header.chars > 0xFFFF || header.total == 0 ||
      (header.emissions != 0 && header.emissions != kHanCount)) {
    damaged(source, "has sizes that do not fit together");
  }
  if (base::xxh64(bytes.substr(kChecked)) != header.checksum) {
    damaged(source, "does not hold what was written");
  }
  total_ = header.total;
  digest_ = header.checksum;
  std::memcpy(start_.data(), header.start, sizeof(header.start));
  std::memcpy(transitions_.data(), header.transitions, sizeof(header.transitions));
  size_t at = sizeof(header);
  emissions_ = take<double>(bytes, at, size_t{4} * header.emissions);
  frequencies_ = take<uint64_t>(bytes, at, header.frequencies);
  const auto chars = take<uint32_t>(bytes, at, header.chars);
  nodes_ = take<Node>(bytes, at, header.nodes);
  for (size_t i = 0; i < chars.size(); ++i) {
    if (chars[i] > 0x10FFFF) {
      damaged(source, "names a character that is none");
    }
    if (chars[i] >= ids_.size()) {
      ids_.resize(chars[i] < 0x10000 ? 0x10000 : 0x110000);
    }
    ids_[chars[i]] = static_cast<uint16_t>(i + 1);
  }
  for (const Node& node : nodes_) {
    if (node.value > frequencies_.size()) {
      damaged(source, "has a word without a frequency");
    }
  }
  for (const uint64_t frequency : frequencies_) {
    if (frequency == 0) {
      damaged(source, "has a frequency of 0");
    }
  }
}

}  // namespace slipway::text
