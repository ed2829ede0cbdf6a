#include "engine/graph/random_inputs.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/graph/random_weights.h"
#include "engine/graph/usual_pictures.h"

namespace fovea {

namespace {

TensorBytes random_tensor(const std::string& name, const TensorDesc& desc, std::uint64_t seed) {
  TensorBytes bytes(byte_size(desc));
  if (desc.dtype == DType::kUInt8 || desc.dtype == DType::kInt8) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(random_bits(name, seed, i) >> 56U);
    }
  } else if (desc.dtype == DType::kFloat32) {
    fill_uniform(
        name, seed, -1, 1, {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)});
  }
  return bytes;
}

/// The node that takes the value for its table of pictures, or nullptr.
const Node* resize_of_table(const Graph& graph, Value table) {
  const auto nodes = graph.nodes();
  const auto found = std::ranges::find_if(nodes, [&](const Node& node) {
    return resizing(node) != nullptr && node.inputs[1] == table;
  });
  return found == nodes.end() ? nullptr : &*found;
}

/// The rows of the table.
TensorBytes table_of(const UsualPictures& pictures) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < pictures.count; ++i) {
    rows.insert(rows.end(), {pictures.side, pictures.side, i * pictures.picture_bytes});
  }
  TensorBytes table(rows.size() * sizeof(std::int64_t));
  std::memcpy(table.data(), rows.data(), table.size());
  return table;
}

}  // namespace

std::vector<TensorBytes> random_inputs(const Graph& graph, std::uint64_t seed) {
  std::vector<TensorBytes> inputs;
  for (const NodeId id : graph.inputs()) {
    const Node* resize = resize_of_table(graph, {id, 0});
    inputs.push_back(resize != nullptr
                         ? table_of(usual_pictures(graph, *resize))
                         : random_tensor(graph.node(id).name, graph.node(id).outputs[0], seed));
  }
  return inputs;
}

}  // namespace fovea
