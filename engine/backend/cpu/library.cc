#include "engine/backend/cpu/library.h"

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// Whether oneDNN uses the instruction set. Each has the bits of those that it contains.
bool has_isa(unsigned isa) {
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & isa) == isa;
}

}  // namespace

std::string onednn_version() {
  const dnnl_version_t& version = *dnnl_version();
  return cat(version.major, '.', version.minor, '.', version.patch);
}

std::string onednn_isa() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      return "sse41";
    case dnnl_cpu_isa_avx:
      return "avx";
    case dnnl_cpu_isa_avx2:
      return "avx2";
    case dnnl_cpu_isa_avx2_vnni:
      return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core:
      return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
      return "avx512_core_amx";
    default:
      break;
  }
  // One that is newer than this list; the processor's name need not tell two of them apart.
  return cat("isa ", static_cast<unsigned>(dnnl_get_effective_cpu_isa()));
}

bool has_avx512() {
  static const bool kHas = has_isa(dnnl_cpu_isa_avx512_core);  // oneDNN takes 100 ns to answer
  return kHas;
}

Bf16Support bf16_support() {
  if (has_isa(dnnl_cpu_isa_avx512_core_amx)) return Bf16Support::kTiles;
  if (has_isa(dnnl_cpu_isa_avx512_core_bf16)) return Bf16Support::kNative;
  return has_avx512() ? Bf16Support::kEmulated : Bf16Support::kNone;
}

}  // namespace fovea
