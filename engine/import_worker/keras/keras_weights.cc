#include "engine/import_worker/keras/keras_weights.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/import_worker/keras/h5_error.h"
#include "engine/import_worker/keras/h5_image.h"
#include "engine/import_worker/keras/h5_names.h"
#include "engine/import_worker/keras/h5_object.h"
#include "engine/import_worker/keras/h5_tensor.h"
#include "engine/import_worker/process_limits.h"

namespace fovea::keras {

namespace {

constexpr const char* kLayerNames = "layer_names";
constexpr const char* kWeightNames = "weight_names";
constexpr const char* kModelWeights = "model_weights";          // of a file with a whole model
constexpr const char* kOwnWeights = "top_level_model_weights";  // those of no layer

/// What the file is, whose root has no list of layers.
[[noreturn]] void fail_other_kind(const H5Object& root) {
  constexpr std::size_t kNamedMembers = 5;
  std::string what;
  if (root.has_member("layers") || root.has_member("_layer_checkpoint_dependencies")) {
    what =
        "a .weights.h5 file of Keras 3; only legacy weight files are read: save the weights "
        "with Keras's legacy format";
  } else {
    what = "an HDF5 file, but not one with Keras weights: its root has no attribute 'layer_names'";
    const std::vector<std::string> members = root.members(kNamedMembers);
    for (std::size_t i = 0; i < members.size(); ++i) {
      what += cat(i == 0 ? ", only the members '" : ", '", printable(members[i]), "'");
    }
  }
  throw Unsupported(cat("it is ", what), ErrorCode::kModelUnsupportedFormat);
}

/// The group with the list of layers.
H5Object find_weights(const H5Handle& file, std::vector<std::string>& notes) {
  H5Object root(file);
  if (has_names(root, kLayerNames)) return root;
  if (!root.has_member(kModelWeights)) fail_other_kind(root);
  H5Object group = root.open(kModelWeights);
  notes.emplace_back("the file holds a whole model, of which only the weights were read");
  return group;
}

/// Weights outside layers cannot be given to a network by the order of its layers.
void check_own_weights(const H5Object& group) {
  if (!group.has_member(kOwnWeights)) return;
  if (read_names(group.open(kOwnWeights), kWeightNames).empty()) return;
  throw Unsupported(cat("the model has weights that belong to no layer ('", kOwnWeights, "')"),
                    ErrorCode::kModelUnsupportedFormat);
}

StoredLayer read_layer(const H5Object& group, std::string name, TensorReader& reader) {
  StoredLayer layer{.name = std::move(name), .tensors = {}};
  for (const std::string& tensor : read_names(group, kWeightNames)) {
    layer.tensors.push_back(reader.read(group.open(tensor), tensor));
  }
  return layer;
}

}  // namespace

WeightsPackage import_weights(std::span<const std::byte> bytes) {
  start_hdf5();
  const H5Handle file = open_image(bytes);
  WeightsPackage package;
  const H5Object group = find_weights(file, package.notes);
  TensorReader reader(limits_for(bytes.size()).output_bytes);
  check_own_weights(group);
  for (const std::string& name : read_names(group, kLayerNames)) {
    package.layers.push_back(read_layer(group.open(name), name, reader));
  }
  return package;
}

}  // namespace fovea::keras
