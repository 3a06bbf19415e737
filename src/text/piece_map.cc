#include "text/piece_map.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_parts.h"
#include "text/truncation.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;
namespace fs = std::filesystem;

constexpr std::string_view kSpace = "\u2581";

// The languages of M2M100 (Fan et al. 2021, table 1) in the order of their ids, for folders that do not list them.
constexpr std::string_view kM2m100Languages =
    "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu hy "
    "id "
    "ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt ro ru sd "
    "si "
    "sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu";

// Bytes of a text by the number of characters before them; asked for rising numbers, so that a text is walked once.
class ByteOf {
 public:
  explicit ByteOf(std::string_view text) : text_(text) {}
  size_t operator()(uint32_t characters) {
    while (at_ < text_.size() && seen_ < characters) {
      ++at_;
      while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80) {
        ++at_;
      }
      ++seen_;
    }
    return at_;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  uint32_t seen_ = 0;
};

class PieceMap final : public Tokenizer {
 public:
  PieceMap(std::unique_ptr<Tokenizer> pieces, const Json& vocab, const PieceMapOptions& options,
           const std::string& source)
      : pieces_(std::move(pieces)), language_codes_(options.language_codes) {
    for (const auto& [piece, id] : vocab.items()) {
      if (!id.is_number_integer()) {
        throw Error(Code::kInvalid, fmt::format("{}: the id of '{}' is no whole number", source, piece));
      }
      vocabulary_.add(piece, id.get<int64_t>(), source);
    }
    vocabulary_.build(source);
    std::vector<std::string> missing;
    std::copy_if(options.special.begin(), options.special.end(), std::back_inserter(missing),
                 [&](const std::string& token) { return vocabulary_.find(token) < 0; });
    for (const std::string& token : missing) {
      vocabulary_.add(token, vocabulary_.size(), source);
    }
    vocabulary_.build(source);
    for (const std::string& token : options.special) {
      special_.insert(vocabulary_.find(token));
    }
    unk_ = need(options.unk_token, source);
    unk_piece_ = pieces_->token_to_id("<unk>");
    for (const std::string& token : options.before) {
      before_.push_back(need(token, source));
    }
    for (const std::string& token : options.after) {
      after_.push_back(need(token, source));
    }
    for (int id = 0; id < pieces_->vocab_size(); ++id) {
      const int mapped = vocabulary_.find(pieces_->id_to_token(id));
      map_.push_back(mapped >= 0 ? mapped : unk_);
    }
  }

  void encode(std::string_view text, const EncodeOptions& options, Encoding& out) const override {
    out = {};
    uint32_t skipped = 0;  // code points before the part that the pieces' model sees
    if (language_codes_ && text.starts_with(">>")) {
      if (const size_t end = text.find("<<"); end != std::string_view::npos) {
        const std::string_view code = text.substr(0, end + 2);
        const int id = vocabulary_.find(code);
        skipped =
            static_cast<uint32_t>(std::count_if(code.begin(), code.end(), [](char c) { return (c & 0xC0) != 0x80; }));
        out.ids.push_back(id >= 0 ? id : unk_);
        if (options.with_offsets) {
          out.offsets.emplace_back(0, skipped);
        }
        text.remove_prefix(end + 2);
      }
    }
    Encoding cut;
    pieces_->encode(text, {.add_special_tokens = false, .with_offsets = options.with_offsets}, cut);
    const bool unknown = std::find(cut.ids.begin(), cut.ids.end(), unk_piece_) != cut.ids.end();
    if (unknown && !options.with_offsets) {
      pieces_->encode(text, {.add_special_tokens = false, .with_offsets = true}, cut);
    }
    ByteOf byte_of(text);
    for (size_t i = 0; i < cut.ids.size(); ++i) {
      int direct = -1;
      if (unknown && cut.ids[i] == unk_piece_) {
        // What the pieces' model does not know may have a number all the same: both languages share the vocabulary.
        const size_t first = byte_of(cut.offsets[i].first);
        direct = vocabulary_.find(text.substr(first, byte_of(cut.offsets[i].second) - first));
      }
      out.ids.push_back(direct >= 0 ? direct : map_[static_cast<size_t>(cut.ids[i])]);
      if (options.with_offsets) {
        out.offsets.emplace_back(cut.offsets[i].first + skipped, cut.offsets[i].second + skipped);
      }
    }
    const size_t around = options.add_special_tokens ? before_.size() + after_.size() : 0;
    if (const size_t room = room_for_text(options, around); out.ids.size() > room) {
      truncate(0, room, options.truncate_left, out);
    }
    if (options.add_special_tokens) {
      out.ids.insert(out.ids.begin(), before_.begin(), before_.end());
      out.ids.insert(out.ids.end(), after_.begin(), after_.end());
      if (options.with_offsets) {
        out.offsets.insert(out.offsets.begin(), before_.size(), {0, 0});
        out.offsets.insert(out.offsets.end(), after_.size(), {0, 0});
      }
    }
  }

  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const override {
    std::string text;
    for (const int32_t id : ids) {
      if (is_special(id)) {
        if (!skip_special_tokens) {
          text.append(vocabulary_.token(id)).append(" ");
        }
        continue;
      }
      std::string_view token = vocabulary_.token(id);
      for (size_t at = token.find(kSpace); at != std::string_view::npos; at = token.find(kSpace)) {
        text.append(token.substr(0, at)).append(" ");
        token.remove_prefix(at + kSpace.size());
      }
      text.append(token);
    }
    const size_t first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') + 1 - first);
  }

