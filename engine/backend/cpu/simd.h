// Plain loops for whatever registers the processor has.
#pragma once

// The function is compiled for several instruction sets, and the loader takes the best one that the
// processor has. Results are the same bits for all: nothing is contracted or reordered.
// Not under the thread sanitizer: the loader asks before the sanitizer has started, and GCC
// instruments the asking, so that the program dies before main().
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define FOVEA_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOVEA_CLONES
#endif
