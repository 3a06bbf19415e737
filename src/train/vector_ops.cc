#include "train/vector_ops.h"

#include "base/cpu.h"

namespace slipway::train {

const VectorOps& vector_ops() noexcept {
#if defined(__x86_64__)
  const base::CpuFeatures& cpu = base::cpu_features();
  if (cpu.avx512) {
    return kVectorOpsAvx512;
  }
  if (cpu.avx2) {
    return kVectorOpsAvx2;
  }
#endif
  return kVectorOpsBaseline;
}

}  // namespace slipway::train
