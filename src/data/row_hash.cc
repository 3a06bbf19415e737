#include "data/row_hash.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/hash.h"

namespace slipway::data {
namespace {

constexpr uint64_t kHighSeed = 0x736c697077617931;
constexpr uint64_t kLowSeed = 0x64617461726f7773;

// The finaliser of MurmurHash3 over both, in this order.
uint64_t mix(uint64_t a, uint64_t b, uint64_t odd) noexcept {
  uint64_t x = (a ^ (a >> 31U)) * odd + b;
  x = (x ^ (x >> 33U)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33U);
}

Hash128 join(const Hash128& a, const Hash128& b) noexcept {
  return {mix(a.high, b.high, 0x9e3779b97f4a7c15ULL), mix(a.low, b.low, 0xd6e8feb86659fd93ULL)};
}

Hash128 tagged(uint64_t tag, uint64_t value) noexcept { return join({tag, ~tag}, {value, value * 0x9e3779b97f4a7c15ULL}); }

enum Tag : uint64_t { kNull = 1, kFalse, kTrue, kInteger, kFloat, kString, kObject, kArray };

Hash128 hash_string(std::string_view text) noexcept { return join({kString, kString}, hash_bytes(text)); }

// Follows a parser, a frame a container.
class Sax : public nlohmann::json_sax<nlohmann::ordered_json> {
 public:
  explicit Sax(const std::vector<std::string>& key) : key_(key), found_(key.size()) {}

  bool null() override { return value(tagged(kNull, 0)); }
  bool boolean(bool is) override { return value(tagged(is ? kTrue : kFalse, 0)); }
  bool number_integer(number_integer_t number) override { return value(tagged(kInteger, static_cast<uint64_t>(number))); }
  bool number_unsigned(number_unsigned_t number) override { return value(tagged(kInteger, number)); }
  bool number_float(number_float_t number, const string_t&) override {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::abs(number) <= kExact && number == std::trunc(number)) {
      return value(tagged(kInteger, static_cast<uint64_t>(static_cast<int64_t>(number))));
    }
    uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    return value(tagged(kFloat, bits));
  }
  bool string(string_t& text) override { return value(hash_string(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(true); }
  bool key(string_t& name) override {
    frames_.back().name = hash_bytes(name);
    if (frames_.size() == 1) {
      for (size_t i = 0; i < key_.size(); ++i) {
        if (key_[i] == name) {
          wanted_ = i;
          return true;
        }
      }
      wanted_.reset();
    }
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(false); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  bool is_object() const noexcept { return is_object_; }
  Hash128 result() const noexcept { return result_; }
  std::optional<Hash128> key_hash() const noexcept {
    Hash128 all{kObject, kString};
    for (const std::optional<Hash128>& one : found_) {
      if (!one) {
        return std::nullopt;
      }
      all = join(all, *one);
    }
    return all;
  }

 private:
  struct Frame {
    bool object;
    Hash128 sum;
    Hash128 name;
  };
  bool open(bool object) {
    if (frames_.empty()) {
      is_object_ = object;
    }
    if (frames_.size() >= static_cast<size_t>(kMaxRowDepth)) {
      return false;
    }
    frames_.push_back({object, {object ? kObject : kArray, kObject}, {}});
    return true;
  }
  bool close() {
    const Frame frame = frames_.back();
    frames_.pop_back();
    return value(join({frame.object ? kObject : kArray, 0}, frame.sum));
  }
  bool value(const Hash128& hash) {
    if (frames_.empty()) {
      result_ = hash;
      return true;
    }
    Frame& top = frames_.back();
    if (!top.object) {
      top.sum = join(top.sum, hash);
      return true;
    }
    if (frames_.size() == 1 && wanted_) {
      found_[*wanted_] = hash;
      wanted_.reset();
    }
    const Hash128 member = join(top.name, hash);  // summed: in any order
    top.sum.high += member.high;
    top.sum.low += member.low;
    return true;
  }

  const std::vector<std::string>& key_;
  std::vector<std::optional<Hash128>> found_;
  std::vector<Frame> frames_;
  std::optional<size_t> wanted_;
  Hash128 result_;
  bool is_object_ = false;
};

}  // namespace

Hash128 hash_bytes(std::string_view bytes) noexcept { return {base::xxh64(bytes, kHighSeed), base::xxh64(bytes, kLowSeed)}; }

RowHash RowHasher::of_json(std::string_view line) const {
  Sax sax(key_);
  RowHash hash;
  if (!nlohmann::ordered_json::sax_parse(line.begin(), line.end(), &sax) || !sax.is_object()) {
    hash = of_line(line);
    hash.broken = true;
    return hash;
  }
  hash.row = hash.key = sax.result();
  if (const auto key = sax.key_hash(); key && !key_.empty()) {
    hash.key = *key;
    hash.keyed = true;
  }
  return hash;
}

RowHash RowHasher::of_fields(std::span<const std::string> columns, std::span<const std::string_view> fields) const {
  RowHash hash;
  Hash128 sum;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Hash128 name = i < columns.size() ? hash_bytes(columns[i]) : Hash128{i, i};
    const Hash128 member = join(name, hash_string(fields[i]));
    sum.high += member.high;
    sum.low += member.low;
  }
  hash.row = hash.key = join({kObject, kArray}, sum);
  Hash128 key{kObject, kString};
  for (const std::string& name : key_) {
    const auto at = static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
    if (at >= fields.size()) {
      return hash;
    }
    key = join(key, hash_string(fields[at]));
  }
  if (!key_.empty()) {
    hash.key = key;
    hash.keyed = true;
  }
  return hash;
}

RowHash RowHasher::of_line(std::string_view line) const {
  RowHash hash;
  hash.row = hash.key = join({kArray, kString}, hash_bytes(line));
  return hash;
}

}  // namespace slipway::data
