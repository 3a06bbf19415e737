#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "model/gguf.h"
#include "model/load.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;
using base::Json;

template <class T>
T element(std::string_view bytes, uint64_t index) noexcept {
  return load<T>(bytes.data() + index * sizeof(T));
}

// Element `index` of a value of an integer type; nullopt for other types and beyond int64.
std::optional<int64_t> integer_at(const GgufValue& value, uint64_t index) noexcept {
  switch (value.type) {
    case GgufType::kU8: return element<uint8_t>(value.bytes, index);
    case GgufType::kI8: return element<int8_t>(value.bytes, index);
    case GgufType::kU16: return element<uint16_t>(value.bytes, index);
    case GgufType::kI16: return element<int16_t>(value.bytes, index);
    case GgufType::kU32: return element<uint32_t>(value.bytes, index);
    case GgufType::kI32: return element<int32_t>(value.bytes, index);
    case GgufType::kI64: return element<int64_t>(value.bytes, index);
    case GgufType::kU64: {
      const auto wide = element<uint64_t>(value.bytes, index);
      return wide > INT64_MAX ? std::nullopt : std::optional(static_cast<int64_t>(wide));
    }
    default: return std::nullopt;
  }
}

std::optional<double> number_at(const GgufValue& value, uint64_t index) noexcept {
  if (value.type == GgufType::kF32) {
    return element<float>(value.bytes, index);
  }
  if (value.type == GgufType::kF64) {
    return element<double>(value.bytes, index);
  }
  const auto integer = integer_at(value, index);
  return integer ? std::optional(static_cast<double>(*integer)) : std::nullopt;
}

// The text at `offset` of a string value (parse checked its length); moves the offset behind it.
std::string_view text_at(const GgufValue& value, size_t& offset) noexcept {
  uint64_t size = 0;
  std::memcpy(&size, value.bytes.data() + offset, sizeof(size));
  const std::string_view text = value.bytes.substr(offset + 8, size);
  offset += 8 + size;
  return text;
}

[[noreturn]] void wrong(const std::string& source, std::string_view key, const char* wanted) {
  throw Error(Code::kInvalid, fmt::format("{}: '{}' must be {}", source, key, wanted));
}

}  // namespace

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto number = value->is_array ? std::nullopt : integer_at(*value, 0);
  if (!number) {
    wrong(source_, key, "a whole number");
  }
  return number;
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto number = value->is_array ? std::nullopt : number_at(*value, 0);
  if (!number || !std::isfinite(*number)) {
    wrong(source_, key, "a number");
  }
  return number;
}

std::optional<bool> GgufMetadata::flag(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->is_array || value->type != GgufType::kBool) {
    wrong(source_, key, "true or false");
  }
  return value->bytes.front() != 0;
}

std::optional<std::string> GgufMetadata::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->is_array || value->type != GgufType::kString) {
    wrong(source_, key, "a text");
  }
  size_t offset = 0;
  return std::string(text_at(*value, offset));
}

std::vector<std::string> GgufMetadata::texts(std::string_view key) const {
  std::vector<std::string> texts;
  if (const GgufValue* value = find(key); value != nullptr) {
    if (!value->is_array || value->type != GgufType::kString) {
      wrong(source_, key, "a list of texts");
    }
    texts.reserve(value->count);
    size_t offset = 0;
    for (uint64_t i = 0; i < value->count; ++i) {
      texts.emplace_back(text_at(*value, offset));
    }
  }
  return texts;
}

std::vector<float> GgufMetadata::numbers(std::string_view key) const {
  std::vector<float> numbers;
  if (const GgufValue* value = find(key); value != nullptr) {
    const bool numeric = value->is_array && value->type != GgufType::kString && value->type != GgufType::kBool;
    if (!numeric) {
      wrong(source_, key, "a list of numbers");
    }
    numbers.reserve(value->count);
    for (uint64_t i = 0; i < value->count; ++i) {
      numbers.push_back(static_cast<float>(number_at(*value, i).value_or(std::numeric_limits<double>::quiet_NaN())));
    }
  }
  return numbers;
}

