// A Bloom filter over 64-bit hashes, sized by how many are expected and which rate of false positives may be had at that
// number (Bloom 1970; k probes from two halves of the hash, Kirsch & Mitzenmacher 2006). On disk: docs/formats/dedup.md.
// One thread writes; any may read when nobody writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace slipway::data {

class BloomFilter {
 public:
  // -n ln(p) / ln(2)^2 bits, rounded up to whole words. expected >= 1, 0 < rate < 1.
  BloomFilter(double expected, double rate);
  // Throws Error(kIntegrity) for a file that is no filter or is cut short, Error(kInvalid) past `max_bytes`.
  static BloomFilter load(const std::filesystem::path& path, uint64_t max_bytes);
  void save(const std::filesystem::path& path) const;

  bool has(uint64_t hash) const noexcept;
  // Whether it was there already (or seems so).
  bool add(uint64_t hash) noexcept;
  uint64_t bytes() const noexcept { return words_.size() * sizeof(uint64_t); }
  uint64_t added() const noexcept { return added_; }
  int probes() const noexcept { return static_cast<int>(probes_); }

 private:
  BloomFilter() = default;
  std::vector<uint64_t> words_;
  uint32_t probes_ = 1;
  uint64_t added_ = 0;
};

}  // namespace slipway::data
