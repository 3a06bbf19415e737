#include "api/xet_format.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <lz4frame.h>
#include <memory>

#include "base/error.h"

namespace slipway::api {
namespace {

using base::Code;
using base::Error;

constexpr size_t kRecord = 48;  // every record of a shard, its header included
constexpr size_t kHash = 32;
constexpr uint32_t kHasVerification = 1U << 31;
constexpr uint32_t kHasSha256 = 1U << 30;
constexpr std::string_view kXorbFooter = "XETBLOB";

[[noreturn]] void fail(const std::string& what) { throw Error(Code::kInvalid, what); }

uint32_t u24(std::string_view bytes, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

uint32_t u32(std::string_view bytes, size_t at) {
  return u24(bytes, at) | static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + 3])) << 24;
}

// Four little-endian 64-bit numbers, each as 16 hex digits.
std::string hash_text(std::string_view bytes) {
  std::string text;
  for (size_t word = 0; word < kHash; word += 8) {
    for (size_t i = 8; i-- > 0;) {
      text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[word + i]));
    }
  }
  return text;
}

std::string lz4_frame(std::string_view packed, size_t size) {
  LZ4F_dctx* made = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) != 0U) {
    throw Error(Code::kUnavailable, "no memory to unpack a chunk");
  }
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context(made, LZ4F_freeDecompressionContext);
  std::string out(size, '\0');
  size_t done = 0;
  size_t hint = 1;
  while (!packed.empty() && hint != 0) {
    size_t given = out.size() - done;
    size_t taken = packed.size();
    hint = LZ4F_decompress(context.get(), out.data() + done, &given, packed.data(), &taken, nullptr);
    if (LZ4F_isError(hint) != 0U || (given == 0 && taken == 0)) {
      fail("a chunk's LZ4 frame is broken, or longer than it says");
    }
    done += given;
    packed.remove_prefix(taken);
  }
  if (done != size || hint != 0) {
    fail("a chunk's LZ4 frame ends early");
  }
  return out;
}

// First all bytes whose place is 0 modulo 4, then 1, 2, 3: into their places.
void ungroup(std::string_view grouped, char* out) {
  const size_t size = grouped.size();
  size_t from = 0;
  for (size_t group = 0; group < 4; ++group) {
    for (size_t i = group; i < size; i += 4) {
      out[i] = grouped[from++];
    }
  }
}

// Walks over a shard's records.
class Records {
 public:
  explicit Records(std::string_view bytes) : rest_(bytes) {}
  std::string_view next() {
    if (rest_.size() < kRecord) {
      fail("the shard ends within its list of files");
    }
    const std::string_view record = rest_.substr(0, kRecord);
    rest_.remove_prefix(kRecord);
    return record;
  }
  size_t left() const noexcept { return rest_.size() / kRecord; }

 private:
  std::string_view rest_;
};

}  // namespace

std::vector<XetChunk> read_xorb(std::string_view bytes) {
  std::vector<XetChunk> chunks;
  while (!bytes.empty() && !bytes.starts_with(kXorbFooter)) {
    if (bytes.size() < kXetChunkHeader || bytes[0] != 0) {
      fail(fmt::format("the xorb has no chunk where the {}th should begin", chunks.size()));
    }
    const uint32_t packed = u24(bytes, 1);
    XetChunk chunk{static_cast<uint8_t>(bytes[4]), {}, u24(bytes, 5)};
    bytes.remove_prefix(kXetChunkHeader);
    if (packed > bytes.size() || chunk.size > kMaxChunkBytes || chunk.scheme > 2 ||
        (chunk.scheme == 0 && packed != chunk.size)) {
      fail(fmt::format("the header of chunk {} of the xorb is broken", chunks.size()));
    }
    chunk.packed = bytes.substr(0, packed);
    bytes.remove_prefix(packed);
    chunks.push_back(chunk);
    if (chunks.size() > kMaxXorbChunks) {
      fail(fmt::format("a xorb of more than {} chunks", kMaxXorbChunks));
    }
  }
  return chunks;
}

std::string xet_chunk_header(size_t size) {
  const auto byte = [&](int i) { return static_cast<char>(size >> (8 * i)); };
  return {0, byte(0), byte(1), byte(2), 0, byte(0), byte(1), byte(2)};
}

void unpack_chunk(const XetChunk& chunk, std::string& out) {
  if (chunk.scheme == 0) {
    out += chunk.packed;
    return;
  }
  const std::string bytes = lz4_frame(chunk.packed, chunk.size);
  if (chunk.scheme == 1) {
    out += bytes;
    return;
  }
  out.resize(out.size() + bytes.size());
  ungroup(bytes, out.data() + out.size() - bytes.size());
}

std::vector<XetFile> read_shard(std::string_view bytes) {
  Records records(bytes);
  const std::string_view header = records.next();
  if (u32(header, kHash) != 2 || u32(header, kHash + 4) != 0) {
    fail("the shard is not of version 2");
  }
  std::vector<XetFile> files;
  while (true) {
    const std::string_view file = records.next();
    if (std::all_of(file.begin(), file.begin() + kHash, [](char c) { return static_cast<unsigned char>(c) == 0xFF; })) {
      return files;  // what follows tells of xorbs, which are here themselves
    }
    const uint32_t flags = u32(file, kHash);
    const uint32_t count = u32(file, kHash + 4);
    if (count > records.left()) {
      fail("the shard has fewer terms than it says");
    }
    XetFile& made = files.emplace_back();
    made.terms.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      const std::string_view term = records.next();
      made.terms.push_back({hash_text(term), u32(term, kHash + 4), u32(term, kHash + 8), u32(term, kHash + 12)});
    }
    if ((flags & kHasVerification) != 0) {
      for (uint32_t i = 0; i < count; ++i) {
        records.next();
      }
    }
    if ((flags & kHasSha256) != 0) {
      made.sha256 = hash_text(records.next());
    }
  }
}

bool is_xet_hash(std::string_view text) noexcept {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace slipway::api
