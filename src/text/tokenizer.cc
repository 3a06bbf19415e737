#include "text/tokenizer.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "text/bpe.h"
#include "text/piece_map.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_parts.h"
#include "text/unicode.h"
#include "text/wordpiece.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;
namespace fs = std::filesystem;

// A length, stride or id of the sections "truncation" and "padding".
int count_of(const Json& value, const char* key, const std::string& where) {
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > INT32_MAX) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' must be a whole number from 0 to {}", where, key, INT32_MAX));
  }
  return static_cast<int>(value.get<int64_t>());
}

int count_or_zero(const Json& json, const char* key, const std::string& where) {
  const auto it = json.find(key);
  return it == json.end() || it->is_null() ? 0 : count_of(*it, key, where);
}

// One of a few words; the first when the key is absent.
int word_of(const Json& json, const char* key, std::initializer_list<std::string_view> words,
            const std::string& where) {
  const auto word = base::get_or(json, key, std::string(*words.begin()), where);
  const auto it = std::find(words.begin(), words.end(), word);
  if (it == words.end()) {
    throw Error(Code::kInvalid,
                fmt::format("{}: '{}' is '{}'; there are {}", where, key, word, fmt::join(words, ", ")));
  }
  return static_cast<int>(it - words.begin());
}

std::optional<FileTruncation> parse_truncation(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return std::nullopt;
  }
  const std::string where = source + ": truncation";
  FileTruncation out;
  out.max_length = count_of(base::get<Json>(json, "max_length", where), "max_length", where);
  out.stride = count_or_zero(json, "stride", where);
  out.strategy =
      static_cast<TruncationStrategy>(word_of(json, "strategy", {"LongestFirst", "OnlyFirst", "OnlySecond"}, where));
  out.left = word_of(json, "direction", {"Right", "Left"}, where) == 1;
  return out;
}

// "strategy" is "BatchLongest" or {"Fixed": 128}.
std::optional<FilePadding> parse_padding(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return std::nullopt;
  }
  const std::string where = source + ": padding";
  FilePadding out;
  const Json strategy = base::get<Json>(json, "strategy", where);
  if (strategy.is_object()) {
    out.length = count_of(base::get<Json>(strategy, "Fixed", where), "Fixed", where);
  } else {
    word_of(json, "strategy", {"BatchLongest"}, where);
  }
  out.multiple = count_or_zero(json, "pad_to_multiple_of", where);
  out.left = word_of(json, "direction", {"Right", "Left"}, where) == 1;
  out.id = count_or_zero(json, "pad_id", where);
  out.type_id = count_or_zero(json, "pad_type_id", where);
  return out;
}

Json section(const Json& sections, const char* name) {
  const auto it = sections.find(name);
  return it == sections.end() ? Json() : *it;
}

// The lines of a text without their ends; the last may be empty.
template <class Line>
void for_lines(std::string_view text, const Line& line_is) {
  int64_t number = 0;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    line_is(line, number);
    at = end + 1;
  }
}

Json config_beside(const fs::path& file) {
  const fs::path config = file.parent_path() / "tokenizer_config.json";
  if (!fs::exists(config)) {
    return Json::object();
  }
  return base::parse_json(base::read_file(config, size_t{16} << 20), config.string());
}

// T5's and mT5's texts end with </s> where nothing says so (mT5 is published with a spiece.model alone).
bool is_t5(const Json& tokenizer_config, const fs::path& file) {
  const std::string name = base::get_or(tokenizer_config, "tokenizer_class", std::string(), "tokenizer_config.json");
  if (!name.empty()) {
    return name.starts_with("T5Tokenizer") || name.starts_with("MT5Tokenizer");
  }
  const fs::path path = file.parent_path() / "config.json";
  if (!base::is_file(path)) {
    return false;
  }
  const Json config = base::parse_json(base::read_file(path, size_t{16} << 20), path.string());
  const std::string type = base::get_or(config, "model_type", std::string(), path.string());
  return type == "t5" || type == "mt5";
}

// The file of a folder to read.
fs::path file_of_folder(const fs::path& folder) {
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt"}) {
    if (fs::exists(folder / name) && (name != std::string_view("vocab.json") || fs::exists(folder / "merges.txt"))) {
      return folder / name;
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".tiktoken") {
      return entry.path();
    }
  }
  return folder / "tokenizer.json";  // whose absence is then told
}

std::unique_ptr<Tokenizer> load_vocab_merges(const fs::path& vocab, const fs::path& merges) {
  return parse_vocab_merges(base::read_file(vocab, kMaxTokenizerBytes), base::read_file(merges, kMaxTokenizerBytes),
                            vocab.string());
}

// x.vocab.json stands beside x.merges.txt, vocab.json beside merges.txt.
fs::path sibling(const fs::path& file, const std::string& from, const std::string& to) {
  std::string name = file.filename().string();
  const size_t at = name.rfind(from);
  return at == std::string::npos ? fs::path() : file.parent_path() / name.replace(at, from.size(), to);
}

}  // namespace

std::string Tokenizer::token_bytes(int id) const {
  return id < 0 || id >= vocab_size() ? std::string() : decode(std::span(&id, 1), false);
}

std::vector<FrameItem> Tokenizer::frame(bool pair) const {
  return pair ? std::vector<FrameItem>{{0, 0, 0}, {1, 0, 1}} : std::vector<FrameItem>{{0, 0, 0}};
}

