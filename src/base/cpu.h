// Which instruction sets this processor and operating system allow; kernels are chosen from it at run time.
#pragma once

#include <string>

namespace slipway::base {

struct CpuFeatures {
  bool avx2 = false;         // AVX2 + FMA + F16C
  bool avx512 = false;       // AVX-512 F, BW, DQ, VL
  bool avx512_vnni = false;  // int8 dot products
  bool avx512_bf16 = false;
  bool amx_int8 = false;
};

// Read once from cpuid (with the operating system's XSAVE state checked). Any thread.
const CpuFeatures& cpu_features() noexcept;

// Levels in rising order; a kernel table is filled for each.
enum class Isa { kScalar, kAvx2, kAvx512, kAvx512Vnni };

const char* isa_name(Isa isa) noexcept;

// The best level this machine allows, lowered by `limit` when it names one ("scalar", "avx2", "avx512", "avx512_vnni";
// empty: no limit). Throws Error(kInvalid) for an unknown name. Callers pass the SLIPWAY_ISA setting.
Isa select_isa(const std::string& limit = {});

// Cores this process may use: the affinity mask, lowered by a cgroup CPU quota; at least 1.
int usable_cores() noexcept;

}  // namespace slipway::base
