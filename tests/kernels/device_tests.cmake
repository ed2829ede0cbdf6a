# The tests of kernels, which run on every device; the self-test of tests/gpu has them too.
set(FOVEA_KERNEL_TESTS cast convolution copy dense dense_few_rows depthwise epilogue lrn normalize
                       pad pool quantize ragged_resize rescale resize_normalize separable
                       softmax_topk transpose)
