// What the kernels' tests share: the instruction sets of this machine, random data.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"

namespace slipway::kernels {

inline std::vector<base::Isa> available_isas() {
  std::vector<base::Isa> isas;
  for (const base::Isa isa : {base::Isa::kScalar, base::Isa::kAvx2, base::Isa::kAvx512, base::Isa::kAvx512Vnni}) {
    if (isa <= base::select_isa()) {
      isas.push_back(isa);
    }
  }
  return isas;
}

inline std::vector<float> uniform_floats(base::Rng& rng, size_t count, double low = -1, double high = 1) {
  std::vector<float> values(count);
  for (float& v : values) {
    v = static_cast<float>(low + (high - low) * rng.uniform());
  }
  return values;
}

inline int between(base::Rng& rng, int low, int high) {
  return low + static_cast<int>(rng.below(static_cast<uint64_t>(high - low + 1)));
}

class EachIsa : public ::testing::TestWithParam<base::Isa> {};
inline std::string isa_test_name(const ::testing::TestParamInfo<base::Isa>& param) {
  return base::isa_name(param.param);
}
#define SLIPWAY_EACH_ISA(Suite) \
  INSTANTIATE_TEST_SUITE_P(Isas, Suite, ::testing::ValuesIn(available_isas()), isa_test_name)

}  // namespace slipway::kernels
