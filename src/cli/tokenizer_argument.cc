#include "cli/tokenizer_argument.h"

#include <filesystem>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "model/gguf.h"
#include "text/gguf_vocabulary.h"

namespace slipway::cli {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

std::unique_ptr<text::Tokenizer> load_tokenizer_argument(const std::string& path) {
  if (!path.ends_with(".gguf")) {
    return text::load_tokenizer(path);
  }
  const auto vocabulary = model::GgufFile(fs::path(path)).vocabulary();
  if (!vocabulary) {
    throw Error(Code::kInvalid, path + ": has no tokenizer");
  }
  return text::make_tokenizer(*vocabulary, path);
}

int end_of_text_id(const text::Tokenizer& tokenizer, const std::string& named, const std::string& path) {
  if (!named.empty()) {
    const int id = tokenizer.token_to_id(named);
    if (id < 0) {
      throw Error(Code::kInvalid, fmt::format("the vocabulary has no token '{}'", named));
    }
    return id;
  }
  if (path.ends_with(".gguf")) {
    if (const auto vocabulary = model::GgufFile(fs::path(path)).vocabulary(); vocabulary && vocabulary->eos_id >= 0) {
      return vocabulary->eos_id;
    }
  }
  const fs::path config = (fs::is_directory(path) ? fs::path(path) : fs::path(path).parent_path()) / "tokenizer_config.json";
  if (base::is_file(config)) {
    const base::Json json = base::parse_json(base::read_file(config, size_t{16} << 20U), config.string());
    const auto token = json.is_object() ? json.find("eos_token") : json.end();
    if (token != json.end() && !token->is_null()) {
      const std::string text = token->is_object() ? base::get<std::string>(*token, "content", config.string())
                                                  : base::get<std::string>(json, "eos_token", config.string());
      if (const int id = tokenizer.token_to_id(text); id >= 0) {
        return id;
      }
    }
  }
  for (const char* token : {"</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>", "[SEP]"}) {
    if (const int id = tokenizer.token_to_id(token); id >= 0) {
      return id;
    }
  }
  throw Error(Code::kInvalid, "there is no end-of-text token that is known; name it with --end");
}

}  // namespace slipway::cli
