// Any file is one of word vectors or an Error; what is accepted has a vector for each of its words, and neighbours.
#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "model/word_vectors.h"

namespace {

// A file in memory with a path: one on a disk is written anew for each input, and waits for it when others use the
// disk.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : descriptor_(memfd_create("vectors", MFD_CLOEXEC)) {
    SLIPWAY_CHECK(descriptor_ >= 0);
    SLIPWAY_CHECK(write(descriptor_, data, size) == static_cast<ssize_t>(size));
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const MemoryFile file(data, size);
  try {
    const model::WordVectors vectors = model::WordVectors::load(file.path());
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
