// The libraries that the CUDA backend asks before its own kernels.
#pragma once

#include <memory>
#include <string>

#include "engine/backend/cuda/convolution_library.h"
#include "engine/backend/cuda/dense_library.h"
#include "engine/core/require.h"

namespace fovea::cuda {

/// Null where our own kernels compute all operators of a kind.
struct Libraries {
  std::unique_ptr<const ConvolutionLibrary> convolutions{};
  std::unique_ptr<const DenseLibrary> dense{};
};

/// Their names and versions, for Backend::fingerprint().
[[nodiscard]] inline std::string versions_of(const Libraries& libraries) {
  return cat(
      libraries.convolutions == nullptr ? "no convolutions" : libraries.convolutions->version(),
      "; ",
      libraries.dense == nullptr ? "dense layers of our own" : libraries.dense->version());
}

}  // namespace fovea::cuda
