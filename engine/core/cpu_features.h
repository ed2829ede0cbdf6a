// What the processor can do.
#pragma once

#include <string>
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

/// The processor's own name, "AMD EPYC 9354 32-Core Processor"; "unknown processor" where it has
/// none.
[[nodiscard]] std::string cpu_model();

}  // namespace fovea
