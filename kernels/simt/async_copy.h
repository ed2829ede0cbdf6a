// Copies from global to shared memory that run while the thread goes on.
//
// Source: PTX ISA, "Data Movement and Conversion Instructions: Asynchronous copy", cp.async.
//
// simt::copy_async(shared, global, wanted)  starts a copy of 16 bytes, or of 16 zero bytes where
// not
//                                           `wanted` (nothing is read then); both aligned to 16
// simt::commit_copies()                     ends a group of the copies started since the last call
// simt::wait_copies<Groups>()               waits until all but the last `Groups` groups of this
//                                           thread are done; other threads see them after a barrier
// In the emulator the target is NaN until the thread has waited, so that a missing wait shows.
//
// Devices before compute capability 8.0 have no such copies, see tensor_core.h.
#pragma once

#ifdef __CUDACC__
#include "kernels/simt/gpu_async_copy.h"
#else
#include "kernels/simt/emulated_async_copy.h"
#endif
