#include "engine/graph/operator_weights.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/ops/strided_copy.h"

namespace fovea {

namespace {

constexpr const char* kNextStep =
    "; weights are given by the order of the convolutions and dense layers: use a file of this "
    "very model";

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::kWeightsShapeMismatch, cat(what, kNextStep));
}

std::vector<NodeId> weighted(const Graph& graph) {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.as<Conv2d>() != nullptr || node.as<Dense>() != nullptr) found.push_back(id);
  }
  return found;
}

/// Neither side may have other parameters: those of the graph would stay empty, those of the file
/// would be left out, and every answer be wrong without a word.
void check_has_no_batch_norm(const Graph& graph, const char* whose) {
  for (const Node& node : graph.nodes()) {
    if (node.as<BatchNorm>() == nullptr) continue;
    fail(cat(whose,
             " has a batch normalisation, '",
             node.name,
             "', whose parameters are not given by this order"));
  }
}

/// A parameter and how the operator sees it: with its dimensions in the order `perm`.
struct Parameter {
  NodeId constant = -1;
  std::vector<std::int64_t> perm;  ///< empty: as it is stored
};

/// The Constant behind the value, at most one Transpose away; nothing where there is none.
std::optional<Parameter> find_parameter(const Graph& graph, Value value) {
  Parameter parameter;
  if (const auto* transpose = graph.node(value).as<Transpose>()) {
    parameter.perm = transpose->perm;
    value = graph.node(value).inputs[0];
  }
  if (graph.node(value).as<Constant>() == nullptr) return std::nullopt;
  parameter.constant = value.node;
  return parameter;
}

/// The data, which is a tensor of that shape, with its dimensions in another order. Moved whenever
/// it is read, so that the network holds no second copy.
std::shared_ptr<const Buffer> moved(const std::shared_ptr<const Buffer>& data,
                                    const Shape& shape,
                                    const std::vector<std::int64_t>& perm) {
  const Constant view{.desc = {DType::kFloat32, permuted(shape, perm)},
                      .data = data,
                      .strides = permuted(row_major_strides(shape), perm)};
  const auto compute = [view](std::span<std::byte> out) {
    copy_strided(view.data->read().data(), out.data(), view.desc, view.strides);
  };
  return Buffer::computed(data->size(), cat("moved ", view.key()), compute);
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  }
  return result;
}

/// What a Dense flattens: a picture of rows, columns, channels, or one whose channels come first.
struct Flattened {
  Shape picture;  ///< without the batch, as it is flattened; empty where none is
  bool channels_first = false;

  /// Whether it matters in which order the dimensions are.
  [[nodiscard]] bool has_order() const {
    return std::ranges::count_if(picture, [](std::int64_t size) { return size > 1; }) > 1;
  }
};

Flattened flattened(const Graph& graph, const Node& dense) {
  const Node* node = &graph.node(dense.inputs[0]);
  while (node->as<Identity>() != nullptr) node = &graph.node(node->inputs[0]);
  if (node->as<Reshape>() == nullptr) return {};
  const Shape& shape = graph.desc(node->inputs[0]).shape;
  if (shape.size() != 4) return {};
  const auto* transpose = graph.node(node->inputs[0]).as<Transpose>();
  const bool channels_first =
      transpose != nullptr && transpose->perm == std::vector<std::int64_t>{0, 3, 1, 2};
  return {.picture = {shape.begin() + 1, shape.end()}, .channels_first = channels_first};
}

/// The kernel [units, inputs] of a Dense behind `from`, as one behind `to`.
std::shared_ptr<const Buffer> reordered(const Constant& kernel,
                                        const Flattened& from,
                                        const Flattened& to) {
  if (from.picture.empty() || to.picture.empty() || from.channels_first == to.channels_first) {
    return kernel.data;
  }
  Shape shape{kernel.desc.shape[0]};
  shape.insert(shape.end(), from.picture.begin(), from.picture.end());
  return moved(kernel.data,
               shape,
               from.channels_first ? std::vector<std::int64_t>{0, 2, 3, 1}
                                   : std::vector<std::int64_t>{0, 3, 1, 2});
}

