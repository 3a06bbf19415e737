// ARPA files: read whole or refused; what was read answers.
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "text/ngram_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const slipway::base::TempDir folder;  // NOLINT: of the process
  const auto file = folder.path() / "model.arpa";
  std::ofstream(file, std::ios::binary) << std::string_view(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes; not synced, for speed
  try {
    const auto model = slipway::text::NgramModel::open(file);
    const auto score = model->score_line("a b <unk> c a");
    if (score.words != 6 || !std::isfinite(score.log10)) {
      std::abort();
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
