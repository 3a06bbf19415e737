// Runs a fuzz target over the files of a folder, and over each file cut short and with bits turned: what ./test can do of fuzzing
// without libFuzzer. Fixed seed, so a failure repeats.
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutations = 2000;  // of each file: under a second for the slowest target

void run(const std::string& bytes) { LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()); }

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      const std::string bytes = slipway::base::read_file(entry.path());
      slipway::base::Rng rng(7, entry.path().filename().string());
      run(bytes);
      ++files;
      for (int k = 0; k < kMutations && !bytes.empty(); ++k) {
        std::string changed = bytes;
        for (uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
          changed[rng.below(changed.size())] ^= static_cast<char>(1 << rng.below(8));
        }
        if (rng.below(3) == 0) {
          changed.resize(rng.below(changed.size() + 1));
        }
        run(changed);
      }
    }
  }
  std::printf("%d files of the corpus and their mutations: no finding\n", files);
  return files > 0 ? 0 : 1;
}
