// GGUF files (version 2 and 3, little-endian), llama.cpp's format of one file a model: metadata, the tokenizer
// included, then tensors in element types or block formats. The file is mapped; metadata are read once, arrays stay in
// the map until asked for. Every length, count and offset is checked against the file before it is used
// (docs/formats/gguf.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "model/tensor_source.h"
#include "text/gguf_vocabulary.h"

namespace slipway::model {

inline constexpr uint64_t kMaxGgufKeys = 65'536;
inline constexpr uint64_t kMaxGgufTensors = 262'144;
inline constexpr uint64_t kMaxGgufHeaderBytes = uint64_t{512} << 20;
inline constexpr uint64_t kMaxGgufStringBytes = uint64_t{1} << 30;
inline constexpr int64_t kMaxGgufParts = 1'000;

// Types of metadata values, as stored.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// One value, in place. Arrays hold one level: no arrays of arrays.
struct GgufValue {
  GgufType type = GgufType::kU8;  // of the elements when is_array
  bool is_array = false;
  uint64_t count = 1;
  std::string_view bytes;  // the elements, one after another; strings with their lengths before them
};

// The metadata of a file: borrowed bytes, valid as long as the file. Getters throw Error(kInvalid) naming `source` and
// the key for a value of another kind or out of bounds.
class GgufMetadata {
 public:
  explicit GgufMetadata(std::string source = "") : source_(std::move(source)) {}
  const std::map<std::string, GgufValue, std::less<>>& values() const { return values_; }
  bool has(std::string_view key) const { return values_.contains(key); }
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;  // integers too
  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  // Empty when absent.
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<float> numbers(std::string_view key) const;
  std::vector<int32_t> integers(std::string_view key) const;
  // A value as JSON; of arrays at most `max_items`, then their count: {"count": n, "first": [...]}.
  base::Json json(const GgufValue& value, size_t max_items) const;
  const std::string& source() const { return source_; }

 private:
  friend class GgufFile;
  const GgufValue* find(std::string_view key) const;
  std::string source_;
  std::map<std::string, GgufValue, std::less<>> values_;
};

// Immutable after opening; any thread. Shapes are row-major, [out, in] for a linear weight (GGUF stores them reversed).
class GgufFile final : public TensorSource {
 public:
  // Throws Error(kIntegrity) naming file, key or tensor, and byte for each way a file can be wrong; kInvalid for a
  // tensor of a type that is not read (IQ1 to IQ3, TQ, MXFP4); kNotFound when absent. The first part of a split model
  // (split.count, files NAME-00001-of-00003.gguf as gguf-split writes them) opens the others beside it; the metadata
  // are the first part's. Another part is refused by naming the first.
  explicit GgufFile(const std::filesystem::path& path);
  // Parses bytes that the caller keeps alive (tests, fuzzers).
  GgufFile(std::string_view bytes, const std::string& source);
  GgufFile(const GgufFile&) = delete;
  GgufFile& operator=(const GgufFile&) = delete;

  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "gguf"; }
  void drop_pages() const noexcept override {
    file_.drop_pages();
    for (const std::unique_ptr<GgufFile>& part : others_) {
      part->drop_pages();
    }
  }
  const GgufMetadata& metadata() const { return metadata_; }
  uint32_t version() const noexcept { return version_; }
  uint64_t alignment() const noexcept { return alignment_; }
  // tokenizer.ggml.*; nullopt when the file has none. Throws Error(kInvalid) for keys of the wrong kind.
  std::optional<text::GgufVocabulary> vocabulary() const;
  // tokenizer.chat_template; empty when absent.
  std::string chat_template() const;

 private:
  struct OnePart {};
  GgufFile(const std::filesystem::path& path, OnePart);
  void parse(std::string_view bytes);
  void open_other_parts(const std::filesystem::path& path, int64_t parts);
  base::MappedFile file_;
  std::vector<std::unique_ptr<GgufFile>> others_;  // parts after the first
  std::string source_;
  GgufMetadata metadata_;
  std::map<std::string, TensorView> tensors_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 32;
};

// True when the file begins with "GGUF".
bool is_gguf_file(const std::filesystem::path& path) noexcept;

}  // namespace slipway::model
