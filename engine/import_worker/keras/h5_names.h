// Keras's lists of names in the attributes of an HDF5 file.
#pragma once

#include <string>
#include <vector>

#include "engine/import_worker/keras/h5_object.h"

namespace fovea::keras {

/// Whether the object has that list.
[[nodiscard]] bool has_names(const H5Object& object, const std::string& attribute);

/// The texts of a one-dimensional attribute, of fixed or variable length; one that would exceed the
/// 64,512 bytes of an object header is split by Keras into attribute0, attribute1, ... An empty
/// list may be of any type. Throws Error: model/corrupt, naming the object and the attribute, for
/// one that is missing, of another type or holds what is no name; model/limit.
[[nodiscard]] std::vector<std::string> read_names(const H5Object& object,
                                                  const std::string& attribute);

}  // namespace fovea::keras
