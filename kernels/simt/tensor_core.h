// Products of small matrices by all lanes of a warp, and the loads that lay out their operands.
//
// Source: PTX ISA, "Warp Level Matrix Multiply-Accumulate Instructions", mma.m16n8k16, mma.m16n8k8
// and ldmatrix.
//
// simt::mma<T>(sums, a, b) adds to a 16 x 8 matrix the product of a 16 x K matrix A and the
// transpose of an 8 x K matrix B. K elements are 32 bytes, 8 words: 16 of __half or __nv_bfloat16,
// or 8 of float as to_tf32() makes them. Every lane of the warp takes part; with g = lane / 4 and
// t = lane % 4 it holds
//   a[0], a[1], a[2], a[3]   words t of A's rows g and g + 8, words t + 4 of the same two rows
//   b[0], b[1]               words t and t + 4 of B's row g
//   sums[0 .. 4)             columns 2 t and 2 t + 1 of row g, then those of row g + 8
// Products are exact. The emulator adds them to the sum one by one, k ascending, and rounds to
// float32 every time; a GPU adds several at once, with a few more bits, and cuts the rest off.
//
// simt::load_matrices(words, row) loads four matrices of 8 rows of 16 bytes from shared memory:
// lane l gives the address of row l % 8 of matrix l / 8, a multiple of 16, and gets words[m] = word
// t of row g of matrix m.
//
// simt::to_tf32(x) is x with 10 bits of fraction, rounded to nearest, ties away from zero.
//
// Devices before compute capability 8.0 have no such products of bfloat16 and float.
// simt::kTensorCores says whether code is compiled for one that has; a kernel's body is
// simt::refuse_device() otherwise, which fails the launch.
#pragma once

#ifdef __CUDACC__
#include "kernels/simt/gpu_tensor_core.h"
#else
#include "kernels/simt/emulated_tensor_core.h"
#endif
