#include "text/gguf_vocabulary.h"

#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/bpe.h"
#include "text/sentencepiece.h"
#include "text/unicode.h"
#include "text/word_patterns.h"
#include "text/wordpiece.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using Type = SentencePieceModel::Type;

constexpr const char* kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Pre {
  const char* name;
  std::vector<const char*> patterns;  // one after the other; "\\p{N}": single digits
  bool ignore_merges = false;
};

// The values of tokenizer.ggml.pre and what llama.cpp splits by.
const std::vector<Pre>& pres() {
  static const std::vector<Pre> table = {
      {"default", {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"}},
      {"gpt-2", {kGpt2Pattern}},
      {"phi-2", {kGpt2Pattern}},
      {"mpt", {kGpt2Pattern}},
      {"olmo", {kGpt2Pattern}},
      {"roberta-bpe", {kGpt2Pattern}},
      {"jina-es", {kGpt2Pattern}},
      {"jina-de", {kGpt2Pattern}},
      {"jina-v1-en", {kGpt2Pattern}},
      {"jina-v2-es", {kGpt2Pattern}},
      {"jina-v2-de", {kGpt2Pattern}},
      {"jina-v2-code", {kGpt2Pattern}},
      {"gigachat", {kGpt2Pattern}},
      {"smollm", {R"(\p{N})", kGpt2Pattern}},
      {"starcoder", {R"(\p{N})", kGpt2Pattern}},
      {"refact", {R"(\p{N})", kGpt2Pattern}},
      {"command-r", {R"(\p{N})", kGpt2Pattern}},
      {"codeshell", {R"(\p{N})", kGpt2Pattern}},
      {"exaone", {R"(\p{N})", kGpt2Pattern}},
      {"minerva-7b", {R"(\p{N})", kGpt2Pattern}},
      {"falcon", {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9][0-9][0-9]"}},
      {"llama3", {kLlama3Pattern}, true},
      {"llama-v3", {kLlama3Pattern}, true},
      {"llama-bpe", {kLlama3Pattern}, true},
      {"falcon3", {kLlama3Pattern}, true},
      {"pixtral", {kLlama3Pattern}, true},
      {"dbrx", {kLlama3Pattern}},
      {"smaug-bpe", {kLlama3Pattern}},
      {"chatglm-bpe", {kLlama3Pattern}},
      {"glm4", {kLlama3Pattern}},
      {"qwen2", {kQwen2Pattern}},
      {"stablelm2", {kQwen2Pattern}},
      {"deepseek-r1-qwen", {kQwen2Pattern}},
      {"megrez", {kQwen2Pattern}},
      {"hunyuan", {kQwen2Pattern}},
      {"gpt-4o", {kO200kPattern}},
      {"llama4", {kO200kPattern}},
      {"tekken", {kTekken}, true},
      {"deepseek-coder", {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([一-龥ࠀ-一가-퟿]+)", R"(\p{N})"}},
      {"deepseek-v3",
       {R"(\p{N}{1,3})", R"([一-龥぀-ゟ゠-ヿ]+)",
        R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}},
  };
  return table;
}

const Pre& pre_of(const std::string& name, const std::string& source) {
  const std::string wanted = name.empty() ? "default" : name;
  std::string known;
  for (const Pre& pre : pres()) {
    if (wanted == pre.name) {
      return pre;
    }
    known += (known.empty() ? "" : ", ") + std::string(pre.name);
  }
  throw Error(Code::kInvalid,
              fmt::format("{}: tokenizer.ggml.pre '{}' is not supported; supported: {}", source, name, known));
}

std::unique_ptr<PreTokenizer> make_pre(const Pre& pre, const std::string& source) {
  std::vector<std::unique_ptr<PreTokenizer>> parts;
  for (const char* pattern : pre.patterns) {
    parts.push_back(std::string_view(pattern) == R"(\p{N})" ? make_digits(true)
                                                            : make_regex_split(pattern, Regex::Flavor::kRust, source));
  }
  parts.push_back(make_byte_level({.add_prefix_space = false, .use_regex = false}));
  return make_pre_tokenizer_sequence(std::move(parts));
}

void check(const GgufVocabulary& v, const std::string& source) {
  const auto fail = [&](const std::string& what) { throw Error(Code::kInvalid, source + ": " + what); };
  const size_t count = v.tokens.size();
  if (count == 0 || count > static_cast<size_t>(Vocabulary::kMaxId)) {
    fail(fmt::format("tokenizer.ggml.tokens has {} tokens; 1 to {} are possible", count, Vocabulary::kMaxId));
  }
  if ((!v.scores.empty() && v.scores.size() != count) || (!v.token_types.empty() && v.token_types.size() != count)) {
    fail(fmt::format("tokenizer.ggml has {} tokens, {} scores and {} types; their numbers must be equal", count,
                     v.scores.size(), v.token_types.size()));
  }
  for (const int32_t type : v.token_types) {
    if (type < 0 || type > 6) {
      fail(fmt::format("tokenizer.ggml.token_type {} is not in 0 to 6", type));
    }
  }
  for (const float score : v.scores) {
    if (!std::isfinite(score)) {
      fail("tokenizer.ggml.scores has a number that is not finite");
    }
  }
  for (const int32_t id : {v.bos_id, v.eos_id, v.unk_id, v.sep_id, v.pad_id, v.cls_id, v.mask_id}) {
    if (id >= static_cast<int64_t>(count)) {
      fail(fmt::format("special token id {} is not in the vocabulary of {} tokens", id, count));
    }
  }
}

Type type_of(const GgufVocabulary& v, size_t id) {
  const int32_t type = v.token_types.empty() ? 1 : v.token_types[id];
  return type == 0 ? Type::kNormal : static_cast<Type>(type);
}

// Text of a token as it goes into the vocabulary. Some files hold tokens twice or bytes that are no text; those get a
// name that no text has, as they can never be found.
void add_tokens(const std::vector<std::string>& tokens, TokenizerParts& parts, const std::string& source) {
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const bool usable = !tokens[id].empty() && is_valid_utf8(tokens[id]) && seen.emplace(tokens[id], id).second;
    parts.vocabulary.add(usable ? tokens[id] : fmt::format("[UNUSABLE_{}]", id), static_cast<int64_t>(id), source);
  }
  parts.vocabulary.build(source);
}

// Control and user-defined tokens are found in the text as they stand.
void find_added(const GgufVocabulary& v, TokenizerParts& parts) {
  for (size_t id = 0; id < v.tokens.size(); ++id) {
    const Type type = type_of(v, id);
    if (type != Type::kControl && type != Type::kUserDefined && type != Type::kUnknown) {
      continue;
    }
    AddedToken token;
    token.id = static_cast<int32_t>(id);
    token.content = parts.vocabulary.token(token.id);
    token.special = type != Type::kUserDefined;
    parts.added.push_back(std::move(token));
  }
}

void set_frame(const GgufVocabulary& v, bool add_bos, bool add_eos, TokenizerParts& parts) {
  const auto ids = [](bool wanted, int32_t id) {
    return wanted && id >= 0 ? std::vector<int32_t>{id} : std::vector<int32_t>();
  };
  parts.frame = make_frame(ids(v.add_bos.value_or(add_bos), v.bos_id), ids(v.add_eos.value_or(add_eos), v.eos_id), {});
}

std::unique_ptr<Tokenizer> make_gpt2(const GgufVocabulary& v, const std::string& source) {
  if (v.merges.empty()) {
    throw Error(Code::kInvalid, source + ": tokenizer.ggml.merges is missing");
  }
  const Pre& pre = pre_of(v.pre, source);
  auto parts = std::make_unique<TokenizerParts>();
  add_tokens(v.tokens, *parts, source);
  find_added(v, *parts);
  MergeList merges;
  for (const std::string& merge : v.merges) {
    const size_t space = merge.find(' ', 1);  // a token may begin with a space in converted vocabularies
    if (space == std::string::npos || !is_valid_utf8(merge)) {
      throw Error(Code::kInvalid, fmt::format("{}: merge '{}' is not two tokens with a space between", source,
                                              sanitize_utf8(merge).substr(0, 100)));
    }
    merges.add(std::string_view(merge).substr(0, space), std::string_view(merge).substr(space + 1));
  }
  BpeOptions options;
  options.ignore_merges = pre.ignore_merges;
  parts->pre_tokenizer = make_pre(pre, source);
  parts->model = make_bpe(options, merges, parts->vocabulary, source);
  parts->decoder = make_byte_level_decoder();
  set_frame(v, std::string_view(pre.patterns[0]) == kLlama3Pattern && pre.ignore_merges, false, *parts);
  return assemble_tokenizer(std::move(parts), source);
}

std::unique_ptr<Tokenizer> make_sentencepiece(const GgufVocabulary& v, bool unigram, const std::string& source) {
  if (v.scores.empty()) {
    throw Error(Code::kInvalid, source + ": tokenizer.ggml.scores is missing");
  }
  SentencePieceModel model;
  model.pieces = v.tokens;
  model.scores = v.scores;
  model.unigram = unigram;
  model.byte_fallback = true;
  model.charsmap = v.precompiled_charsmap;
  model.unk_id = v.unk_id;
  model.normalizer.add_dummy_prefix = v.add_space_prefix.value_or(true);
  model.normalizer.remove_extra_whitespaces = v.remove_extra_whitespaces.value_or(unigram);
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    // User-defined ones are looked for before anything else, like control tokens (find_added).
    const Type type = type_of(v, id);
    model.types.push_back(type == Type::kUserDefined ? Type::kUnused : type);
    if (model.unk_id < 0 && type == Type::kUnknown) {
      model.unk_id = static_cast<int32_t>(id);
    }
    if (v.tokens[id].empty() || !is_valid_utf8(v.tokens[id]) || !seen.emplace(v.tokens[id], id).second) {
      model.pieces[id] = fmt::format("[UNUSABLE_{}]", id);
      model.types.back() = Type::kUnused;
    }
  }
  auto parts = sentencepiece_parts(model, source);
  find_added(v, *parts);
  set_frame(v, !unigram, unigram, *parts);
  return assemble_tokenizer(std::move(parts), source);
}

// Words begin with U+2581 here and go on without, where BERT's own file has "##" before what goes on.
std::unique_ptr<Tokenizer> make_bert(const GgufVocabulary& v, const std::string& source) {
  constexpr std::string_view kMark = "\u2581";
  std::vector<std::string> tokens;
  for (size_t id = 0; id < v.tokens.size(); ++id) {
    const std::string& token = v.tokens[id];
    const bool bracketed = token.starts_with('[') && token.ends_with(']') && token.size() > 2;
    const bool plain = type_of(v, id) != Type::kNormal || bracketed;
    tokens.push_back(plain ? token : token.starts_with(kMark) ? token.substr(kMark.size()) : "##" + token);
  }
  auto parts = std::make_unique<TokenizerParts>();
  add_tokens(tokens, *parts, source);
  find_added(v, *parts);
  WordPieceOptions options;
  options.unk_token = v.unk_id >= 0 ? tokens[static_cast<size_t>(v.unk_id)] : "[UNK]";
  parts->normalizer = make_bert_normalizer({});
  parts->pre_tokenizer = make_bert_pre_tokenizer();
  parts->model = std::make_unique<WordPiece>(options, parts->vocabulary, source);
  parts->decoder = make_wordpiece_decoder("##", true);
  const auto find = [&](int32_t id, int32_t other, const char* name) {
    const int32_t known = id >= 0 ? id : other;
    return known >= 0 ? known : parts->vocabulary.find(name);
  };
  const int32_t cls = find(v.cls_id, v.bos_id, "[CLS]");
  const int32_t sep = find(v.sep_id, v.eos_id, "[SEP]");
  if (cls < 0 || sep < 0) {
    throw Error(Code::kInvalid, source + ": a BERT vocabulary without [CLS] or [SEP]");
  }
  parts->frame = make_frame({cls}, {sep}, {});
  return assemble_tokenizer(std::move(parts), source);
}

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(const GgufVocabulary& vocabulary, const std::string& source) {
  check(vocabulary, source);
  if (vocabulary.model == "gpt2") {
    return make_gpt2(vocabulary, source);
  }
  if (vocabulary.model == "llama" || vocabulary.model == "t5") {
    return make_sentencepiece(vocabulary, vocabulary.model == "t5", source);
  }
  if (vocabulary.model == "bert") {
    return make_bert(vocabulary, source);
  }
  throw Error(Code::kInvalid, fmt::format("{}: tokenizer.ggml.model '{}' is not supported; supported: bert, gpt2, "
                                          "llama, t5",
                                          source, vocabulary.model));
}

}  // namespace slipway::text
