#include "engine/api/classify_graph.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/core/ragged_batch.h"
#include "engine/core/require.h"
#include "engine/graph/class_scores.h"
#include "engine/graph/names.h"
#include "engine/passes/pass.h"

namespace fovea {

namespace {

/// Bytes that each picture of the head's ragged batch brings along, at least: what one leaves the
/// others may use.
constexpr std::int64_t kPictureBytes = std::int64_t{1} << 20;

/// So many that a resized picture always fits.
std::int64_t picture_budget(const PreprocessSpec& spec) {
  const std::int64_t channels = pixel_bytes(pixel_format(spec.color));
  return std::max(kPictureBytes, std::int64_t{spec.height} * spec.width * channels);
}

bool is_channel_count(std::int64_t size) {
  return size == 1 || size == 3;
}

/// A side of the network's pictures, which are described as `input`.
int checked_side(std::int64_t side, const TensorDesc& input) {
  if (side < 1 || side > kLargestSide) {
    throw InvalidArgument(cat("a classifier's pictures have 1 to ",
                              kLargestSide,
                              " pixels a side; this network takes ",
                              to_string(input)));
  }
  return static_cast<int>(side);
}

}  // namespace

ClassifierShape classifier_shape(const Graph& graph, InputLayout layout) {
  const std::vector<NodeId> inputs = graph.inputs();
  if (inputs.size() != 1) {
    throw InvalidArgument(
        cat("a classifier needs a network with one input; this network has ", inputs.size()));
  }
  const TensorDesc& input = graph.node(inputs[0]).outputs[0];
  ClassifierShape shape;
  shape.channels_first = layout == InputLayout::kNchw;
  const std::size_t channels = shape.channels_first ? 1 : 3;
  const std::size_t height = shape.channels_first ? 2 : 1;
  if (input.dtype != DType::kFloat32 || input.shape.size() != 4 ||
      !is_channel_count(input.shape[channels])) {
    throw InvalidArgument(
        cat("a classifier needs a float32 picture input of 1 or 3 channels; this network takes ",
            to_string(input)));
  }
  require(has_batch(input), "a classifier needs a network whose batch size is open");
  shape.channels = static_cast<int>(input.shape[channels]);
  shape.height = checked_side(input.shape[height], input);
  shape.width = checked_side(input.shape[height + 1], input);

  require(!graph.outputs().empty(), "a classifier needs a network with an output");
  const TensorDesc& output = graph.desc(graph.outputs()[0].value);
  const std::optional<std::int64_t> classes = number_of_classes(output);
  if (!classes || !has_batch(output)) {
    throw InvalidArgument(
        cat("a classifier needs one row of class scores per picture; this network gives ",
            to_string(output)));
  }
  shape.classes = *classes;
  return shape;
}

PreprocessSpec classifier_spec(const PreprocessSpec& contract, const ClassifierShape& shape) {
  PreprocessSpec spec = contract;
  spec.height = shape.height;
  spec.width = shape.width;
  if (shape.channels != (spec.color == ColorMode::kRgb ? 3 : 1)) {
    throw InvalidArgument(cat("the colour of the pictures is ",
                              to_string(spec.color),
                              ", and the network takes ",
                              shape.channels,
                              shape.channels == 1 ? " channel" : " channels"));
  }
  if (shape.channels == 1 &&
      (spec.mode == Normalization::kCaffe || spec.mode == Normalization::kTorch)) {
    throw InvalidArgument(cat("the network takes gray pictures, and '",
                              to_string(spec.mode),
                              "' has a mean for each colour; use none, tf or unit"));
  }
  if (spec.fit == Fit::kCentreCrop && spec.shorter_side < std::max(spec.height, spec.width)) {
    throw InvalidArgument(cat("the shorter side (",
                              spec.shorter_side,
                              ") must be at least the crop (",
                              spec.height,
                              " x ",
                              spec.width,
                              ")"));
  }
  return spec;
}

Graph classify_graph(const Graph& graph,
                     const ClassifierShape& shape,
                     const PreprocessSpec& spec,
                     std::int64_t k,
                     bool logits) {
  Graph whole;
  Names names(graph);
  const auto add = [&](Op op, std::vector<Value> inputs, const char* name) {
    return whole.add(std::move(op), std::move(inputs), names.take(name));
  };
  const Value pixels = add(Input{{DType::kUInt8, {kBatch, picture_budget(spec)}}}, {}, "pixels");
  const Value table = add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "picture_table");
  Value head = add(ResizeImage{spec}, {pixels, table}, "resized_pictures");
  head = add(NormalizeImage{.constants = normalization_constants(spec.mode)},
             {head},
             "normalized_pictures");
  if (shape.channels_first) {
    head = add(Transpose{{0, 3, 1, 2}}, {head}, "channels_first_pictures");
  }

  std::vector<Value> inner_to_whole(graph.nodes().size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.as<Input>() != nullptr) {
      inner_to_whole[static_cast<std::size_t>(id)] = head;
      continue;
    }
    std::vector<Value> inputs;
    for (const Value& input : node.inputs) {
      const Value first = inner_to_whole[static_cast<std::size_t>(input.node)];
      inputs.push_back({first.node, first.output + input.output});
    }
    inner_to_whole[static_cast<std::size_t>(id)] = whole.add_as(node, node.op, std::move(inputs));
  }

  const Value scores = graph.outputs()[0].value;
  Value tail = inner_to_whole[static_cast<std::size_t>(scores.node)];
  tail.output += scores.output;
  if (graph.desc(scores).shape.size() != 2) {
    tail = add(Reshape{{kBatch, shape.classes}}, {tail}, "class_scores");
  }
  if (logits) tail = add(Softmax{}, {tail}, "class_probabilities");
  const Value top = add(TopK{k}, {tail}, "top_classes");
  whole.mark_output(top, "values");
  whole.mark_output({top.node, 1}, "indices");
  whole.compact();
  return whole;
}

Graph deployed_graph(const Model::Impl& model, const Graph& network) {
  constexpr std::int64_t kMostClasses = 5;
  if (!model.preprocessing) return network;
  const ClassifierShape shape = classifier_shape(network, model.manifest.input_layout);
  return classify_graph(network,
                        shape,
                        classifier_spec(*model.preprocessing, shape),
                        std::min(kMostClasses, shape.classes),
                        model.manifest.logits);
}

Graph served_graph(const Model& model) {
  Graph graph = deployed_graph(model.impl(), ModelGraphAccess::graph(model.graph()));
  // In this order, as a plan's passes run: what nobody needs reads no picture.
  PassContext context;
  for (const char* pass : {"drop-dead-nodes", "resize-on-host"}) {
    run_passes(graph, {&find_pass(pass), 1}, context);
  }
  return graph;
}

}  // namespace fovea
