#include "engine/api/classify_graph.h"

#include <utility>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// Bytes that the head's ragged batch of pictures may hold: a slot of 1 MiB for each of 32
/// pictures.
constexpr std::int64_t kPictureBytes = std::int64_t{32} << 20;

bool is_channel_count(std::int64_t size) {
  return size == 1 || size == 3;
}

}  // namespace

ClassifierShape classifier_shape(const Graph& graph) {
  const std::vector<NodeId> inputs = graph.inputs();
  require(inputs.size() == 1, "a classifier needs a network with one input");
  const TensorDesc& input = graph.node(inputs[0]).outputs[0];
  const bool picture = input.dtype == DType::kFloat32 && input.shape.size() == 4 &&
                       (is_channel_count(input.shape[1]) || is_channel_count(input.shape[3]));
  if (!picture) {
    throw InvalidArgument(
        cat("a classifier needs a float32 picture input of 1 or 3 channels; this network takes ",
            to_string(input)));
  }
  require(has_batch(input), "a classifier needs a network whose batch size is open");
  ClassifierShape shape;
  shape.channels_first = !is_channel_count(input.shape[3]);
  shape.channels = input.shape[shape.channels_first ? 1 : 3];
  shape.height = input.shape[shape.channels_first ? 2 : 1];
  shape.width = input.shape[shape.channels_first ? 3 : 2];

  require(!graph.outputs().empty(), "a classifier needs a network with an output");
  const TensorDesc& output = graph.desc(graph.outputs()[0].value);
  if (output.dtype != DType::kFloat32 || output.shape.size() != 2 || !has_batch(output)) {
    throw InvalidArgument(
        cat("a classifier needs one row of class scores per picture; this network gives ",
            to_string(output)));
  }
  shape.classes = output.shape[1];
  return shape;
}

Graph classify_graph(const Graph& graph, const PreprocessSpec& spec, std::int64_t k, bool logits) {
  const ClassifierShape shape = classifier_shape(graph);
  Graph whole;
  const Value pixels = whole.add(Input{{DType::kUInt8, {kPictureBytes}}}, {}, "pixels");
  const Value table = whole.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "picture_table");
  Value head = whole.add(ResizeImage{spec}, {pixels, table}, "resized_pictures");
  head = whole.add(NormalizeImage{.constants = normalization_constants(spec.mode)},
                   {head},
                   "normalized_pictures");
  if (shape.channels_first) {
    head = whole.add(Transpose{{0, 3, 1, 2}}, {head}, "channels_first_pictures");
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
    inner_to_whole[static_cast<std::size_t>(id)] = whole.add(node.op, std::move(inputs), node.name);
  }

  const Value scores = graph.outputs()[0].value;
  Value tail = inner_to_whole[static_cast<std::size_t>(scores.node)];
  tail.output += scores.output;
  if (logits) tail = whole.add(Softmax{}, {tail}, "class_probabilities");
  const Value top = whole.add(TopK{k}, {tail}, "top_classes");
  whole.mark_output(top, "values");
  whole.mark_output({top.node, 1}, "indices");
  whole.compact();
  return whole;
}

}  // namespace fovea
