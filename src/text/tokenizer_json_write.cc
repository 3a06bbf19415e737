#include "text/tokenizer_json_write.h"

#include <algorithm>

namespace slipway::text {

using base::Json;

Json vocab_json(const std::vector<std::string>& tokens) {
  Json vocab = Json::object();
  auto& members = vocab.get_ref<Json::object_t&>();  // without a search for each key
  for (size_t id = 0; id < tokens.size(); ++id) {
    members.push_back({tokens[id], id});
  }
  return vocab;
}

std::string tokenizer_json_text(const std::vector<std::string>& tokens, const std::vector<std::string>& special_tokens,
                                const TokenizerSections& sections) {
  Json added = Json::array();
  for (auto special = special_tokens.begin(); special != special_tokens.end(); ++special) {
    const auto found = std::find(tokens.begin(), tokens.end(), *special);
    if (found == tokens.end() || std::find(special_tokens.begin(), special, *special) != special) {
      continue;
    }
    added.push_back({{"id", found - tokens.begin()},
                     {"content", *special},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  return base::dump_json_pretty({{"version", "1.0"},
                                 {"truncation", nullptr},
                                 {"padding", nullptr},
                                 {"added_tokens", added},
                                 {"normalizer", sections.normalizer},
                                 {"pre_tokenizer", sections.pre_tokenizer},
                                 {"post_processor", sections.post_processor},
                                 {"decoder", sections.decoder},
                                 {"model", sections.model}});
}

}  // namespace slipway::text
