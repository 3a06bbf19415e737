#include "text/vocabulary.h"

#include <bit>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {
namespace {

constexpr std::array<uint64_t, PrefixHash::kMaxLength + 1> powers() {
  std::array<uint64_t, PrefixHash::kMaxLength + 1> result{};
  result[0] = 1;
  for (size_t i = 1; i < result.size(); ++i) {
    result[i] = result[i - 1] * PrefixHash::kBase;
  }
  return result;
}
constexpr auto kPowers = powers();

}  // namespace

uint64_t PrefixHash::of(std::string_view bytes) noexcept {
  uint64_t h = 0;
  for (const char c : bytes) {
    h = step(h, static_cast<unsigned char>(c));
  }
  return h;
}

uint64_t PrefixHash::between(uint64_t prefix_i, uint64_t prefix_j, size_t length) noexcept {
  return prefix_j - prefix_i * kPowers[length];
}

FlatIndex::FlatIndex(const std::vector<Entry>& entries) : entries_(entries) {
  const size_t capacity = std::bit_ceil(std::max<size_t>(entries.size() * 2, 2));
  slots_.assign(capacity, Slot{});
  mask_ = capacity - 1;
  shift_ = 64 - std::countr_zero(capacity);
  for (size_t i = 0; i < entries_.size(); ++i) {
    const uint64_t mixed = mix(PrefixHash::of(entries_[i].key));
    size_t at = mixed >> shift_;
    while (slots_[at].entry != 0) {
      at = (at + 1) & mask_;
    }
    slots_[at] = {static_cast<uint32_t>(mixed), static_cast<uint32_t>(i + 1)};
    longest_key_ = std::max(longest_key_, entries_[i].key.size());
  }
}

void Vocabulary::reserve(size_t bytes, size_t tokens) {
  bytes_.reserve(bytes);
  places_.reserve(tokens);
}

void Vocabulary::add(std::string_view token, int64_t id, const std::string& source) {
  if (id < 0 || id > kMaxId) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: token '{}' has id {}; ids are 0 to {}", source,
                                                        token.substr(0, 100), id, kMaxId));
  }
  if (token.size() > kMaxTokenBytes || bytes_.size() + token.size() > UINT32_MAX) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: the token of id {} has {} bytes; the limit is {}", source,
                                                        id, token.size(), kMaxTokenBytes));
  }
  const auto at = static_cast<size_t>(id);
  if (at >= places_.size()) {
    places_.resize(at + 1);
  }
  if (places_[at].size != UINT32_MAX) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: id {} is given to '{}' and to '{}'", source, id,
                                  this->token(static_cast<int>(id)).substr(0, 100), token.substr(0, 100)));
  }
  places_[at] = {static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(token.size())};
  bytes_ += token;
  ++count_;
}

void Vocabulary::build(const std::string& source) {
  std::vector<FlatIndex::Entry> entries;
  entries.reserve(count_);
  for (size_t id = 0; id < places_.size(); ++id) {
    if (places_[id].size != UINT32_MAX) {
      entries.push_back({token(static_cast<int>(id)), static_cast<int32_t>(id)});
    }
  }
  index_ = FlatIndex(entries);
  for (const FlatIndex::Entry& entry : entries) {
    const int found = find(entry.key);
    if (found != entry.value) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: token '{}' has two ids, {} and {}", source,
                                                          entry.key.substr(0, 100), found, entry.value));
    }
  }
}

std::string_view Vocabulary::token(int id) const noexcept {
  if (id < 0 || static_cast<size_t>(id) >= places_.size() || places_[static_cast<size_t>(id)].size == UINT32_MAX) {
    return {};
  }
  const Place place = places_[static_cast<size_t>(id)];
  return std::string_view(bytes_).substr(place.begin, place.size);
}

}  // namespace slipway::text
