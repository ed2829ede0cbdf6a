#include "engine/import_worker/onnx/import_onnx.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/graph/class_scores.h"
#include "engine/graph/graph_io.h"
#include "engine/import_worker/onnx/converters.h"
#include "engine/import_worker/onnx/onnx_file.h"
#include "engine/import_worker/onnx/onnx_tensor.h"

namespace fovea::onnx {

namespace {

/// "Conv" for operators of the format itself, "domain:Name" for others.
std::string full_name(const NodeProto& node) {
  const bool own = node.domain().empty() || node.domain() == "ai.onnx";
  return own ? node.op_type() : cat(node.domain(), ':', node.op_type());
}

/// How often every operator occurs, the most frequent first: "52 Conv, 35 Clip".
std::string count_operators(const GraphProto& file) {
  std::map<std::string, int> counts;
  for (const NodeProto& node : file.node()) ++counts[full_name(node)];
  std::vector<std::pair<int, std::string>> sorted;
  sorted.reserve(counts.size());
  for (const auto& [name, count] : counts) sorted.emplace_back(-count, name);
  std::ranges::sort(sorted);
  std::string text;
  for (const auto& [count, name] : sorted) {
    text += cat(text.empty() ? "" : ", ", -count, ' ', printable(name));
  }
  return text;
}

/// All operators that have no converter are named at once, so that nobody meets them one by one.
void check_operators(const GraphProto& file) {
  struct Uses {
    int count = 0;
    std::string first;
  };

  std::map<std::string, Uses> unknown;
  for (const NodeProto& node : file.node()) {
    const std::string name = full_name(node);
    if (find_converter(name) != nullptr) continue;
    Uses& uses = unknown[name];
    if (++uses.count == 1) uses.first = OnnxNode(node, 0).label();
  }
  if (unknown.empty()) return;
  constexpr std::size_t kMostListed = 20;
  std::string list;
  std::size_t listed = 0;
  for (const auto& [name, uses] : unknown) {
    if (++listed > kMostListed) {
      list += cat(" and ", unknown.size() - kMostListed, " more");
      break;
    }
    list += cat(list.empty() ? "" : ", ", printable(name), " (", uses.count);
    list += cat(uses.count == 1 ? " node: " : " nodes, the first: ", uses.first, ")");
  }
  throw Unsupported(cat("it uses operators that this build does not import: ", list),
                    ErrorCode::kModelUnsupportedOp);
}

[[noreturn]] void fail_limit(std::int64_t count, std::string_view what, std::int64_t most) {
  throw Error(ErrorCode::kModelLimit,
              cat("it has ", count, ' ', what, ", more than the ", most, " that are taken"));
}

void check_limits(const GraphProto& file) {
  if (file.sparse_initializer_size() > 0) {
    throw Unsupported("it has sparse tensors, which are not read",
                      ErrorCode::kModelUnsupportedFormat);
  }
  constexpr int kMostEnds = 1'000;
  constexpr int kMostTensors = 200'000;
  // Older files list every tensor among the inputs.
  const int inputs = std::max(file.input_size() - file.initializer_size(), 0);
  const int ends = inputs + file.output_size();
  if (file.node_size() > kMaxGraphNodes) fail_limit(file.node_size(), "nodes", kMaxGraphNodes);
  if (file.initializer_size() > kMostTensors) {
    fail_limit(file.initializer_size(), "tensors", kMostTensors);
  }
  if (ends > kMostEnds) fail_limit(ends, "inputs and outputs", kMostEnds);
}

/// Builds one package; used once.
class OnnxImport {
 public:
  explicit OnnxImport(ModelProto model)
      : model_(std::move(model)),
        file_(*model_.mutable_graph()),
        operator_set_(onnx::operator_set(model_)) {}

  Package run() {
    check_limits(file_);
    check_operators(file_);
    ValueTable values(package_.graph, file_);
    for (const ValueInfoProto& input : file_.input()) {
      if (!values.is_initializer(input.name())) add_input(input, values);
    }
    for (const NodeProto& node : file_.node()) convert(node, values);
    for (const ValueInfoProto& output : file_.output()) add_output(output.name(), values);
    if (package_.manifest.outputs.empty()) {
      throw Error(ErrorCode::kModelCorrupt, "its graph has no output");
    }
    package_.graph.compact();
    check_graph();
    describe();
    return std::move(package_);
  }

