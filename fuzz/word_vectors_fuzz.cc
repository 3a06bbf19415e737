// Any file is one of word vectors or an Error; what is accepted has a vector for each of its words, and neighbours.
#include <cstddef>
#include <cstdint>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "model/word_vectors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  static const base::TempDir folder;
  const auto path = folder.path() / "vectors";
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const model::WordVectors vectors = model::WordVectors::load(path);
    for (const std::string& word : vectors.words()) {
      SLIPWAY_CHECK(vectors.vector(word)->size() == static_cast<size_t>(vectors.dim()));
    }
    vectors.vector("unseen");
    vectors.nearest(vectors.find(vectors.words().front()), 3);
    return 0;
  } catch (const base::Error&) {
    return 0;
  }
}
