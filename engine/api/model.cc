#include <fovea/model.h>

#include "engine/api/compile.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/api/plan_file.h"
#include "engine/graph/work.h"

namespace fovea {

std::int64_t multiply_adds(const ModelGraph& graph) {
  return multiply_adds(ModelGraphAccess::graph(graph));
}

const std::string& Model::name() const {
  return impl_->manifest.name;
}

const ModelGraph& Model::graph() const {
  return impl_->graph;
}

std::vector<TensorInfo> Model::inputs() const {
  const Graph& graph = ModelGraphAccess::graph(impl_->graph);
  std::vector<TensorInfo> inputs;
  for (const NodeId id : graph.inputs()) {
    inputs.push_back({graph.node(id).name, graph.node(id).outputs[0]});
  }
  return inputs;
}

std::vector<TensorInfo> Model::outputs() const {
  const Graph& graph = ModelGraphAccess::graph(impl_->graph);
  std::vector<TensorInfo> outputs;
  for (const GraphOutput& output : graph.outputs()) {
    outputs.push_back({output.name, graph.desc(output.value)});
  }
  return outputs;
}

bool Model::gives_scores() const {
  return impl_->manifest.logits;
}

const std::optional<PreprocessSpec>& Model::preprocessing() const {
  return impl_->preprocessing;
}

std::span<const Label> Model::labels() const {
  return impl_->labels;
}

std::string Model::default_backend() const {
  return backend_name_for("auto", ModelGraphAccess::precompiled(impl_->graph));
}

Precision Model::default_precision(const std::string& backend, int device) const {
  const Precompiled* precompiled = ModelGraphAccess::precompiled(impl_->graph);
  if (precompiled == nullptr) return Precision::kFp32;
  return fovea::default_precision(precompiled, *backend_for(backend, precompiled, device));
}

std::span<const std::string> Model::notes() const {
  return impl_->manifest.notes;
}

}  // namespace fovea
