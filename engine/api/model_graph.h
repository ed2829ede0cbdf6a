// The door between the public ModelGraph and the Graph inside it.
#pragma once

#include <memory>
#include <utility>

#include <fovea/graph.h>

#include "engine/core/require.h"
#include "engine/graph/graph.h"

namespace fovea {

struct ModelGraphAccess {
  /// A public handle of the graph, which must not be changed from now on.
  ///
  /// precompiled   what an earlier compilation of the graph found out, or null
  [[nodiscard]] static ModelGraph wrap(Graph graph,
                                       std::shared_ptr<const Precompiled> precompiled = nullptr) {
    return {std::make_shared<const Graph>(std::move(graph)), std::move(precompiled)};
  }

  /// Null where there is none.
  [[nodiscard]] static const Precompiled* precompiled(const ModelGraph& model) {
    return model.precompiled_.get();
  }

  /// Lives as long as any copy of the handle. Throws InvalidArgument for an empty one.
  [[nodiscard]] static const Graph& graph(const ModelGraph& model) {
    require(!model.empty(), "the model graph is empty: build one with GraphBuilder first");
    return *model.graph_;
  }
};

}  // namespace fovea