/// Both sides of one operator.
class Transfer {
 public:
  Transfer(const Graph& graph, NodeId target, const Graph& source, NodeId origin, std::string where)
      : graph_(graph),
        target_(graph.node(target)),
        source_(source),
        origin_(source.node(origin)),
        where_(std::move(where)) {}

  /// The graph's Constants and what they become.
  void append_to(std::vector<std::pair<NodeId, Constant>>& loaded) const {
    if (target_.op.index() != origin_.op.index()) {
      fail(cat(where_, ": a ", op_name(origin_.op), " and a ", op_name(target_.op)));
    }
    if (target_.inputs.size() != origin_.inputs.size()) {
      fail(cat(where_,
               ": ",
               origin_.inputs.size() - 1,
               " and ",
               target_.inputs.size() - 1,
               " parameters"));
    }
    for (std::size_t i = 1; i < target_.inputs.size(); ++i) loaded.push_back(parameter(i));
  }

 private:
  [[nodiscard]] std::pair<NodeId, Constant> parameter(std::size_t input) const {
    const auto to = find_parameter(graph_, target_.inputs[input]);
    const Constant* found = source_.node(origin_.inputs[input]).as<Constant>();
    if (!to || found == nullptr || found->data == nullptr || !found->strides.empty()) {
      fail(cat(where_, ": parameter ", input, " is computed, not stored"));
    }
    const TensorDesc& wanted = graph_.desc(target_.inputs[input]);
    if (found->desc != wanted) {
      fail(cat(where_,
               ": parameter ",
               input,
               " is ",
               to_string(found->desc),
               " in the file, ",
               to_string(wanted),
               " in the model"));
    }
    std::shared_ptr<const Buffer> data = found->data;
    if (target_.as<Dense>() != nullptr && input == 1) {
      data = dense_kernel(*found);
    }
    if (!to->perm.empty()) data = moved(data, wanted.shape, inverse(to->perm));
    const TensorDesc& stored = graph_.node(to->constant).outputs[0];
    return {to->constant, {.desc = stored, .data = std::move(data)}};
  }

  /// The Dense's kernel with its columns in the model's order.
  [[nodiscard]] std::shared_ptr<const Buffer> dense_kernel(const Constant& stored) const {
    const Flattened from = flattened(source_, origin_);
    const Flattened to = flattened(graph_, target_);
    if (from.picture.empty() != to.picture.empty() && (from.has_order() || to.has_order())) {
      fail(cat(where_, ": only one of them is seen to flatten a picture"));
    }
    return reordered(stored, from, to);
  }

  const Graph& graph_;
  const Node& target_;
  const Graph& source_;
  const Node& origin_;
  std::string where_;
};

}  // namespace

void load_weights_by_operator(Graph& graph, const Graph& source) {
  check_has_no_batch_norm(graph, "the model");
  check_has_no_batch_norm(source, "the file");
  const std::vector<NodeId> targets = weighted(graph);
  const std::vector<NodeId> origins = weighted(source);
  if (targets.size() != origins.size()) {
    fail(cat("the file has ",
             origins.size(),
             " convolutions and dense layers, the model ",
             targets.size()));
  }
  std::vector<std::pair<NodeId, Constant>> loaded;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    std::string where = cat("number ",
                            k + 1,
                            " of ",
                            targets.size(),
                            ", '",
                            source.node(origins[k]).name,
                            "' of the file and '",
                            graph.node(targets[k]).name,
                            "' of the model");
    Transfer(graph, targets[k], source, origins[k], std::move(where)).append_to(loaded);
  }
  for (auto& [id, constant] : loaded) graph.replace_op(id, std::move(constant));
}

}  // namespace fovea
