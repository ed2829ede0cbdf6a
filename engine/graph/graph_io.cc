#include "engine/graph/graph_io.h"

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/json_rows.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/graph/attributes_json.h"

namespace fovea {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kFormat = 1;

ordered_json value_json(const Graph& graph, Value value) {
  const std::string& name = graph.node(value).name;
  if (value.output == 0) return name;
  return ordered_json::array({name, value.output});
}

ordered_json node_json(const Graph& graph, const Node& node) {
  ordered_json row{{"name", node.name}, {"op", op_name(node.op)}};
  row["inputs"] = ordered_json::array();
  for (const Value& input : node.inputs) row["inputs"].push_back(value_json(graph, input));
  row["attributes"] = attributes_json(node.op);
  if (!node.layer.empty()) row["layer"] = node.layer;
  if (node.trainable) row["trainable"] = *node.trainable;
  if (const auto* constant = node.as<Constant>()) row["data"] = constant->data != nullptr;
  return row;
}

[[noreturn]] void corrupt(const std::string& what) {
  throw Error(ErrorCode::kModelCorrupt, what);
}

/// The member of that name; null where there is none.
const json& member(const json& row, const char* name) {
  static const json kNull;
  const auto found = row.find(name);
  return found == row.end() ? kNull : *found;
}

const std::string& text_member(const json& row, const char* name) {
  const json& text = member(row, name);
  if (!text.is_string()) corrupt(cat("it has a row without a text '", name, "'"));
  return text.get_ref<const std::string&>();
}

/// Builds a graph from the rows of graph.json, in their order.
class GraphReader {
 public:
  explicit GraphReader(const NamedTensors& tensors) : tensors_(tensors) {}

  void take_value(const std::string& key, const json& value) {
    if (key != "format") corrupt(cat("it has the unknown key '", printable(key), "'"));
    if (!value.is_number_unsigned()) corrupt("its 'format' is not a number");
    if (value != kFormat) {
      throw Unsupported(cat("it is of format ",
                            value.get<std::uint64_t>(),
                            ", this version reads format ",
                            kFormat,
                            "; import the model again or update Fovea"),
                        ErrorCode::kModelUnsupportedFormat);
    }
    has_format_ = true;
  }

  void take_row(const std::string& key, const json& row) {
    if (!has_format_) corrupt("it does not begin with its 'format'");
    if (!row.is_object()) corrupt(cat("'", printable(key), "' has a row that is not an object"));
    if (key == "nodes") {
      add_node(row);
    } else if (key == "outputs") {
      add_output(row);
    } else {
      corrupt(cat("it has the unknown key '", printable(key), "'"));
    }
  }

  Graph finish() {
    if (!has_format_) corrupt("it has no 'format'");
    return std::move(graph_);
  }

 private:
  void add_node(const json& row) {
    const std::string& name = text_member(row, "name");
    const std::string& op = text_member(row, "op");
    if (!is_plain_name(name)) corrupt(cat("a node is called '", printable(name), "'"));
    if (graph_.size() == kMaxGraphNodes) {
      throw Error(ErrorCode::kModelLimit, cat("it has more than ", kMaxGraphNodes, " nodes"));
    }
    if (nodes_.contains(name)) corrupt(cat("two nodes are called '", name, "'"));
    try {
      Op parsed = op_of(row, op, name);
      const NodeId id = graph_.add(std::move(parsed), inputs_of(row), name).node;
      take_records(row, id);
      nodes_[name] = id;
    } catch (const InvalidArgument& error) {
      corrupt(error.what());
    } catch (const Error& error) {
      throw Error(error.code(), cat(printable(op), " '", name, "': ", error.what()));
    }
  }

  Op op_of(const json& row, const std::string& op_name, const std::string& name) const {
    Op op = parse_op(op_name, member(row, "attributes"));
    auto* constant = std::get_if<Constant>(&op);
    std::size_t members = constant == nullptr ? 4 : 5;
    members += row.contains("layer") ? 1 : 0;
    members += row.contains("trainable") ? 1 : 0;
    if (row.size() != members) corrupt("its row has a member too many or too few");
    if (constant != nullptr) take_data(row, name, *constant);
    return op;
  }

