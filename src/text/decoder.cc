#include "text/decoder.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/aligned_text.h"
#include "text/byte_level.h"
#include "text/pre_tokenizer.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// No space before . ? ! , and English clitics.
void cleanup(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) {
    replace_all(text, from, to);
  }
}

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool clean) : prefix_(std::move(prefix)), clean_(clean) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && !prefix_.empty() && tokens[i].starts_with(prefix_)) {
        tokens[i].erase(0, prefix_.size());
      } else if (i > 0) {
        tokens[i].insert(0, 1, ' ');
      }
      if (clean_) {
        cleanup(tokens[i]);
      }
    }
  }
  std::string bytes_of(std::string token) const override {
    std::vector<std::string> two = {"a", std::move(token)};
    apply(two);
    return std::move(two[1]);
  }

 private:
  std::string prefix_;
  bool clean_;
};

class ByteLevelDecoder final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      if (!append_bytes_of_chars(token, bytes)) {
        bytes += token;  // an added token
      }
    }
    tokens.assign(1, sanitize_utf8(bytes));
  }
  std::string bytes_of(std::string token) const override {
    std::string bytes;
    return append_bytes_of_chars(token, bytes) ? bytes : token;
  }
};

class ByteFallbackDecoder final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) {
        return;
      }
      if (is_valid_utf8(bytes)) {
        out.push_back(bytes);
      } else {
        out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const int byte = byte_of(token); byte >= 0) {
        bytes += static_cast<char>(byte);
        continue;
      }
      flush();
      out.push_back(std::move(token));
    }
    flush();
    tokens = std::move(out);
  }
  std::string bytes_of(std::string token) const override {
    const int byte = byte_of(token);
    return byte >= 0 ? std::string(1, static_cast<char>(byte)) : token;
  }

 private:
  static int byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') {
      return -1;
    }
    int value = 0;
    for (const char c : {token[3], token[4]}) {
      const char lower = static_cast<char>(c | 0x20);
      const bool digit = c >= '0' && c <= '9';
      if (!digit && (lower < 'a' || lower > 'f')) {
        return -1;
      }
      value = value * 16 + (digit ? c - '0' : lower - 'a' + 10);
    }
    return value;
  }
};

class FuseDecoder final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) {
      all += token;
    }
    tokens.assign(1, std::move(all));
  }
};

class StripDecoder final : public Decoder {
 public:
  StripDecoder(std::string content, int64_t start, int64_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      size_t begin = 0;
      size_t end = token.size();
      for (int64_t i = 0; i < start_ && token.compare(begin, content_.size(), content_) == 0; ++i) {
        begin += content_.size();
      }
      for (int64_t i = 0; i < stop_ && end >= begin + content_.size() &&
                          token.compare(end - content_.size(), content_.size(), content_) == 0;
           ++i) {
        end -= content_.size();
      }
      token = token.substr(begin, end - begin);
    }
  }

 private:
  std::string content_;
  int64_t start_;
  int64_t stop_;
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      replace_all(token, from_, to_);
    }
  }
  std::string bytes_of(std::string token) const override {
    replace_all(token, from_, to_);
    return token;
  }

 private:
  std::string from_;
  std::string to_;
};

class RegexReplaceDecoder final : public Decoder {
 public:
  RegexReplaceDecoder(const std::string& pattern, std::string to, const std::string& where)
      : regex_(pattern, where), to_(std::move(to)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      AlignedText text = AlignedText::decode(token, 0);
      text.replace(regex_, to_utf32(to_));
      token.clear();
      text.encode(0, text.size(), token, nullptr);
    }
  }
  std::string bytes_of(std::string token) const override {
    std::vector<std::string> one = {std::move(token)};
    apply(one);
    return std::move(one[0]);
  }

 private:
  Regex regex_;
  std::string to_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(const MetaspaceOptions& options)
      : prepended_(options.prepend != MetaspaceOptions::Prepend::kNever) {
    append_utf8(options.replacement, mark_);
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], mark_, i == 0 && prepended_ ? "" : " ");
    }
  }
  std::string bytes_of(std::string token) const override {
    replace_all(token, mark_, " ");
    return token;
  }

 private:
  std::string mark_;
  bool prepended_;
};

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], suffix_, i + 1 < tokens.size() ? " " : "");
    }
  }
  std::string bytes_of(std::string token) const override {
    replace_all(token, suffix_, " ");
    return token;
  }

 private:
  std::string suffix_;
};

