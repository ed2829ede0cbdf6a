// The parts of diagnose().
#pragma once

#include <string>
#include <vector>

#include <fovea/diagnostics.h>

#include "engine/core/env.h"

namespace fovea {

/// Read by oneDNN, and heeded by Fovea's own tactics beside it.
inline constexpr env::Variable kOnednnIsa{
    "ONEDNN_MAX_CPU_ISA", "the newest instruction set that is used: AVX2, AVX512_CORE, ..."};

/// The processor, its instruction sets, usable threads, oneDNN, and what is computed with it.
[[nodiscard]] std::vector<Check> diagnose_cpu();

/// The NVIDIA driver, its devices, and the CUDA libraries, by loading what there is of them.
[[nodiscard]] std::vector<Check> diagnose_gpu();

/// Memory, and its limit for this process.
[[nodiscard]] std::vector<Check> diagnose_memory();

/// The helper program and module, the caches, and programs of others.
[[nodiscard]] std::vector<Check> diagnose_files();

/// The environment variables of Fovea.
[[nodiscard]] std::vector<Check> diagnose_environment();

/// "1.5 GiB", "12 MiB".
[[nodiscard]] std::string readable_bytes(double bytes);

}  // namespace fovea
