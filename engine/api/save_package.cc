// Models as packages.
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include <fovea/model.h>

#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/api/model_package.h"

namespace fovea {

namespace {

constexpr const char* kLabelFile = "labels.json";

/// A JSON list of [id, name], as parse_labels reads it.
std::string labels_json(std::span<const Label> labels) {
  nlohmann::json list = nlohmann::json::array();
  for (const Label& label : labels) list.push_back({label.id, label.text});
  return list.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What a manifest of a package says of the graph, for a model that was no package.
void describe_graph(const Graph& graph, Manifest& manifest) {
  const std::vector<NodeId> inputs = graph.inputs();
  if (manifest.input.empty() && !inputs.empty()) {
    manifest.input = graph.node(inputs[0]).name;
    manifest.input_layout = graph.node(inputs[0]).outputs[0].shape.size() == 4
                                ? InputLayout::kNhwc
                                : InputLayout::kOther;
  }
  if (!manifest.outputs.empty()) return;
  for (const GraphOutput& output : graph.outputs()) {
    const bool is_softmax = graph.node(output.value).as<Softmax>() != nullptr;
    manifest.outputs.push_back(
        {output.name, is_softmax ? OutputKind::kProbabilities : OutputKind::kOther});
  }
}

}  // namespace

Package package_of(const Model& model) {
  const Model::Impl& impl = model.impl();
  Package package{ModelGraphAccess::graph(impl.graph), impl.manifest, {}};
  Manifest& manifest = package.manifest;
  manifest.preprocess = impl.preprocessing;
  manifest.weights.clear();  // the package has them
  if (manifest.labels.empty() && !impl.labels.empty()) {
    manifest.labels = kLabelFile;
    package.labels = labels_json(impl.labels);
  }
  describe_graph(package.graph, manifest);
  return package;
}

void save_package(const Model& model, std::string_view folder) {
  save_package(std::filesystem::path(folder), package_of(model));
}

}  // namespace fovea