void Tokenizer::encode_pair(std::string_view /*first*/, std::string_view /*second*/, const EncodeOptions& /*options*/,
                            Encoding& /*out*/) const {
  throw Error(Code::kInvalid, "this tokenizer takes no pairs of texts");
}

std::unique_ptr<Tokenizer> parse_vocab_txt(std::string_view text, bool lowercase, const std::string& source) {
  auto parts = std::make_unique<TokenizerParts>();
  parts->vocabulary.reserve(text.size(), text.size() / 8);
  for_lines(text, [&](std::string_view line, int64_t id) {
    if (!is_valid_utf8(line)) {
      throw Error(Code::kInvalid, fmt::format("{}: line {} is not UTF-8", source, id + 1));
    }
    if (!line.empty()) {
      parts->vocabulary.add(line, id, source);
    }
  });
  parts->vocabulary.build(source);
  const auto need = [&](const char* token) {
    const int found = parts->vocabulary.find(token);
    if (found < 0) {
      throw Error(Code::kInvalid,
                  fmt::format("{}: has no {}; a BERT vocabulary has [UNK], [CLS] and [SEP]", source, token));
    }
    return found;
  };
  parts->frame = make_frame({need("[CLS]")}, {need("[SEP]")}, {});
  for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    if (const int found = parts->vocabulary.find(special); found >= 0) {
      parts->added.push_back({found, special, false, false, false, false, true});
    }
  }
  BertNormalizerOptions options;
  options.lowercase = options.strip_accents = lowercase;
  parts->normalizer = make_bert_normalizer(options);
  parts->pre_tokenizer = make_bert_pre_tokenizer();
  parts->model = std::make_unique<WordPiece>(WordPieceOptions{}, parts->vocabulary, source);
  parts->decoder = make_wordpiece_decoder("##", true);
  return assemble_tokenizer(std::move(parts), source);
}

std::unique_ptr<Tokenizer> parse_vocab_merges(std::string_view vocab_json, std::string_view merges_txt,
                                              const std::string& source) {
  auto parts = std::make_unique<TokenizerParts>();
  parts->vocabulary.reserve(vocab_json.size(), vocab_json.size() / 8);
  read_vocabulary_json(vocab_json, source, parts->vocabulary);
  parts->vocabulary.build(source);
  MergeList merges;
  for_lines(merges_txt, [&](std::string_view line, int64_t number) {
    if (line.empty() || (number == 0 && line.starts_with("#version"))) {
      return;
    }
    if (!is_valid_utf8(line) || !merges.add(line)) {
      throw Error(Code::kInvalid,
                  fmt::format("{}: merges.txt, line {}: not two tokens with a space between", source, number + 1));
    }
  });
  if (const int end = parts->vocabulary.find("<|endoftext|>"); end >= 0) {
    parts->added.push_back({end, "<|endoftext|>", false, false, false, false, true});
  }
  parts->pre_tokenizer = make_byte_level({.add_prefix_space = false});
  parts->model = make_bpe({}, merges, parts->vocabulary, source);
  parts->frame.trim_offsets = true;
  parts->decoder = make_byte_level_decoder();
  return assemble_tokenizer(std::move(parts), source);
}

std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, std::string_view source_name) {
  const std::string source(source_name);
  TokenizerFile file = split_tokenizer_json(json, source);
  auto parts = std::make_unique<TokenizerParts>();
  parts->vocabulary = std::move(file.vocabulary);
  parts->added = parse_added_tokens(section(file.sections, "added_tokens"), source);
  add_added_tokens(*parts, source);
  parts->vocabulary.build(source);
  parts->model = parse_model(file.model, file.lists, parts->vocabulary, source);
  parts->normalizer = parse_normalizer(section(file.sections, "normalizer"), source);
  parts->pre_tokenizer = parse_pre_tokenizer(section(file.sections, "pre_tokenizer"), source);
  parts->frame = parse_post_processor(section(file.sections, "post_processor"), source);
  parts->decoder = parse_decoder(section(file.sections, "decoder"), source);
  parts->file_truncation = parse_truncation(section(file.sections, "truncation"), source);
  parts->file_padding = parse_padding(section(file.sections, "padding"), source);
  return assemble_tokenizer(std::move(parts), source);
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (std::unique_ptr<Tokenizer> mapped = load_piece_map(path)) {
      return mapped;
    }
  }
  const fs::path file = fs::is_directory(path) ? file_of_folder(path) : path;
  const std::string name = file.filename().string();
  if (name.ends_with("vocab.json")) {
    return load_vocab_merges(file, sibling(file, "vocab.json", "merges.txt"));
  }
  if (name.ends_with("merges.txt")) {
    return load_vocab_merges(sibling(file, "merges.txt", "vocab.json"), file);
  }
  const std::string bytes = base::read_file(file, kMaxTokenizerBytes);
  if (name.ends_with(".txt")) {
    return parse_vocab_txt(bytes, base::get_or(config_beside(file), "do_lower_case", true, "tokenizer_config.json"),
                           file.string());
  }
  if (name.ends_with(".tiktoken") || (name.ends_with(".model") && is_tiktoken(bytes))) {
    return parse_tiktoken(bytes, name, file.string());
  }
  if (name.ends_with(".model")) {
    const Json config = config_beside(file);
    const SideOptions side{base::get_or(config, "add_bos_token", false, "tokenizer_config.json"),
                           base::get_or(config, "add_eos_token", is_t5(config, file), "tokenizer_config.json")};
    return parse_sentencepiece(bytes, side, file.string());
  }
  return parse_tokenizer(bytes, file.string());
}

}  // namespace slipway::text
