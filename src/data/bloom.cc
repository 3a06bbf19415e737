#include "data/bloom.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kMagic = "SLIPBLM1";
constexpr size_t kHeaderBytes = 32;
constexpr uint32_t kMostProbes = 64;

// The position of probe i: a rising walk by an odd step, its upper bits scaled to the number of bits.
struct Probe {
  uint64_t at;
  uint64_t step;
  explicit Probe(uint64_t hash) noexcept
      : at(hash * 0x9e3779b97f4a7c15ULL), step(((hash ^ (hash >> 31U)) * 0xff51afd7ed558ccdULL) | 1U) {}
  uint64_t next(uint64_t bits) noexcept {
    at += step;
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Wide>(at) * bits) >> 64U);
  }
};

}  // namespace

BloomFilter::BloomFilter(double expected, double rate) {
  if (!(expected >= 1) || !(rate > 0 && rate < 1)) {
    throw Error(Code::kInvalid, fmt::format("a Bloom filter for {} hashes at a rate of {}: at least 1, and between 0 and 1",
                                            expected, rate));
  }
  const double bits = std::ceil(-expected * std::log(rate) / (std::log(2.0) * std::log(2.0)));
  if (bits > 1e15) {
    throw Error(Code::kInvalid, fmt::format("a Bloom filter for {} hashes at a rate of {} has {} bits", expected, rate, bits));
  }
  words_.resize(static_cast<size_t>(bits) / 64 + 1);
  const double best = static_cast<double>(words_.size() * 64) / expected * std::log(2.0);
  probes_ = static_cast<uint32_t>(std::clamp(std::round(best), 1.0, static_cast<double>(kMostProbes)));
}

BloomFilter BloomFilter::load(const std::filesystem::path& path, uint64_t max_bytes) {
  base::MappedFile file(path);
  const std::string_view bytes = file.bytes();
  uint64_t words = 0;
  BloomFilter filter;
  if (bytes.size() >= kHeaderBytes && bytes.starts_with(kMagic)) {
    std::memcpy(&filter.probes_, bytes.data() + 8, sizeof(uint32_t));
    std::memcpy(&words, bytes.data() + 16, sizeof(words));
    std::memcpy(&filter.added_, bytes.data() + 24, sizeof(uint64_t));
  }
  if (words == 0 || filter.probes_ == 0 || filter.probes_ > kMostProbes || (bytes.size() - kHeaderBytes) / 8 != words ||
      bytes.size() % 8 != 0) {
    throw Error(Code::kIntegrity, fmt::format("'{}' is no whole Bloom filter", path.string()));
  }
  if (words > max_bytes / 8) {
    throw Error(Code::kInvalid, fmt::format("the Bloom filter '{}' needs {} bytes, more than the memory of {}",
                                            path.string(), words * 8, max_bytes));
  }
  filter.words_.resize(words);
  std::memcpy(filter.words_.data(), bytes.data() + kHeaderBytes, words * 8);
  return filter;
}

void BloomFilter::save(const std::filesystem::path& path) const {
  std::array<char, kHeaderBytes> header{};
  const uint64_t words = words_.size();
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.data() + 8, &probes_, sizeof(probes_));
  std::memcpy(header.data() + 16, &words, sizeof(words));
  std::memcpy(header.data() + 24, &added_, sizeof(added_));
  base::AtomicFile file(path);
  file.write({header.data(), header.size()});
  constexpr size_t kPiece = size_t{1} << 17U;
  for (size_t at = 0; at < words_.size(); at += kPiece) {
    file.write({reinterpret_cast<const char*>(words_.data() + at),  // NOLINT: bytes of words
                std::min(kPiece, words_.size() - at) * sizeof(uint64_t)});
  }
  file.commit();
}

bool BloomFilter::has(uint64_t hash) const noexcept {
  Probe probe(hash);
  for (uint32_t i = 0; i < probes_; ++i) {
    const uint64_t bit = probe.next(words_.size() * 64);
    if (((words_[bit / 64] >> (bit % 64)) & 1U) == 0) {
      return false;
    }
  }
  return true;
}

bool BloomFilter::add(uint64_t hash) noexcept {
  Probe probe(hash);
  bool there = true;
  for (uint32_t i = 0; i < probes_; ++i) {
    const uint64_t bit = probe.next(words_.size() * 64);
    there = there && ((words_[bit / 64] >> (bit % 64)) & 1U) != 0;
    words_[bit / 64] |= uint64_t{1} << (bit % 64);
  }
  added_ += static_cast<uint64_t>(!there);
  return there;
}

}  // namespace slipway::data