  int vocab_size() const override { return vocabulary_.size(); }
  int token_to_id(std::string_view token) const override { return vocabulary_.find(token); }
  std::string_view id_to_token(int id) const override {
    return id < 0 || id >= vocabulary_.size() ? std::string_view() : vocabulary_.token(id);
  }
  bool is_special(int id) const override { return special_.contains(id); }

 private:
  int32_t need(const std::string& token, const std::string& source) const {
    const int id = vocabulary_.find(token);
    if (id < 0) {
      throw Error(Code::kInvalid, fmt::format("{}: has no token '{}'", source, token));
    }
    return id;
  }

  std::unique_ptr<Tokenizer> pieces_;
  Vocabulary vocabulary_;
  std::unordered_set<int> special_;
  std::vector<int32_t> map_;  // from the pieces' ids
  std::vector<int32_t> before_;
  std::vector<int32_t> after_;
  int32_t unk_ = 0;
  int32_t unk_piece_ = -1;  // of the pieces' model
  bool language_codes_;
};

Json read_object(const fs::path& path) {
  if (!base::is_file(path)) {
    return Json::object();
  }
  Json json = base::parse_json(base::read_file(path, size_t{16} << 20), path.string());
  return json.is_object() ? json : Json::object();
}

// A token's text: as it is, or "content" of its description.
std::string token_text(const Json& value) {
  if (value.is_object()) {
    return base::get_or(value, "content", std::string(), "a token's description");
  }
  return value.is_string() ? value.get<std::string>() : "";
}

std::string token_of(const Json& config, const char* key, const std::string& fallback) {
  const auto it = config.find(key);
  const std::string text = it == config.end() ? "" : token_text(*it);
  return text.empty() ? fallback : text;
}

// Languages, which vocab.json does not have and which are numbered after it in this order: as the files list them, else
// the published ones.
std::vector<std::string> m2m100_languages(const Json& config, const Json& map) {
  std::vector<std::string> tokens;
  for (const Json* object : {&config, &map}) {
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      const auto list = object->find(key);
      if (tokens.empty() && list != object->end() && list->is_array()) {
        std::transform(list->begin(), list->end(), std::back_inserter(tokens), token_text);
      }
    }
  }
  for (size_t at = 0; tokens.size() < 100 && at < kM2m100Languages.size();) {
    const size_t end = std::min(kM2m100Languages.find(' ', at), kM2m100Languages.size());
    const std::string token = fmt::format("__{}__", kM2m100Languages.substr(at, end - at));
    if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) {
      tokens.push_back(token);
    }
    at = end + 1;
  }
  return tokens;
}

}  // namespace

std::unique_ptr<Tokenizer> parse_piece_map(std::string_view sentencepiece, std::string_view vocab_json,
                                           const PieceMapOptions& options, const std::string& source) {
  std::unique_ptr<Tokenizer> pieces = parse_sentencepiece(sentencepiece, {}, source);
  const Json vocab =
      base::parse_json(vocab_json, source + ": vocab.json", {.max_bytes = kMaxTokenizerBytes, .max_depth = 4});
  if (!vocab.is_object() || vocab.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: vocab.json must be an object of pieces and their ids", source));
  }
  return std::make_unique<PieceMap>(std::move(pieces), vocab, options, source);
}

std::unique_ptr<Tokenizer> load_piece_map(const fs::path& folder) {
  const bool marian = base::is_file(folder / "source.spm");
  const fs::path model = folder / (marian ? "source.spm" : "sentencepiece.bpe.model");
  if (base::is_file(folder / "tokenizer.json") || !base::is_file(model) || !base::is_file(folder / "vocab.json")) {
    return nullptr;
  }
  const Json config = read_object(folder / "tokenizer_config.json");
  if (base::get_or(config, "separate_vocabs", false, "tokenizer_config.json")) {
    throw Error(Code::kInvalid, fmt::format("'{}': a vocabulary for each side is not supported", folder.string()));
  }
  PieceMapOptions options;
  options.unk_token = token_of(config, "unk_token", "<unk>");
  options.after = {token_of(config, "eos_token", "</s>")};
  options.special = {options.after.front(), options.unk_token, token_of(config, "pad_token", "<pad>")};
  if (marian) {
    options.language_codes = true;
  } else {
    options.special.push_back(token_of(config, "bos_token", "<s>"));
    const std::vector<std::string> languages =
        m2m100_languages(config, read_object(folder / "special_tokens_map.json"));
    options.special.insert(options.special.end(), languages.begin(), languages.end());
    options.before = {fmt::format("__{}__", token_of(config, "src_lang", "en"))};
  }
  return parse_piece_map(base::read_file(model, kMaxTokenizerBytes),
                         base::read_file(folder / "vocab.json", kMaxTokenizerBytes), options, model.string());
}

}  // namespace slipway::text
