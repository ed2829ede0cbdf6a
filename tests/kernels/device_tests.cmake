# The tests of kernels, which run on every device; the self-test of tests/gpu has them too.
set(FOVEA_KERNEL_TESTS cast copy dense epilogue normalize pool softmax_topk)
