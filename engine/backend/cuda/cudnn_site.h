// From a node of a graph to the numbers that cuDNN is asked with.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/cudnn_convolution.h"

namespace fovea::cuda {

/// The site's Conv2d with its inputs and its output in these layouts. Nothing where cuDNN's graphs
/// cannot say it: an activation of some channels or of the input, weights that are not Constants,
/// an element type or a layout of others.
///
/// inputs   one for each of the node's; meaningless for Constants
[[nodiscard]] std::optional<CudnnConvolution> describe(const OpSite& site,
                                                       std::span<const Layout> inputs,
                                                       const Layout& output,
                                                       CudnnBias bias);

/// describe() with everything dense and the first of bias_types(): one spelling for wherever the
/// site's tensors lie.
[[nodiscard]] std::optional<CudnnConvolution> describe_dense(const OpSite& site);

/// Why describe() gives nothing, for messages.
inline constexpr const char* kNotDescribed = "cuDNN has no such activation, element type or layout";

/// The same convolution with its output in this layout.
[[nodiscard]] CudnnConvolution with_output(CudnnConvolution convolution, const Layout& output);

/// Where cuDNN is asked to write the result: the slice where that is wanted, dense otherwise. The
/// compiler has the last word when a tactic is built. With a residual of other strides than the
/// output's, engines are counted in another way: such a result stays dense.
[[nodiscard]] Layout wanted_output(const OpSite& site);

/// The types that the site's bias can be packed in, the one with the most engines first; kNone
/// alone where it has none.
[[nodiscard]] std::vector<CudnnBias> bias_types(const OpSite& site);

}  // namespace fovea::cuda
