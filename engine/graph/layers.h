// A graph as the layers of the description that it was built from, in the terms of Keras.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// A result of another layer that a layer reads.
struct LayerInput {
  std::size_t layer = 0;    ///< its place in the list
  std::int32_t output = 0;  ///< which of its results

  bool operator==(const LayerInput&) const = default;
};

/// One or several nodes: its result, and before it whatever is no layer of its own, such as the
/// convolution below its activation and the transposed kernel.
struct Layer {
  NodeId result = -1;              ///< its name is the layer's
  std::string type;                ///< "Conv2D"
  std::vector<LayerInput> inputs;  ///< in order, a result that is read twice twice

  /// The Constants that are its parameters: those that are trained, then the others, each in
  /// Keras's order (kernel, bias; gamma, beta, moving_mean, moving_variance).
  std::vector<NodeId> parameters;
  std::size_t trainable = 0;  ///< so many of the parameters are trained
};

/// The layers in the order of Keras's Model.layers: by their depth, the most layers on a way to an
/// output first, and within a depth as a depth-first walk from the outputs first meets them.
///
/// A graph in which no layer is recorded, such as an imported ONNX model, is seen as one layer a
/// node, with the operator as its type; what only depends on Constants belongs to the layer that
/// uses it, and all its parameters are trained but the statistics of a BatchNorm.
[[nodiscard]] std::vector<Layer> layers(const Graph& graph);

/// A shape as Keras writes it: "(None, 224, 224, 3)", None for the batch.
[[nodiscard]] std::string keras_shape(const Shape& shape);

/// The shapes of several tensors: one as it is, others as a list, "[(None, 8), (None, 8)]".
[[nodiscard]] std::string keras_shapes(std::span<const TensorDesc> descs);

/// Whether they are a chain: each reads the one before it and nothing else.
[[nodiscard]] bool is_chain(const std::vector<Layer>& layers);

}  // namespace fovea
