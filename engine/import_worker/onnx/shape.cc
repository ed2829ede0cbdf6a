// Flatten, GlobalAveragePool, Softmax: what depends on how the dimensions lie.
#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// Whether the value is a picture of one pixel: the same bytes in every order of dimensions.
bool is_one_pixel(const TensorDesc& desc, Order order) {
  if (desc.shape.size() != 4) return false;
  const std::size_t h = order == Order::kNhwc ? 1 : 2;
  return desc.shape[h] == 1 && desc.shape[h + 1] == 1;
}

}  // namespace

void convert_flatten(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  const std::string& x = node.input(0);
  const TensorDesc desc = conversion.held_desc(0);
  // One past the last dimension is an axis as well, of a column.
  const auto rank = static_cast<std::int64_t>(desc.shape.size());
  const std::int64_t axis = node.integer("axis", 1);
  if (rank < 2 || (axis != 1 && axis != 1 - rank)) {
    node.fail_unsupported(
        cat("flattens ", to_string(conversion.file_desc(0)), " from axis ", axis, " instead of 1"));
  }
  const bool any_order = is_one_pixel(desc, conversion.values.order(x));
  const Value value = any_order ? conversion.values.held(x) : conversion.values.in_file_order(x);
  const std::int64_t elements = num_elements({desc.shape.begin() + 1, desc.shape.end()});
  conversion.define(Reshape{{desc.shape[0], elements}}, {value}, Order::kFile);
}

void convert_global_average_pool(const Conversion& conversion) {
  conversion.node.check_counts(1, 1);
  conversion.define(GlobalPool{.kind = PoolKind::kAverage, .keep_dims = true},
                    {conversion.picture(0)},
                    Order::kNhwc);
}

void convert_softmax(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  conversion.check_float(0);
  const std::string& x = node.input(0);
  const TensorDesc desc = conversion.held_desc(0);
  const Order order = conversion.values.order(x);
  // Before operator set 13 all dimensions from the axis on were one.
  const bool flattens = node.operator_set() < 13;
  const std::size_t rank = desc.shape.size();
  const std::int64_t axis = node.axis(flattens ? 1 : -1, rank);
  const bool last = axis + 1 == static_cast<std::int64_t>(rank);
  if (last) {
    return conversion.define(Softmax{}, {conversion.values.in_file_order(x)}, Order::kFile);
  }
  const bool channels = rank == 4 && axis == 1 && (!flattens || is_one_pixel(desc, order));
  if (!channels) {
    node.fail_unsupported(
        cat("is taken along axis ", axis, " of ", to_string(conversion.file_desc(0))));
  }
  conversion.define(Softmax{}, {conversion.values.in_nhwc(x)}, Order::kNhwc);
}

}  // namespace fovea::onnx
