#include "engine/graph/weights.h"

#include <vector>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// The tensor of that parameter; throws as load_weights.
const std::shared_ptr<const Buffer>& find(const NamedTensors& tensors,
                                          const std::string& name,
                                          const TensorDesc& desc) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw Error(ErrorCode::kWeightsMissing,
                cat("the model needs the weights '",
                    name,
                    "' (",
                    to_string(desc),
                    "), and they are not among the ",
                    tensors.size(),
                    " tensors given: use the weights of this very model"));
  }
  const auto& [stored, data] = found->second;
  if (stored != desc || data->size() != byte_size(desc)) {
    throw Error(ErrorCode::kWeightsShapeMismatch,
                cat("the weights '",
                    name,
                    "' are ",
                    to_string(stored),
                    " (",
                    data->size(),
                    " bytes), the model needs ",
                    to_string(desc),
                    " (",
                    byte_size(desc),
                    " bytes): use the weights of this very model"));
  }
  return data;
}

}  // namespace

void load_weights(Graph& graph, const NamedTensors& tensors) {
  std::vector<std::pair<NodeId, Constant>> loaded;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto* constant = graph.node(id).as<Constant>();
    if (constant == nullptr || constant->data != nullptr) continue;
    loaded.push_back(
        {id, {.desc = constant->desc, .data = find(tensors, graph.node(id).name, constant->desc)}});
  }
  for (auto& [id, constant] : loaded) graph.replace_op(id, std::move(constant));
}

}  // namespace fovea