std::vector<int32_t> GgufMetadata::integers(std::string_view key) const {
  std::vector<int32_t> integers;
  if (const GgufValue* value = find(key); value != nullptr) {
    for (uint64_t i = 0; i < value->count; ++i) {
      const auto number = value->is_array ? integer_at(*value, i) : std::nullopt;
      if (!number || *number < INT32_MIN || *number > INT32_MAX) {
        wrong(source_, key, "a list of whole numbers of 32 bits");
      }
      integers.push_back(static_cast<int32_t>(*number));
    }
  }
  return integers;
}

Json GgufMetadata::json(const GgufValue& value, size_t max_items) const {
  size_t offset = 0;
  const auto one = [&](uint64_t i) -> Json {
    if (value.type == GgufType::kString) {
      return std::string(text_at(value, offset));
    }
    if (value.type == GgufType::kBool) {
      return value.bytes[i] != 0;
    }
    if (const auto integer = integer_at(value, i); integer) {
      return *integer;
    }
    return number_at(value, i).value_or(static_cast<double>(UINT64_MAX));
  };
  if (!value.is_array) {
    return one(0);
  }
  Json items = Json::array();
  for (uint64_t i = 0; i < value.count && i < max_items; ++i) {
    items.push_back(one(i));
  }
  return value.count <= max_items ? items : Json{{"count", value.count}, {"first", items}};
}

std::string GgufFile::chat_template() const { return metadata_.text("tokenizer.chat_template").value_or(""); }

std::optional<text::GgufVocabulary> GgufFile::vocabulary() const {
  if (!metadata_.has("tokenizer.ggml.model") || !metadata_.has("tokenizer.ggml.tokens")) {
    return std::nullopt;
  }
  const auto id = [&](const char* key) {
    const auto number = metadata_.integer(std::string("tokenizer.ggml.") + key);
    // -1 as 32 bits is how some files say "none".
    return number && *number >= 0 && *number <= INT32_MAX ? static_cast<int32_t>(*number) : -1;
  };
  text::GgufVocabulary out;
  out.model = *metadata_.text("tokenizer.ggml.model");
  out.pre = metadata_.text("tokenizer.ggml.pre").value_or("");
  out.tokens = metadata_.texts("tokenizer.ggml.tokens");
  out.scores = metadata_.numbers("tokenizer.ggml.scores");
  out.token_types = metadata_.integers("tokenizer.ggml.token_type");
  out.merges = metadata_.texts("tokenizer.ggml.merges");
  if (const GgufValue* map = metadata_.find("tokenizer.ggml.precompiled_charsmap"); map != nullptr) {
    if (!map->is_array || (map->type != GgufType::kU8 && map->type != GgufType::kI8)) {
      wrong(source_, "tokenizer.ggml.precompiled_charsmap", "a list of bytes");
    }
    out.precompiled_charsmap = std::string(map->bytes);
  }
  out.bos_id = id("bos_token_id");
  out.eos_id = id("eos_token_id");
  out.unk_id = id("unknown_token_id");
  out.sep_id = id("separator_token_id") >= 0 ? id("separator_token_id") : id("seperator_token_id");
  out.pad_id = id("padding_token_id");
  out.cls_id = id("cls_token_id");
  out.mask_id = id("mask_token_id");
  out.add_bos = metadata_.flag("tokenizer.ggml.add_bos_token");
  out.add_eos = metadata_.flag("tokenizer.ggml.add_eos_token");
  out.add_space_prefix = metadata_.flag("tokenizer.ggml.add_space_prefix");
  out.remove_extra_whitespaces = metadata_.flag("tokenizer.ggml.remove_extra_whitespaces");
  return out;
}

}  // namespace slipway::model
