#include "text/token_frame.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/vocabulary.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;
using base::Json;

int32_t checked_id(int64_t id, const std::string& where) {
  if (id < 0 || id > Vocabulary::kMaxId) {
    throw Error(Code::kInvalid, fmt::format("{}: id {} is not in 0 to {}", where, id, Vocabulary::kMaxId));
  }
  return static_cast<int32_t>(id);
}

// ["[SEP]", 102]
int32_t pair_id(const Json& json, const char* key, const std::string& where) {
  const Json pair = base::get<Json>(json, key, where);
  if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_integer()) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is not a pair of token and id", where, key));
  }
  return checked_id(pair[1].get<int64_t>(), where);
}

TokenFrame parse_template(const Json& json, const std::string& where) {
  constexpr size_t kMaxItems = 64;
  TokenFrame frame;
  const Json single = base::get<Json>(json, "single", where);
  const Json special = base::get_or<Json>(json, "special_tokens", Json::object(), where);
  if (!single.is_array() || single.size() > kMaxItems) {
    throw Error(Code::kInvalid, fmt::format("{}: 'single' is not a list of at most {} items", where, kMaxItems));
  }
  int sequences = 0;
  for (const Json& item : single) {
    if (item.is_object() && item.contains("Sequence")) {
      ++sequences;
    } else if (item.is_object() && item.contains("SpecialToken")) {
      const auto name = base::get<std::string>(item["SpecialToken"], "id", where);
      const Json token = base::get<Json>(special, name, where + ": special_tokens");
      for (const auto id : base::get<std::vector<int64_t>>(token, "ids", where + ": " + name)) {
        (sequences == 0 ? frame.before : frame.after).push_back(checked_id(id, where));
      }
    } else {
      throw Error(Code::kInvalid, where + ": an item of 'single' is neither Sequence nor SpecialToken");
    }
  }
  if (sequences != 1) {
    throw Error(Code::kInvalid,
                fmt::format("{}: 'single' has the text {} times; exactly once is supported", where, sequences));
  }
  return frame;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

TokenFrame parse_post_processor(const Json& json, const std::string& source) {
  if (json.is_null()) {
    return {};
  }
  const auto type = base::get<std::string>(json, "type", source + ": post_processor");
  const std::string where = fmt::format("{}: post_processor {}", source, type);
  if (type == "TemplateProcessing") {
    return parse_template(json, where);
  }
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    return {{pair_id(json, "cls", where)}, {pair_id(json, "sep", where)}};
  }
  if (type == "Sequence") {
    TokenFrame frame;
    for (const Json& part : base::get<Json>(json, "processors", where)) {
      const TokenFrame inner = parse_post_processor(part, source);
      frame.before.insert(frame.before.begin(), inner.before.begin(), inner.before.end());
      frame.after.insert(frame.after.end(), inner.after.begin(), inner.after.end());
    }
    return frame;
  }
  throw Error(Code::kInvalid, fmt::format("{}: post_processor type '{}' is not supported; supported: BertProcessing, "
                                          "RobertaProcessing, Sequence, TemplateProcessing",
                                          source, type));
}

DecoderOptions parse_decoder(const Json& json, const std::string& source) {
  DecoderOptions options;
  if (json.is_null()) {
    return options;
  }
  const auto type = base::get<std::string>(json, "type", source + ": decoder");
  if (type != "WordPiece") {
    throw Error(Code::kInvalid,
                fmt::format("{}: decoder type '{}' is not supported; supported: WordPiece", source, type));
  }
  options.wordpiece = true;
  options.prefix = base::get_or(json, "prefix", options.prefix, source + ": decoder WordPiece");
  options.cleanup = base::get_or(json, "cleanup", options.cleanup, source + ": decoder WordPiece");
  return options;
}

void append_decoded(const DecoderOptions& options, std::string_view token, bool first, std::string& out) {
  if (!options.wordpiece) {
    if (!first) {
      out += ' ';
    }
    out += token;
    return;
  }
  std::string piece;
  if (!first && !options.prefix.empty() && token.starts_with(options.prefix)) {
    piece = token.substr(options.prefix.size());
  } else {
    piece = first ? std::string(token) : fmt::format(" {}", token);
  }
  if (options.cleanup) {
    constexpr std::pair<std::string_view, std::string_view> kRules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kRules) {
      replace_all(piece, from, to);
    }
  }
  out += piece;
}

}  // namespace slipway::text
