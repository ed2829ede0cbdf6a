#include "engine/graph/random_inputs.h"

#include <string>

#include "engine/graph/random_weights.h"

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

}  // namespace

std::vector<TensorBytes> random_inputs(const Graph& graph, std::uint64_t seed) {
  std::vector<TensorBytes> inputs;
  for (const NodeId id : graph.inputs()) {
    inputs.push_back(random_tensor(graph.node(id).name, graph.node(id).outputs[0], seed));
  }
  return inputs;
}

}  // namespace fovea