  /// What is recorded of the node, where something is.
  void take_records(const json& row, NodeId id) {
    if (row.contains("layer")) {
      const std::string& layer = text_member(row, "layer");
      if (layer.empty() || !is_plain_name(layer)) {
        corrupt(cat("its 'layer' is called '", printable(layer), "'"));
      }
      graph_.set_layer(id, layer);
    }
    if (row.contains("trainable")) {
      const json& trainable = member(row, "trainable");
      if (!trainable.is_boolean()) corrupt("'trainable' must be true or false");
      graph_.set_trainable(id, trainable.get<bool>());
    }
  }

  void take_data(const json& row, const std::string& name, Constant& constant) const {
    const json& data = member(row, "data");
    if (!data.is_boolean()) corrupt("'data' must be true or false");
    if (!data.get<bool>()) return;
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) corrupt("its tensor is not in the weights");
    const auto& [desc, buffer] = found->second;
    if (desc != constant.desc) {
      corrupt(cat(
          "it is ", to_string(constant.desc), ", its tensor in the weights is ", to_string(desc)));
    }
    constant.data = buffer;
  }

  std::vector<Value> inputs_of(const json& row) const {
    const json& inputs = member(row, "inputs");
    if (!inputs.is_array()) corrupt("'inputs' must be a list");
    std::vector<Value> values;
    for (const json& input : inputs) values.push_back(value_of(input));
    return values;
  }

  void add_output(const json& row) {
    const std::string& name = text_member(row, "name");
    if (!is_plain_name(name)) corrupt(cat("an output is called '", printable(name), "'"));
    if (row.size() != 2) corrupt("an output's row has a member too many or too few");
    graph_.mark_output(value_of(member(row, "value")), name);
  }

  /// "name" or ["name", output]; Graph checks that the node has that output.
  [[nodiscard]] Value value_of(const json& reference) const {
    const bool has_index = reference.is_array() && reference.size() == 2;
    const json& name = has_index ? reference[0] : reference;
    if (!name.is_string()) corrupt("a value is neither a name nor a name and an index");
    const auto found = nodes_.find(name.get_ref<const std::string&>());
    if (found == nodes_.end()) {
      corrupt(cat("no node called '",
                  printable(name.get_ref<const std::string&>()),
                  "' comes before its use"));
    }
    return {found->second, has_index ? index_of(found->second, reference[1]) : 0};
  }

  [[nodiscard]] std::int32_t index_of(NodeId id, const json& index) const {
    const std::size_t count = graph_.node(id).outputs.size();
    if (!index.is_number_unsigned() || index.get<std::uint64_t>() >= count) {
      corrupt(cat("node '", printable(graph_.node(id).name), "' has no such output"));
    }
    return index.get<std::int32_t>();
  }

  const NamedTensors& tensors_;
  Graph graph_;
  std::unordered_map<std::string, NodeId> nodes_;
  bool has_format_ = false;
};

}  // namespace

std::string graph_json(const Graph& graph) {
  try {
    std::string text = cat("{\"format\": ", kFormat, ",\n \"nodes\": [");
    for (NodeId id = 0; id < graph.size(); ++id) {
      text += cat(id == 0 ? "\n" : ",\n", "  ", node_json(graph, graph.node(id)).dump());
    }
    text += "],\n \"outputs\": [";
    for (const GraphOutput& output : graph.outputs()) {
      const ordered_json row{{"name", output.name}, {"value", value_json(graph, output.value)}};
      text += cat(&output == graph.outputs().data() ? "\n" : ",\n", "  ", row.dump());
    }
    return text + "]}\n";
  } catch (const json::type_error&) {
    throw InvalidArgument("the name of a node or output is not UTF-8");
  }
}

NamedTensors constant_tensors(const Graph& graph) {
  NamedTensors tensors;
  for (const Node& node : graph.nodes()) {
    const auto* constant = node.as<Constant>();
    if (constant == nullptr || constant->data == nullptr) continue;
    require(constant->strides.empty(), "weights that a pass has permuted cannot be stored");
    if (!tensors.try_emplace(node.name, constant->desc, constant->data).second) {
      throw InvalidArgument(cat("two constants are called '", node.name, "'"));
    }
  }
  return tensors;
}

Graph parse_graph(std::string_view text, const NamedTensors& tensors) {
  GraphReader reader(tensors);
  try {
    read_json_rows(
        text,
        [&](const std::string& key, const json& value) { reader.take_value(key, value); },
        [&](const std::string& key, const json& row) { reader.take_row(key, row); });
    return reader.finish();
  } catch (const Error& error) {
    throw Error(error.code(), cat("graph.json: ", error.what()));
  }
}

}  // namespace fovea
