// f32 x -> Conv2d -> MaxPool -> Dense -> Dense -> Softmax
//   ==>
// f32 x -> Cast -> Conv2d -> MaxPool -> Dense -> Cast -> f32 Dense -> Softmax
//
// Legal by the wanted precision alone: fp16 and bf16 say that the activations of the network may be
// rounded to that type. Sums stay float32 inside the operators, and parameters float32 in the
// graph: a backend packs weights in the type it multiplies and may keep biases. What stays float32:
//   - the head: pictures, their normalisation, and whatever only moves the network's inputs;
//   - the tail: the last layer that sums before every end of the network, and all behind it. Its
//     result is the answer: with the 8 bits of a bf16 a score of 20 moves by up to 0.06, and so the
//     probability by 6 %;
//   - operators that have no form for the type (TopK, quantisation).
// Every value is cast at most once in each direction, and only where the type changes.
#include <map>
#include <optional>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/half.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "reduce-precision";

std::optional<DType> half_type(Precision precision) {
  if (precision == Precision::kFp16) return DType::kFloat16;
  if (precision == Precision::kBf16) return DType::kBFloat16;
  return std::nullopt;
}

/// Whether the elements of the result are elements of the inputs.
bool only_moves(const Op& op) {
  return std::holds_alternative<Concat>(op) || std::holds_alternative<Slice>(op) ||
         std::holds_alternative<Reshape>(op) || std::holds_alternative<Transpose>(op) ||
         std::holds_alternative<Identity>(op);
}

/// Whether an element of the result is a function of one element, or of scores that compete.
bool may_follow_the_last_sum(const Op& op) {
  return only_moves(op) || std::holds_alternative<Relu>(op) || std::holds_alternative<Clip>(op) ||
         std::holds_alternative<Tanh>(op) || std::holds_alternative<Sigmoid>(op) ||
         std::holds_alternative<Rescale>(op) || std::holds_alternative<Softmax>(op) ||
         std::holds_alternative<TopK>(op) || std::holds_alternative<Cast>(op);
}

/// Of every node: whether all ways from it to an end of the network pass no further sum. A value
/// that is used inside and is an output as well ends nothing: taps leave the network as it is.
std::vector<bool> find_tail(const Graph& graph) {
  std::vector<bool> tail(graph.nodes().size(), true);
  for (NodeId id = graph.size() - 1; id >= 0; --id) {
    const Node& node = graph.node(id);
    if (tail[static_cast<std::size_t>(id)] && may_follow_the_last_sum(node.op)) continue;
    for (const Value& input : node.inputs) tail[static_cast<std::size_t>(input.node)] = false;
  }
  return tail;
}

Constant cast_constant(const Constant& constant, DType to) {
  const TensorDesc desc{to, constant.desc.shape};
  std::vector<std::byte> bytes(byte_size(desc));
  const PinnedBytes values = constant.read();
  const ConstTensorView source{&constant.desc, values.data()};
  const TensorView target{&desc, bytes.data()};
  Cast{to}.evaluate({&source, 1}, {&target, 1});
  return {desc, Buffer::from(std::move(bytes))};
}

class Reduction {
 public:
  Reduction(const Graph& graph, PassContext& context, DType half)
      : graph_(graph),
        report_(context.report),
        half_(half),
        takes_relus_out_(!context.traits.fuses_half_input_relu),
        rewriter_(graph) {}

  /// Returns whether anything changed.
  bool run();

  [[nodiscard]] Graph finish() { return rewriter_.finish(); }

 private:
  [[nodiscard]] bool is_activation(const Node& node, std::size_t i) const;
  [[nodiscard]] bool reads_half(const Node& node) const;
  [[nodiscard]] bool can_be_half(const Node& node) const;
  Value in_type(Value old, DType wanted);
  Value before(Conv2d& conv, Value input);
  void add(NodeId id, DType wanted);

  const Graph& graph_;
  Report& report_;
  DType half_;
  bool takes_relus_out_;
  Rewriter rewriter_;
  std::map<std::pair<NodeId, std::int32_t>, Value> casts_;  ///< by the new graph's value
  std::map<std::pair<NodeId, std::int32_t>, Value> relus_;  ///< likewise
  bool changed_ = false;
};

