// The kernel dialect: one source that nvcc compiles for the GPU and g++ for the emulator.
//
// A kernel file includes this header and the CUDA headers it needs, and keeps to these rules:
//   simt::launch(kernel, grid, block, shared_bytes, stream, args...)    never <<<>>>
//   SIMT_SHARED(name, float[32]);          a static __shared__ variable, aligned to 16 bytes
//   SIMT_DYNAMIC_SHARED(name, float);      the dynamic shared memory, as a pointer
//   SIMT_UNROLL before a loop;             #pragma unroll
//   simt::load<T>(p), simt::store(p, v)    vector accesses; p aligned to sizeof(T)
//   tensor_core.h, async_copy.h            matrix products of a warp, copies that run alongside
// Inline PTX, textures, cooperative groups and __hfma do not exist in the emulator.
#pragma once

#ifdef __CUDACC__
#include "kernels/simt/gpu_dialect.h"
#else
#include "kernels/simt/emulated_dialect.h"
#endif

namespace simt {

/// Floats that are loaded and stored by one access.
template <int Width>
struct alignas(sizeof(float) * Width) Floats {
  float lane[Width];
};

}  // namespace simt
