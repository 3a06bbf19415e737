#include "cli/lexicon_flags.h"

#include "base/file.h"
#include "base/input.h"
#include "cli/model_argument.h"

namespace slipway::cli {

void LexiconFlags::describe(base::FieldTable& flags, bool user) {
  flags.add("dictionary", dictionary, "a dictionary, WORD FREQUENCY [TAG] a line, in place of jieba's");
  flags.add("jieba", jieba, "the folder of jieba's dict.txt and finalseg/ (Debian's package python3-jieba)");
  if (user) {
    flags.add("user_dictionary", user_dictionaries, "files of further words, WORD [FREQUENCY] [TAG] a line");
  }
}

std::shared_ptr<const text::DictionarySegmenter> LexiconFlags::load(bool hmm) const {
  const std::filesystem::path folder = jieba;
  text::SegmentDictionarySources sources;
  sources.words = dictionary.empty() ? folder / "dict.txt" : std::filesystem::path(dictionary);
  sources.hmm = hmm ? folder / "finalseg" : std::filesystem::path();
  const auto segmenter = std::make_shared<text::DictionarySegmenter>(text::cached_segment_dictionary(sources, cache_folder("segment")));
  for (const std::string& file : user_dictionaries) {
    segmenter->add_user_words(base::read_decompressed(file, size_t{1} << 28), file);
  }
  return segmenter;
}

std::shared_ptr<const text::Tagger> load_tagger(const std::string& model, const LexiconFlags& lexicon) {
  auto loaded = text::SequenceModel::open(model);
  const bool needs = loaded->description().lexicon != 0;
  return std::make_shared<text::Tagger>(std::move(loaded), needs ? lexicon.load(true) : nullptr);
}

}  // namespace slipway::cli
