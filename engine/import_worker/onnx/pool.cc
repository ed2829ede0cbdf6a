// MaxPool, AveragePool, GlobalAveragePool.
#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"
#include "engine/import_worker/onnx/window.h"

namespace fovea::onnx {

namespace {

struct PoolWindow {
  Window window;
  Pads pads{0, 0, 0, 0};
  bool rounded_up = false;  ///< by padding that the file does not have
};

/// Pads behind the picture for "ceil_mode".
void round_up(PoolWindow& pool, const Shape& shape) {
  for (std::size_t d = 0; d < 2; ++d) {
    std::int64_t& after = pool.pads.at(d + 2);
    const std::int64_t given = after;
    after = ceil_mode_padding(
        shape[d + 1], pool.pads.at(d), given, pool.window.kernel.at(d), pool.window.strides.at(d));
    pool.rounded_up |= after > given;
  }
}

PoolWindow read_pool(const Conversion& conversion, const Shape& shape) {
  OnnxNode& node = conversion.node;
  if (!node.integers("kernel_shape")) node.fail_corrupt("has no 'kernel_shape'");
  const auto kernel = node.sizes("kernel_shape", 2, 1, 1);
  PoolWindow pool;
  pool.window = read_window(node, {kernel[0], kernel[1]});
  if (pool.window.dilations != Pair{1, 1}) {
    node.fail_unsupported("has 'dilations', which are supported for convolutions only");
  }
  pool.pads = read_padding(node, shape, pool.window);
  if (node.integer("ceil_mode", 0) == 0) return pool;
  if (node.text("auto_pad", "NOTSET") != "NOTSET") {
    node.fail_unsupported(
        "has both 'ceil_mode' and 'auto_pad', which say different things; export it with 'pads'");
  }
  round_up(pool, shape);
  return pool;
}

}  // namespace

void convert_max_pool(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1, 2);
  conversion.refuse_output(1, "the places of the largest elements");
  (void)node.integer("storage_order", 0);  // of those places
  const Value x = conversion.picture(0);
  const PoolWindow pool = read_pool(conversion, conversion.graph.desc(x).shape);
  conversion.define(
      MaxPool{.kernel = pool.window.kernel, .strides = pool.window.strides, .pads = pool.pads},
      {x},
      Order::kNhwc);
}

void convert_average_pool(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  const Value x = conversion.picture(0);
  const PoolWindow pool = read_pool(conversion, conversion.graph.desc(x).shape);
  const bool count_padding = node.integer("count_include_pad", 0) != 0;
  if (count_padding && pool.rounded_up) {
    node.fail_unsupported(
        "counts padding in windows that 'ceil_mode' lets reach beyond it, for which versions of "
        "the format differ; export it without 'count_include_pad'");
  }
  conversion.define(AveragePool{.kernel = pool.window.kernel,
                                .strides = pool.window.strides,
                                .pads = pool.pads,
                                .count_padding = count_padding},
                    {x},
                    Order::kNhwc);
}

void convert_global_average_pool(const Conversion& conversion) {
  conversion.node.check_counts(1, 1);
  conversion.define(GlobalPool{.kind = PoolKind::kAverage, .keep_dims = true},
                    {conversion.picture(0)},
                    Order::kNhwc);
}

}  // namespace fovea::onnx