bool Reduction::is_activation(const Node& node, std::size_t i) const {
  std::vector<TensorDesc> descs;
  descs.reserve(node.inputs.size());
  for (const Value& input : node.inputs) descs.push_back(graph_.desc(input));
  return !is_parameter(node.op, descs, i);
}

/// Whether an input was float32 and has become the half type.
bool Reduction::reads_half(const Node& node) const {
  for (const Value& input : node.inputs) {
    const TensorDesc& now = rewriter_.result().desc(rewriter_.map(input));
    if (now != graph_.desc(input)) return true;
  }
  return false;
}

bool Reduction::can_be_half(const Node& node) const {
  if (node.inputs.empty() || graph_.desc(node.inputs[0]).dtype != DType::kFloat32) return false;
  return takes_half(node.op) || (only_moves(node.op) && reads_half(node));
}

/// The old value in the new graph, in that float type.
Value Reduction::in_type(Value old, DType wanted) {
  const Value value = rewriter_.map(old);
  const Graph& now = rewriter_.result();
  if (now.desc(value).dtype == wanted) return value;
  const auto [cast, is_new] = casts_.try_emplace({value.node, value.output});
  if (is_new) {
    const std::string name = cat(value_name(now, value), '/', to_string(wanted));
    const auto* constant = now.node(value).as<Constant>();
    const bool known = constant != nullptr && constant->data != nullptr;
    cast->second = known ? rewriter_.add(cast_constant(*constant, wanted), {}, name)
                         : rewriter_.add(Cast{wanted}, {value}, name);
  }
  return cast->second;
}

/// Takes out of a convolution what it applies to its input, where the target's multiply 16-bit
/// values as they are. A Relu rounds nothing; all that read one value share its Relu.
Value Reduction::before(Conv2d& conv, Value input) {
  if (!takes_relus_out_ || conv.input_activation != ActivationKind::kRelu) return input;
  conv.input_activation = ActivationKind::kNone;
  const auto [relu, is_new] = relus_.try_emplace({input.node, input.output});
  if (is_new) {
    relu->second =
        rewriter_.add(Relu{}, {input}, cat(value_name(rewriter_.result(), input), "/relu"));
  }
  return relu->second;
}

/// Copies a node with its float32 activations in the wanted type; parameters stay.
void Reduction::add(NodeId id, DType wanted) {
  const Node& node = graph_.node(id);
  std::vector<Value> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const DType type = graph_.desc(node.inputs[i]).dtype;
    const bool follows = type == DType::kFloat32 && is_activation(node, i);
    inputs.push_back(in_type(node.inputs[i], follows ? wanted : type));
  }
  Op op = node.op;
  if (auto* conv = std::get_if<Conv2d>(&op); conv != nullptr && wanted == half_) {
    inputs[0] = before(*conv, inputs[0]);
  }
  rewriter_.copy_onto(id, std::move(op), std::move(inputs));
}

bool Reduction::run() {
  const std::vector<bool> tail = find_tail(graph_);
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    const bool half = can_be_half(node) && !tail[static_cast<std::size_t>(id)];
    if (half) {
      report_.take(kName, node.name, cat("computed in ", to_string(half_)));
      changed_ = true;
    } else if (can_be_half(node)) {
      report_.refuse(kName, node.name, "no sum follows that would even out its rounding");
    } else if (reads_half(node)) {
      report_.refuse(kName, node.name, cat(op_name(node.op), " has no form in ", to_string(half_)));
    }
    add(id, half ? half_ : DType::kFloat32);
  }
  // Whoever reads an output gets what the network's description says.
  for (const GraphOutput& output : graph_.outputs()) {
    rewriter_.replace(output.value, in_type(output.value, graph_.desc(output.value).dtype));
  }
  return changed_;
}

}  // namespace

bool reduce_precision(Graph& graph, PassContext& context) {
  const std::optional<DType> half = half_type(context.precision);
  if (!half) {
    context.report.refuse(
        kName, {}, cat("the network is computed in ", to_string(context.precision)));
    return false;
  }
  Reduction reduction(graph, context, *half);
  if (!reduction.run()) return false;
  graph = reduction.finish();
  return true;
}

}  // namespace fovea
