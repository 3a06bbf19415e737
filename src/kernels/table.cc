#include "kernels/table.h"

namespace slipway::kernels {

const Kernels& kernels(base::Isa isa) noexcept {
#if defined(__x86_64__)
  switch (isa) {
    case base::Isa::kScalar: return kernels_scalar();
    case base::Isa::kAvx2: return kernels_avx2();
    case base::Isa::kAvx512: return kernels_avx512();
    case base::Isa::kAvx512Vnni: return kernels_avx512_vnni();
  }
#else
  static_cast<void>(isa);
#endif
  return kernels_scalar();
}

}  // namespace slipway::kernels
