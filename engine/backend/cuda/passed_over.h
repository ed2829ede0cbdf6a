// Tactics of our own kernels, whose steps save that the convolution library is not needed.
#pragma once

#include <span>
#include <vector>

#include "engine/backend/cuda/convolution_library.h"

namespace fovea::cuda {

/// The same tactics, whose steps also save ConvolutionLibrary::passed_over() of these sites, which
/// they compute in place of the library.
///
/// library   null: there is none, and nothing to save
[[nodiscard]] std::vector<Tactic> in_place_of(const ConvolutionLibrary* library,
                                              std::span<const OpSite> sites,
                                              std::vector<Tactic> tactics);

}  // namespace fovea::cuda
