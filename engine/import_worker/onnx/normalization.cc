// BatchNormalization, LRN, Softmax.
#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

void convert_batch_normalization(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(5, 5, 5);
  for (int i = 1; i < 5; ++i) conversion.refuse_output(i, "statistics of a training step");
  for (int i = 0; i < 5; ++i) conversion.check_float(i);
  (void)node.real("momentum", 0.9F);  // of training
  if (node.integer("training_mode", 0) != 0) {
    node.fail_unsupported("is in training mode; export the model for inference");
  }
  if (node.operator_set() < 9 && node.integer("spatial", 1) != 1) {
    node.fail_unsupported("has statistics for every place of a picture ('spatial' = 0)");
  }
  const std::string& x = node.input(0);
  const std::size_t rank = conversion.held_desc(0).shape.size();
  if (rank != 2 && rank != 4) {
    node.fail_unsupported(
        cat("takes ",
            to_string(conversion.file_desc(0)),
            "; only rows (NC) and two-dimensional pictures (NCHW) are supported"));
  }
  const Order order = rank == 4 ? Order::kNhwc : Order::kFile;
  std::vector<Value> inputs{rank == 4 ? conversion.values.in_nhwc(x) : conversion.values.held(x)};
  for (int i = 1; i < 5; ++i) inputs.push_back(conversion.values.in_file_order(node.input(i)));
  conversion.define(BatchNorm{.epsilon = node.real("epsilon", 1e-5F)}, std::move(inputs), order);
}

void convert_lrn(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  Lrn lrn;
  lrn.size = node.integer("size", 0);
  lrn.alpha = node.real("alpha", 1e-4F);
  lrn.beta = node.real("beta", 0.75F);
  lrn.bias = node.real("bias", 1.0F);
  conversion.define(lrn, {conversion.picture(0)}, Order::kNhwc);
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
