#include "engine/graph/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <set>
#include <span>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/layers.h"
#include "engine/graph/text_table.h"

namespace fovea {

namespace {

/// "1,234,567"
std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

/// "97.80 MB"
std::string readable_size(double bytes) {
  constexpr std::array kUnits{"B", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%.2f %s", bytes, kUnits[unit]);
  return text.data();
}

std::string connections(const Graph& graph,
                        const std::vector<Layer>& layers,
                        const std::vector<LayerInput>& inputs) {
  if (inputs.empty()) return "-";
  std::string text;
  for (const LayerInput& input : inputs) {
    const std::string& name = graph.node(layers.at(input.layer).result).name;
    text += cat(text.empty() ? "" : ", ", name, "[0][", input.output, ']');
  }
  return text;
}

/// A column, and where it ends as a part of the line.
struct Column {
  const char* header;
  double end;
  bool to_the_right = false;
};

/// The columns at the widths that Keras and its table printer arrive at: a share of the line each,
/// then padding and lines around them, then an equal part less each so that it all fits, halves
/// rounded to even.
std::vector<TableColumn> fit(std::span<const Column> columns, int line_length) {
  std::vector<TableColumn> fitted;
  int used = 0;
  auto excess = static_cast<int>(3 * columns.size() + 1);
  for (const Column& column : columns) {
    const int end = static_cast<int>(column.end * line_length);
    fitted.push_back({column.header, static_cast<std::size_t>(end - used), column.to_the_right});
    used = end;
  }
  int sharers = static_cast<int>(fitted.size());
  for (TableColumn& column : fitted) {
    const int less = static_cast<int>(std::nearbyint(static_cast<double>(excess) / sharers--));
    column.width -= static_cast<std::size_t>(less);
    excess -= less;
  }
  return fitted;
}

/// Parameters, each counted once.
class ParameterCount {
 public:
  void add(const Graph& graph, std::span<const NodeId> parameters) {
    for (const NodeId id : parameters) {
      if (!counted_.insert(id).second) continue;
      const TensorDesc& desc = graph.node(id).outputs[0];
      elements_ += num_elements(desc.shape);
      bytes_ += static_cast<double>(byte_size(desc));
    }
  }

  void add(const ParameterCount& other) {
    elements_ += other.elements_;
    bytes_ += other.bytes_;
  }

  [[nodiscard]] std::int64_t elements() const { return elements_; }

  [[nodiscard]] std::string line(std::string_view what) const {
    return cat(' ', what, ": ", with_commas(elements_), " (", readable_size(bytes_), ")\n");
  }

 private:
  std::set<NodeId> counted_;
  std::int64_t elements_ = 0;
  double bytes_ = 0;
};

}  // namespace

std::string summary(const Graph& graph, std::string_view name, int columns) {
  constexpr int kFewest = 44;
  constexpr int kFree = 4;  // beside the table
  require(columns >= kFewest, "a summary needs 44 columns or more");
  static constexpr std::array kChain{
      Column{"Layer (type)", 0.45}, Column{"Output Shape", 0.80}, Column{"Param #", 1.0, true}};
  static constexpr std::array kBranches{Column{"Layer (type)", 0.3},
                                        Column{"Output Shape", 0.56},
                                        Column{"Param #", 0.74, true},
                                        Column{"Connected to", 1.0}};

  const std::vector<Layer> all = layers(graph);
  const bool chain = is_chain(all);
  ParameterCount trained;
  ParameterCount untrained;
  std::vector<std::vector<std::string>> rows;
  for (const Layer& layer : all) {
    const std::span<const NodeId> parameters(layer.parameters);
    trained.add(graph, parameters.first(layer.trainable));
    untrained.add(graph, parameters.subspan(layer.trainable));
    ParameterCount own;
    own.add(graph, parameters);
    const Node& result = graph.node(layer.result);
    rows.push_back({cat(result.name, " (", layer.type, ')'),
                    keras_shapes(result.outputs),
                    with_commas(own.elements())});
    if (!chain) rows.back().push_back(connections(graph, all, layer.inputs));
  }
  ParameterCount total = trained;
  total.add(untrained);

  const std::vector<TableColumn> fitted = chain ? fit(kChain, std::min(columns - kFree, 88))
                                                : fit(kBranches, std::min(columns - kFree, 108));
  return cat("Model: \"",
             name,
             "\"\n",
             text_table(fitted, rows),
             total.line("Total params"),
             trained.line("Trainable params"),
             untrained.line("Non-trainable params"));
}

}  // namespace fovea
