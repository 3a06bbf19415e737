// Just enough of GGUF to read the tokenizer of llama.cpp's own vocabulary files: the room under test reads no files of
// that kind.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "text/gguf_vocabulary.h"

namespace slipway::tests {

class GgufVocabularyReader {
 public:
  explicit GgufVocabularyReader(std::string_view bytes) : bytes_(bytes) {}

  text::GgufVocabulary read() {
    take<uint32_t>();  // magic
    take<uint32_t>();  // version
    take<uint64_t>();  // tensors
    const auto count = take<uint64_t>();
    for (uint64_t i = 0; i < count; ++i) {
      const std::string key(string());
      value(key, take<uint32_t>());
    }
    return out_;
  }

 private:
  template <class T>
  T take() {
    T value;
    if (bytes_.size() - at_ < sizeof value) {
      throw std::runtime_error("the GGUF file ends too early");
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string_view string() {
    const auto size = take<uint64_t>();
    const std::string_view text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }
  void value(const std::string& key, uint32_t type) {
    if (type == 8) {
      const std::string text(string());
      set(key, text);
    } else if (type == 9) {
      const auto item = take<uint32_t>();
      const auto count = take<uint64_t>();
      for (uint64_t i = 0; i < count; ++i) {
        if (item == 8) {
          const std::string_view text = string();
          if (key == "tokenizer.ggml.tokens") {
            out_.tokens.emplace_back(text);
          } else if (key == "tokenizer.ggml.merges") {
            out_.merges.emplace_back(text);
          }
        } else {
          number(key, item);
        }
      }
    } else {
      number(key, type);
    }
  }
  void set(const std::string& key, const std::string& text) {
    if (key == "tokenizer.ggml.model") {
      out_.model = text;
    } else if (key == "tokenizer.ggml.pre") {
      out_.pre = text;
    }
  }
  void number(const std::string& key, uint32_t type) {
    constexpr size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    const std::string_view raw = bytes_.substr(at_, kSizes[type]);
    if (key == "tokenizer.ggml.scores") {
      out_.scores.push_back(take<float>());
      return;
    }
    if (key == "tokenizer.ggml.token_type") {
      out_.token_types.push_back(take<int32_t>());
      return;
    }
    at_ += raw.size();
    uint64_t value = 0;
    std::memcpy(&value, raw.data(), raw.size());
    const std::pair<const char*, int32_t*> kIds[] = {{"bos", &out_.bos_id},     {"eos", &out_.eos_id},
                                                     {"unknown", &out_.unk_id}, {"seperator", &out_.sep_id},
                                                     {"padding", &out_.pad_id}, {"cls", &out_.cls_id}};
    for (const auto& [name, id] : kIds) {
      if (key == std::string("tokenizer.ggml.") + name + "_token_id") {
        *id = static_cast<int32_t>(value);
      }
    }
  }

  std::string_view bytes_;
  size_t at_ = 0;
  text::GgufVocabulary out_;
};

}  // namespace slipway::tests
