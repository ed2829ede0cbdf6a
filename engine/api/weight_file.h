// Files of weights for networks of the zoo.
#pragma once

#include <filesystem>

#include "engine/graph/graph.h"
#include "engine/importers/manifest.h"
#include "engine/importers/open_model.h"

namespace fovea {

/// Gives the network the weights in a file. What the file is follows from its content:
///
///   safetensors   tensors by the names of the network's parameters; mapped, not copied
///   Keras .h5     by the order of the layers, as Keras does; imported once, then mapped
///   ONNX          by the order of the convolutions and dense layers; imported once, then mapped
///
/// network  the graph's own manifest, for messages that name the right file
/// options  options.warn gets what is suspicious and no error
///
/// Throws Error, naming the file; the graph is then as it was: weights/missing where there is no
/// file or a tensor is missing; weights/shape-mismatch for weights of another network;
/// model/unsupported-format for another kind of file; all errors of an import. Thread-safe.
void load_weight_file(Graph& graph,
                      const Manifest& network,
                      const std::filesystem::path& file,
                      const ImportOptions& options = {});

}  // namespace fovea
