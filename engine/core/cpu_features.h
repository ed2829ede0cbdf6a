// What the processor can do.
#pragma once

#include <string_view>
#include <vector>

namespace fovea {

struct CpuFeature {
  std::string_view name;  ///< "AVX2", "AVX-512", "VNNI", "BF16", "AMX"
  bool present = false;   ///< and may be used: the system saves its registers
};

/// The instruction sets that decide how fast networks are, the oldest first; empty for a processor
/// that is not x86.
[[nodiscard]] std::vector<CpuFeature> cpu_features();

}  // namespace fovea
