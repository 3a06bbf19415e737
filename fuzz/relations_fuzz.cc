// Files of relations, of any kind: sentences whose parts fit each other, or an Error.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "data/relation_files.h"
#include "data/relation_training.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    slipway::data::RelationViews views;
    slipway::text::RelationScratch scratch;
    slipway::text::FeatureList features;
    std::vector<slipway::text::EntityPair> pairs;
    for (const auto& sentence : slipway::data::parse_relations({reinterpret_cast<const char*>(data), size}, "fuzz")) {  // NOLINT: bytes
      for (const auto& relation : sentence.relations) {
        if (relation.head >= sentence.entities.size() || relation.tail >= sentence.entities.size()) {
          __builtin_trap();
        }
      }
      views.look_at(sentence);
      slipway::text::pairs_of(views.entities, pairs);
      if (pairs.size() < 1000) {
        slipway::text::relation_features(views.tokens, views.entities, pairs, scratch, features);
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