// Connectionist temporal classification: repeated tokens are one, the pad token is none.
class CtcDecoder final : public Decoder {
 public:
  CtcDecoder(std::string pad, std::string delimiter, bool clean)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), clean_(clean) {}
  void apply(std::vector<std::string>& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      replace_all(token, pad_, "");
      if (clean_) {
        cleanup(token);
        replace_all(token, delimiter_, " ");
      }
    }
    std::erase_if(tokens, [](const std::string& token) { return token.empty(); });
  }

 private:
  std::string pad_;
  std::string delimiter_;
  bool clean_;
};

class SequenceDecoder final : public Decoder {
 public:
  explicit SequenceDecoder(std::vector<std::unique_ptr<Decoder>> parts) : parts_(std::move(parts)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) {
      part->apply(tokens);
    }
  }
  std::string bytes_of(std::string token) const override {
    for (const auto& part : parts_) {
      token = part->bytes_of(std::move(token));
    }
    return token;
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

std::string not_empty(std::string text, const std::string& where, const char* what) {
  if (text.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: the {} is empty", where, what));
  }
  return text;
}

std::unique_ptr<Decoder> parse_replace(const Json& json, const std::string& where) {
  const Json pattern = base::get<Json>(json, "pattern", where);
  auto content = base::get<std::string>(json, "content", where);
  if (pattern.is_object() && pattern.contains("Regex")) {
    return std::make_unique<RegexReplaceDecoder>(base::get<std::string>(pattern, "Regex", where), std::move(content),
                                                 where);
  }
  return std::make_unique<ReplaceDecoder>(not_empty(base::get<std::string>(pattern, "String", where), where, "pattern"),
                                          std::move(content));
}

std::unique_ptr<Decoder> parse_strip(const Json& json, const std::string& where) {
  return std::make_unique<StripDecoder>(not_empty(base::get<std::string>(json, "content", where), where, "content"),
                                        base::get_or<int64_t>(json, "start", 0, where),
                                        base::get_or<int64_t>(json, "stop", 0, where));
}

}  // namespace

std::unique_ptr<Decoder> make_wordpiece_decoder(const std::string& prefix, bool clean) {
  return std::make_unique<WordPieceDecoder>(prefix, clean);
}

std::unique_ptr<Decoder> make_byte_level_decoder() { return std::make_unique<ByteLevelDecoder>(); }

std::unique_ptr<Decoder> make_sentencepiece_decoder(int strip) {
  std::vector<std::unique_ptr<Decoder>> parts;
  parts.push_back(std::make_unique<ReplaceDecoder>("\u2581", " "));
  parts.push_back(std::make_unique<ByteFallbackDecoder>());
  parts.push_back(std::make_unique<FuseDecoder>());
  if (strip > 0) {
    parts.push_back(std::make_unique<StripDecoder>(" ", strip, 0));
  }
  return std::make_unique<SequenceDecoder>(std::move(parts));
}

std::unique_ptr<Decoder> parse_decoder(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return nullptr;
  }
  const auto type = base::get<std::string>(json, "type", source + ": decoder");
  const std::string where = fmt::format("{}: decoder {}", source, type);
  if (type == "WordPiece") {
    return make_wordpiece_decoder(base::get_or<std::string>(json, "prefix", "##", where),
                                  base::get_or(json, "cleanup", true, where));
  }
  if (type == "ByteLevel") {
    return make_byte_level_decoder();
  }
  if (type == "ByteFallback") {
    return std::make_unique<ByteFallbackDecoder>();
  }
  if (type == "Fuse") {
    return std::make_unique<FuseDecoder>();
  }
  if (type == "Strip") {
    return parse_strip(json, where);
  }
  if (type == "Replace") {
    return parse_replace(json, where);
  }
  if (type == "Metaspace") {
    return std::make_unique<MetaspaceDecoder>(parse_metaspace(json, where));
  }
  if (type == "BPEDecoder") {
    return std::make_unique<BpeDecoder>(
        not_empty(base::get_or<std::string>(json, "suffix", "</w>", where), where, "suffix"));
  }
  if (type == "CTC") {
    return std::make_unique<CtcDecoder>(
        not_empty(base::get_or<std::string>(json, "pad_token", "<pad>", where), where, "pad_token"),
        not_empty(base::get_or<std::string>(json, "word_delimiter_token", "|", where), where, "word_delimiter_token"),
        base::get_or(json, "cleanup", true, where));
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Decoder>> parts;
    const Json decoders = base::get<Json>(json, "decoders", where);
    for (const Json& part : decoders) {
      if (auto decoder = parse_decoder(part, source)) {
        parts.push_back(std::move(decoder));
      }
    }
    return std::make_unique<SequenceDecoder>(std::move(parts));
  }
  throw Error(Code::kInvalid,
              fmt::format("{}: decoder type '{}' is not supported; supported: BPEDecoder, ByteFallback, "
                          "ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece",
                          source, type));
}

}  // namespace slipway::text
