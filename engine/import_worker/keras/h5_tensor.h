// The numbers of a dataset.
#pragma once

#include <cstdint>
#include <string>

#include "engine/graph/layer_weights.h"
#include "engine/import_worker/keras/h5_object.h"

namespace fovea::keras {

/// Reads datasets, within the bytes that one file may give in all.
class TensorReader {
 public:
  explicit TensorReader(std::uint64_t max_bytes) : max_bytes_(max_bytes), left_(max_bytes) {}

  /// The dataset as a float32 tensor called `name`, in the layout that it is stored in.
  ///
  /// Throws Error, naming the object: model/corrupt for a group, anything but numbers, data that is
  /// missing or cannot be read; model/unsupported-format for any type but float32 (nothing is
  /// rounded in silence), virtual datasets, data in other files and filters other than gzip,
  /// shuffle and fletcher32 (others are plugins, which are code); model/limit for too many bytes or
  /// dimensions.
  [[nodiscard]] StoredTensor read(const H5Object& dataset, std::string name);

 private:
  std::uint64_t max_bytes_;
  std::uint64_t left_;
};

}  // namespace fovea::keras
