#include "engine/passes/constants.h"

#include <cstring>
#include <utility>

namespace fovea {

std::optional<std::span<const float>> constant_floats(const Graph& graph, Value value) {
  const Constant* constant = graph.node(value).as<Constant>();
  if (constant == nullptr || constant->data == nullptr) return std::nullopt;
  if (constant->desc.dtype != DType::kFloat32) return std::nullopt;
  return ConstTensorView{&constant->desc, constant->data->bytes().data()}.floats();
}

Constant make_constant(Shape shape, std::span<const float> values) {
  const auto source = std::as_bytes(values);
  return {{DType::kFloat32, std::move(shape)}, Buffer::from({source.begin(), source.end()})};
}

}  // namespace fovea
