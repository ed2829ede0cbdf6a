// Where the compiler makes no AVX-512 code.
#include "engine/backend/cpu/dense_tactics.h"
#include "engine/backend/cpu/depthwise_pixels.h"
#include "engine/backend/cpu/direct.h"
#include "engine/backend/cpu/pool_pixels.h"
#include "engine/backend/cpu/winograd.h"

namespace fovea::cpu {

std::vector<Tactic> winograd_tactics(const OpSite& /*site*/) {
  return {};
}

std::vector<Tactic> direct_tactics(const OpSite& /*site*/) {
  return {};
}

std::vector<Tactic> dense_tactics(const OpSite& /*site*/) {
  return {};
}

LargestOfPixels* avx512_largest() {
  return nullptr;
}

MeanOfPixels* avx512_mean() {
  return nullptr;
}

DepthwiseKernel* avx512_depthwise() {
  return nullptr;
}

bool own_kernels() {
  return false;
}

}  // namespace fovea::cpu
