// A tokenizer.json as Hugging Face lays it out, from what a trainer learnt. Pure functions. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::text {

struct TokenizerSections {
  base::Json normalizer;
  base::Json pre_tokenizer;
  base::Json post_processor;
  base::Json decoder;
  base::Json model;
};

// An object of tokens and their ids.
base::Json vocab_json(const std::vector<std::string>& tokens);

// `special_tokens` become added tokens, with the ids that they have in `tokens`; those that are not there are left out.
std::string tokenizer_json_text(const std::vector<std::string>& tokens, const std::vector<std::string>& special_tokens,
                                const TokenizerSections& sections);

}  // namespace slipway::text
