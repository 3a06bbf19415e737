#include "data/token_shards.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr std::string_view kMagic = "SLTOKS01";
constexpr std::string_view kFormat = "slipway-tokens-1";
constexpr size_t kHeaderBytes = 64;
constexpr size_t kMaxShards = 1'000'000;

size_t padded(size_t bytes) { return (bytes + 7) / 8 * 8; }

template <class T>
void put(std::string& out, size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof(value));
}
template <class T>
T get(std::string_view bytes, size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

std::span<const uint32_t> numbers(std::string_view bytes, size_t at, size_t count) {
  return {reinterpret_cast<const uint32_t*>(bytes.data() + at), count};  // NOLINT: aligned, see the header
}

void append(std::string& out, std::span<const uint32_t> values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());  // NOLINT: bytes of numbers
}

}  // namespace

std::string write_token_shard(const TokenRows& rows, uint32_t length, uint32_t width) {
  const uint64_t sequences = rows.used.size();
  SLIPWAY_CHECK(rows.tokens.size() == sequences * length && rows.first.size() == sequences && (width == 2 || width == 4));
  std::string out(kHeaderBytes + padded(rows.tokens.size() * width), '\0');
  for (size_t i = 0; i < rows.tokens.size(); ++i) {
    if (width == 2) {
      put(out, kHeaderBytes + i * 2, static_cast<uint16_t>(rows.tokens[i]));
    } else {
      put(out, kHeaderBytes + i * 4, static_cast<uint32_t>(rows.tokens[i]));
    }
  }
  append(out, rows.first);
  const auto count = static_cast<uint32_t>(rows.begins.size());
  append(out, {&count, 1});
  append(out, rows.begins);
  append(out, rows.used);
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  put(out, 8, width);
  put(out, 12, length);
  put(out, 16, sequences);
  put(out, 24, uint64_t{count});
  put(out, 32, base::xxh64(std::string_view(out).substr(kHeaderBytes)));
  return out;
}

TokenShard::TokenShard(std::string_view bytes, const std::string& source) : bytes_(bytes) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Code::kIntegrity, fmt::format("'{}' is no whole token shard: {}; pack it again", source, why));
  };
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) {
    refuse("the header is missing");
  }
  width_ = get<uint32_t>(bytes, 8);
  length_ = get<uint32_t>(bytes, 12);
  sequences_ = get<uint64_t>(bytes, 16);
  const auto begins = get<uint64_t>(bytes, 24);
  if ((width_ != 2 && width_ != 4) || length_ == 0 || length_ > kMaxSequenceLength) {
    refuse("width or length is impossible");
  }
  // Divided, not multiplied: the numbers of a damaged file may be anything.
  const uint64_t row_bytes = uint64_t{length_} * width_;
  if (sequences_ > bytes.size() / row_bytes || begins > bytes.size() / sizeof(uint32_t)) {
    refuse("it is too short");
  }
  const size_t first_at = kHeaderBytes + padded(sequences_ * row_bytes);
  const size_t begins_at = first_at + (sequences_ + 1) * sizeof(uint32_t);
  const size_t used_at = begins_at + begins * sizeof(uint32_t);
  if (used_at + sequences_ * sizeof(uint32_t) != bytes.size()) {
    refuse("its size does not fit");
  }
  first_ = numbers(bytes, first_at, sequences_ + 1);
  begins_ = numbers(bytes, begins_at, begins);
  used_ = numbers(bytes, used_at, sequences_);
  if (first_[0] != 0 || first_[sequences_] != begins) {
    refuse("rows and their documents do not fit");
  }
  for (uint64_t i = 0; i < sequences_; ++i) {
    if (first_[i] > first_[i + 1] || first_[i + 1] > begins || used_[i] > length_) {
      refuse(fmt::format("row {} does not fit", i));
    }
    for (uint32_t j = first_[i]; j < first_[i + 1]; ++j) {
      if (begins_[j] >= used_[i] || (j > first_[i] && begins_[j] <= begins_[j - 1])) {
        refuse(fmt::format("the documents of row {} do not fit", i));
      }
    }
  }
}

void TokenShard::read(uint64_t sequence, TokenSequence& out) const {
  SLIPWAY_CHECK(sequence < sequences_);
  const char* from = bytes_.data() + kHeaderBytes + sequence * length_ * width_;
  out.ids.resize(length_);
  if (width_ == 4) {
    std::memcpy(out.ids.data(), from, size_t{length_} * 4);
  } else {
    const auto* narrow = reinterpret_cast<const uint16_t*>(from);  // NOLINT: aligned, see the header
    std::copy(narrow, narrow + length_, out.ids.begin());
  }
  out.begins.assign(begins_.begin() + first_[sequence], begins_.begin() + first_[sequence + 1]);
  out.used = used_[sequence];
}

bool TokenShard::whole() const noexcept { return base::xxh64(bytes_.substr(kHeaderBytes)) == get<uint64_t>(bytes_, 32); }

uint64_t TokenIndex::sequences() const {
  uint64_t sum = 0;
  for (const Shard& shard : shards) {
    sum += shard.sequences;
  }
  return sum;
}

