// Plain loops for whatever registers the processor has.
#pragma once

// The function is compiled for several instruction sets, and the loader takes the best one that the
// processor has. Results are the same bits for all: nothing is contracted or reordered.
#if defined(__x86_64__)
#define FOVEA_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOVEA_CLONES
#endif
