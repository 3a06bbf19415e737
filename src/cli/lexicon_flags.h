// Which dictionary words are looked up in: flags of the commands that segment or tag Chinese.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fields.h"
#include "text/dictionary_segmenter.h"
#include "text/tagger.h"

namespace slipway::cli {

struct LexiconFlags {
  std::string jieba = "/usr/lib/python3/dist-packages/jieba";  // where Debian's python3-jieba puts its files
  std::string dictionary;
  std::vector<std::string> user_dictionaries;

  // `user`: words of users, too; a trained model's features take none.
  void describe(base::FieldTable& flags, bool user);
  // The segmenter, its compact dictionary from the cache (built there at the first use). Throws Error(kNotFound) naming the
  // package when jieba's files are not there.
  std::shared_ptr<const text::DictionarySegmenter> load(bool hmm) const;
};

// The tagger of a model file, with the dictionary that it needs.
std::shared_ptr<const text::Tagger> load_tagger(const std::string& model, const LexiconFlags& lexicon);

}  // namespace slipway::cli
