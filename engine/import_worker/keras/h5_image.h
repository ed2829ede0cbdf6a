// An HDF5 file in memory.
#pragma once

#include <cstddef>
#include <span>

#include "engine/import_worker/keras/h5_handle.h"

namespace fovea::keras {

/// Opens the bytes of a file, which are neither copied nor written to and must outlive the handle:
/// what is read is what was hashed, and nothing in it leads to another file.
/// Throws Error model/corrupt where libhdf5 does not take them, truncated files among them.
[[nodiscard]] H5Handle open_image(std::span<const std::byte> bytes);

}  // namespace fovea::keras