Json TokenIndex::to_json() const {
  Json list = Json::array();
  for (const Shard& shard : shards) {
    list.push_back({{"file", shard.file}, {"sequences", shard.sequences}, {"tokens", shard.tokens}, {"documents", shard.documents}, {"sha256", shard.sha256}});
  }
  Json json = {{"format", kFormat},
               {"length", length},
               {"width", width},
               {"vocabulary", {{"size", vocabulary_size}, {"sha256", vocabulary_sha256}}},
               {"mode", mode},
               {"end", end},
               {"pad", pad},
               {"documents", documents},
               {"tokens", tokens},
               {"tail_tokens", tail_tokens},
               {"sequences", sequences()},
               {"shards", list}};
  json["digest"] = base::digest_of(base::dump_json(json));
  return json;
}

TokenIndex read_token_index(std::string_view text, const std::string& source) {
  const Json json = base::parse_json(text, source);
  if (base::get<std::string>(json, "format", source) != kFormat) {
    throw Error(Code::kInvalid, fmt::format("{}: this is no index of token shards ('format' is not '{}')", source, kFormat));
  }
  TokenIndex index;
  const auto number = [&](const Json& object, const char* key, uint64_t most) {
    const auto value = base::get<uint64_t>(object, key, source);
    if (value > most) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' is {}, more than {}", source, key, value, most));
    }
    return value;
  };
  constexpr uint64_t kMost = uint64_t{1} << 48U;
  index.length = static_cast<uint32_t>(number(json, "length", kMaxSequenceLength));
  index.width = static_cast<uint32_t>(number(json, "width", 4));
  const auto vocabulary = base::get<Json>(json, "vocabulary", source);
  index.vocabulary_size = static_cast<int>(number(vocabulary, "size", std::numeric_limits<int32_t>::max()));
  index.vocabulary_sha256 = base::get<std::string>(vocabulary, "sha256", source);
  index.mode = base::get<std::string>(json, "mode", source);
  index.end = base::get<int>(json, "end", source);
  index.pad = base::get<int>(json, "pad", source);
  index.documents = number(json, "documents", kMost);
  index.tokens = number(json, "tokens", kMost);
  index.tail_tokens = number(json, "tail_tokens", kMost);
  const auto shards = base::get<Json>(json, "shards", source);
  if (!shards.is_array() || shards.size() > kMaxShards) {
    throw Error(Code::kInvalid, fmt::format("{}: 'shards' is no list of at most {} files", source, kMaxShards));
  }
  for (const Json& one : shards) {
    TokenIndex::Shard shard;
    shard.file = base::get<std::string>(one, "file", source);
    if (shard.file.empty() || shard.file.starts_with('.') || shard.file.find('/') != std::string::npos) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' is no name of a file in this folder", source, shard.file));
    }
    shard.sequences = number(one, "sequences", kMost);
    shard.tokens = number(one, "tokens", kMost);
    shard.documents = number(one, "documents", kMost);
    shard.sha256 = base::get<std::string>(one, "sha256", source);
    index.shards.push_back(std::move(shard));
  }
  if (base::get<std::string>(json, "digest", source) != index.to_json()["digest"].get<std::string>()) {
    throw Error(Code::kIntegrity, fmt::format("{}: its digest does not fit: it was changed by hand, or is damaged", source));
  }
  return index;
}

TokenFolder::TokenFolder(const fs::path& folder) : folder_(folder) {
  const fs::path file = folder / "index.json";
  if (!base::is_file(file)) {
    throw Error(Code::kNotFound, fmt::format("'{}' holds no index.json: it is no finished folder of `slipway data pack`", folder.string()));
  }
  const std::string text = base::read_file(file, size_t{256} << 20U);
  index_ = read_token_index(text, file.string());
  digest_ = index_.to_json()["digest"].get<std::string>();
  for (const TokenIndex::Shard& shard : index_.shards) {
    const std::string name = (folder / shard.file).string();
    files_.emplace_back(name);
    shards_.emplace_back(files_.back().bytes(), name);
    const TokenShard& read = shards_.back();
    if (read.length() != index_.length || read.width() != index_.width || read.sequences() != shard.sequences) {
      throw Error(Code::kIntegrity, fmt::format("'{}' is not the shard that index.json lists; pack it again", name));
    }
    ends_.push_back(sequences() + read.sequences());
  }
}

void TokenFolder::read(uint64_t sequence, TokenSequence& out) const {
  SLIPWAY_CHECK(sequence < sequences());
  const auto shard = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), sequence) - ends_.begin());
  shards_[shard].read(sequence - (shard == 0 ? 0 : ends_[shard - 1]), out);
}

void TokenFolder::verify() const {
  for (size_t i = 0; i < shards_.size(); ++i) {
    const fs::path file = folder_ / index_.shards[i].file;
    if (!shards_[i].whole() || base::sha256_hex(files_[i].bytes()) != index_.shards[i].sha256) {
      throw Error(Code::kIntegrity, fmt::format("'{}' is not what was written; pack it again", file.string()));
    }
  }
}

}  // namespace slipway::data
