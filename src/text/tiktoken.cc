// tiktoken files: a line a token, its bytes in base64 and its rank, which is its id and the order of merging.
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"
#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/tokenizer_parts.h"
#include "text/word_patterns.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

struct Special {
  const char* text;
  int32_t id;  // counted from the number of ranks when `relative`
};

struct Family {
  const char* name;  // a part of the file's name; empty: any
  const char* pattern;
  bool relative;
  std::array<Special, 8> special;  // the unused ones have no text
};

constexpr Family kFamilies[] = {
    {"cl100k",
     kCl100kPattern,
     false,
     {{{"<|endoftext|>", 100257},
       {"<|fim_prefix|>", 100258},
       {"<|fim_middle|>", 100259},
       {"<|fim_suffix|>", 100260},
       {"<|endofprompt|>", 100276}}}},
    {"o200k", kO200kPattern, false, {{{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}}},
    {"p50k", kGpt2TiktokenPattern, false, {{{"<|endoftext|>", 50256}}}},
    {"r50k", kGpt2TiktokenPattern, false, {{{"<|endoftext|>", 50256}}}},
    {"gpt2", kGpt2TiktokenPattern, false, {{{"<|endoftext|>", 50256}}}},
    {"qwen", kQwen2Pattern, true, {{{"<|endoftext|>", 0}, {"<|im_start|>", 1}, {"<|im_end|>", 2}}}},
    {"",
     kLlama3Pattern,
     true,
     {{{"<|begin_of_text|>", 0},
       {"<|end_of_text|>", 1},
       {"<|start_header_id|>", 6},
       {"<|end_header_id|>", 7},
       {"<|eot_id|>", 9}}}},
};

const Family& family_of(const std::string& name) noexcept {
  for (const Family& family : kFamilies) {
    if (name.find(family.name) != std::string::npos) {
      return family;
    }
  }
  return kFamilies[std::size(kFamilies) - 1];
}

// One line; nullopt when it is not base64, a space and a number.
struct Line {
  std::string bytes;
  int64_t rank;
};
std::optional<Line> parse_line(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) {
    return std::nullopt;
  }
  auto bytes = base::base64_decode(line.substr(0, space));
  Line result;
  const char* begin = line.data() + space + 1;
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(begin, end, result.rank);
  if (!bytes || bytes->empty() || parsed.ec != std::errc() || parsed.ptr != end || begin == end) {
    return std::nullopt;
  }
  result.bytes = std::move(*bytes);
  return result;
}

std::string_view next_line(std::string_view text, size_t& at) noexcept {
  const size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  at = end + 1;
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

bool is_tiktoken(std::string_view bytes) {
  size_t at = 0;
  const std::string_view line = next_line(bytes.substr(0, 4096), at);
  return line.size() < 4096 && parse_line(line).has_value();
}

std::unique_ptr<Tokenizer> parse_tiktoken(std::string_view text, const std::string& family_name,
                                          const std::string& source) {
  auto parts = std::make_unique<TokenizerParts>();
  parts->vocabulary.reserve(text.size(), text.size() / 16);
  int64_t number = 0;
  int64_t largest = -1;
  std::string chars;
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = next_line(text, at);
    ++number;
    if (line.empty()) {
      continue;
    }
    const auto entry = parse_line(line);
    if (!entry) {
      throw Error(Code::kInvalid,
                  fmt::format("{}: line {} is not a token in base64, a space and its rank", source, number));
    }
    chars.clear();
    append_byte_chars(entry->bytes, chars);
    parts->vocabulary.add(chars, entry->rank, source);
    largest = std::max(largest, entry->rank);
  }
  const Family& family = family_of(family_name);
  std::vector<uint32_t> ranks(static_cast<size_t>(largest + 1));
  for (size_t id = 0; id < ranks.size(); ++id) {
    ranks[id] = static_cast<uint32_t>(id);
  }
  for (const Special& special : family.special) {
    const int64_t id = special.text == nullptr ? 0 : special.id + (family.relative ? largest + 1 : 0);
    if (special.text == nullptr || id <= largest) {
      continue;  // a file of the family with more ranks than it had
    }
    parts->vocabulary.add(special.text, id, source);
    parts->added.push_back({static_cast<int32_t>(id), special.text, false, false, false, false, true});
  }
  parts->vocabulary.build(source);
  ranks.resize(static_cast<size_t>(parts->vocabulary.size()), MergeTable::kNone);
  std::vector<std::unique_ptr<PreTokenizer>> pre_tokenizers;
  pre_tokenizers.push_back(make_regex_split(family.pattern, Regex::Flavor::kRust, source));
  pre_tokenizers.push_back(make_byte_level({.add_prefix_space = false, .use_regex = false}));
  parts->pre_tokenizer = make_pre_tokenizer_sequence(std::move(pre_tokenizers));
  BpeOptions options;
  options.ignore_merges = true;
  parts->model = std::make_unique<Bpe>(options, merges_by_rank(parts->vocabulary, ranks), parts->vocabulary, source);
  parts->decoder = make_byte_level_decoder();
  if (std::string_view(family.name).empty() && !parts->added.empty()) {
    parts->frame = make_frame({parts->added[0].id}, {}, {});
  }
  return assemble_tokenizer(std::move(parts), source);
}

}  // namespace slipway::text