 private:
  void add_input(const ValueInfoProto& input, ValueTable& values) {
    const std::string label = cat("the input '", printable(input.name()), "'");
    const TypeProto::Tensor& type = input.type().tensor_type();
    if (!type.has_shape()) {
      throw Unsupported(cat(label, " has no shape; export the model with fixed picture sizes"),
                        ErrorCode::kModelUnsupportedOp);
    }
    TensorDesc desc{dtype_of(type.elem_type(), label), {}};
    for (const auto& dim : type.shape().dim()) {
      // Not a number above zero: it is known only at run time. Pictures come in any number.
      const bool is_open = dim.dim_value() < 1;
      const bool is_first = desc.shape.empty();
      const bool is_batch = is_first && (is_open || type.shape().dim_size() == 4);
      if (is_batch && !is_open) {
        package_.manifest.notes.push_back(
            cat(label, " is declared for ", dim.dim_value(), " at a time; any batch is taken"));
        declared_batch_ = dim.dim_value();
      }
      if (is_open && !is_batch) {
        throw Unsupported(cat(label,
                              " has an open dimension '",
                              printable(dim.dim_param()),
                              "' behind the batch; export the model with fixed picture sizes"),
                          ErrorCode::kModelUnsupportedOp);
      }
      desc.shape.push_back(is_batch ? kBatch : dim.dim_value());
    }
    values.define(input.name(), add_node(Input{desc}, input.name()), Order::kFile);
    if (package_.manifest.input.empty()) {
      package_.manifest.input = input.name();
      package_.manifest.input_layout = layout(desc.shape);
    }
  }

  Value add_node(Op op, const std::string& name) {
    try {
      return package_.graph.add(std::move(op), {}, name);
    } catch (const InvalidArgument& error) {
      throw Error(ErrorCode::kModelCorrupt, error.what());
    }
  }

  static InputLayout layout(const Shape& shape) {
    const auto is_channels = [](std::int64_t size) { return size == 1 || size == 3; };
    if (shape.size() != 4) return InputLayout::kOther;
    if (is_channels(shape[1])) return InputLayout::kNchw;
    return is_channels(shape[3]) ? InputLayout::kNhwc : InputLayout::kOther;
  }

  void convert(const NodeProto& proto, ValueTable& values) {
    OnnxNode node(proto, operator_set_);
    try {
      find_converter(proto.op_type())({package_.graph, values, node, declared_batch_});
    } catch (const InvalidArgument& error) {
      node.fail_corrupt(cat("does not fit its inputs: ", error.what()));
    }
    node.check_understood();
  }

  void add_output(const std::string& name, ValueTable& values) {
    const Value value = values.in_file_order(name);
    package_.graph.mark_output(value, name);
    for (const ManifestOutput& before : package_.manifest.outputs) {
      if (before.name != name) continue;
      throw Error(ErrorCode::kModelCorrupt,
                  cat("the output '", printable(name), "' is there twice"));
    }
    package_.manifest.outputs.push_back({name, kind_of(value)});
  }

  /// What a classifier takes the numbers for.
  [[nodiscard]] OutputKind kind_of(Value value) const {
    const Graph& graph = package_.graph;
    const bool is_row = number_of_classes(graph.desc(value)).has_value();
    // What stands behind a softmax and leaves probabilities what they are.
    while (true) {
      const Node& node = graph.node(value);
      if (node.as<Softmax>() != nullptr) return OutputKind::kProbabilities;
      const bool passes_on = node.as<Reshape>() != nullptr || node.as<Transpose>() != nullptr ||
                             node.as<Identity>() != nullptr || node.as<Relu>() != nullptr ||
                             node.as<Clip>() != nullptr || node.as<QuantizeLinear>() != nullptr ||
                             node.as<DequantizeLinear>() != nullptr;
      if (!passes_on) return is_row ? OutputKind::kLogits : OutputKind::kOther;
      value = node.inputs[0];
    }
  }

  /// What the engine would refuse of the package is better refused with the file's name.
  void check_graph() const {
    const Graph& graph = package_.graph;
    graph.verify();
    if (graph.size() > kMaxGraphNodes) {
      fail_limit(graph.size(), "nodes and weights", kMaxGraphNodes);
    }
    std::vector<bool> computed;  // from an input
    computed.reserve(graph.nodes().size());
    for (const Node& node : graph.nodes()) {
      const bool from_input = std::ranges::any_of(node.inputs, [&](const Value& input) {
        return computed[static_cast<std::size_t>(input.node)];
      });
      computed.push_back(from_input || node.as<Input>() != nullptr);
    }
    for (const GraphOutput& output : graph.outputs()) {
      if (computed[static_cast<std::size_t>(output.value.node)]) continue;
      throw Unsupported(
          cat("the output '", printable(output.name), "' does not depend on any input"),
          ErrorCode::kModelUnsupportedOp);
    }
  }

  void describe() {
    Manifest& manifest = package_.manifest;
    manifest.logits = manifest.outputs[0].kind == OutputKind::kLogits;
    manifest.description = cat("ONNX model, operator set ", operator_set_);
    if (!model_.producer_name().empty()) {
      manifest.description += cat(", written by ", printable(model_.producer_name()));
    }
    manifest.notes.insert(manifest.notes.begin(),
                          cat(file_.node_size(),
                              file_.node_size() == 1 ? " node" : " nodes",
                              " converted: ",
                              count_operators(file_)));
  }

  ModelProto model_;
  GraphProto& file_;
  std::int64_t operator_set_;
  std::int64_t declared_batch_ = 0;  ///< 0: any
  Package package_;
};

}  // namespace

Package import_onnx(std::span<const std::byte> bytes) {
  return OnnxImport(parse_onnx(bytes)).run();
}

}  // namespace fovea::onnx
