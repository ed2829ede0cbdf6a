// CUDA's lowerings, one function per operator family.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/libraries.h"

namespace fovea::cuda {

/// Returns the ways to lower the site, best first; the site's operator is the one that the table
/// in lowerings.cc lists the function for.
using Lowering = std::vector<Tactic>(const OpSite& site);

Lowering lower_add;
Lowering lower_activation;  ///< Relu, Clip, Tanh, Sigmoid
Lowering lower_cast;
Lowering lower_concat;
Lowering lower_dequantize;
Lowering lower_global_pool;
Lowering lower_lrn;
Lowering lower_normalize_image;
Lowering lower_pad;
Lowering lower_pool;  ///< MaxPool, AveragePool
Lowering lower_quantize;
Lowering lower_rescale;
Lowering lower_resize_image;      ///< of tables that the host encodes
Lowering lower_resize_normalize;  ///< likewise
Lowering lower_slice;
Lowering lower_softmax;
Lowering lower_topk;
Lowering lower_transpose;
Lowering lower_view;  ///< Reshape, Identity: the same bytes

/// The first compute capability whose tensor cores multiply bfloat16 and TF32 as well.
inline constexpr int kAmpere = 80;

/// Conv2d by our own kernels; those that use tensor cores where the device has them for every type.
[[nodiscard]] std::vector<Tactic> lower_convolution(const OpSite& site, int capability);

/// Conv2d with as many groups as channels by our own kernel for them; none for others.
[[nodiscard]] std::vector<Tactic> lower_depthwise(const OpSite& site, int capability);

/// Whether there is one.
[[nodiscard]] bool takes_depthwise(const OpSite& site);

/// Dense: a few rows by our own kernel for them, then what `library` has, where there is one, then
/// our own for all.
[[nodiscard]] std::vector<Tactic> lower_dense(const OpSite& site, const DenseLibrary* library);

/// Whether that kernel for a few rows is there.
[[nodiscard]] bool takes_few_rows(const OpSite& site);

/// SeparableConv2d: both parts one behind the other, with every tactic that there is for the
/// pointwise one, then by our own kernel. Which is faster depends on the sizes: see
/// kernels::separable(). Where nothing is measured, the parts stay apart.
[[nodiscard]] std::vector<Tactic> lower_separable(const OpSite& site,
                                                  const Libraries& libraries,
                                                  int capability);

/// The lowering of the site's operator; empty where there is none. Convolutions: depthwise ones
/// first by our own kernel, then what their library has, where there is one, then our own kernels
/// for all. `capability` is that of the device, see make_backend().
[[nodiscard]] std::vector<Tactic> lower(const OpSite& site,
                                        const Libraries& libraries,
                                        int capability);

/// Whether lower() asks a convolution library about the site, a Conv2d.
[[nodiscard]] bool asks_library(const OpSite& site);

/// Sites of a Conv2d, with the graphs that only they refer to.
struct ConvolutionSites {
  std::vector<OpSite> sites;
  std::vector<std::shared_ptr<const void>> graphs;
};

/// What lower() asks a convolution library about for these sites: convolutions, and those that
/// separable ones are made of.
[[nodiscard]] ConvolutionSites asked_sites(std::span<const OpSite> sites);

/// Why lower() has nothing of a library's for the site, where that stands first; empty where it
/// has, or where another kernel does.
[[nodiscard]] std::string refusal(const OpSite& site, const Libraries& libraries);

}  // namespace fovea::cuda
