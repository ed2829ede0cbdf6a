// The part of oneDNN's API that differs between its 2.x and 3.x versions, in one shape.
//
// dnnl_shim_v2.cc or dnnl_shim_v3.cc implements it; everything else in this folder uses only what
// both versions share (memory, reorder, executing primitives).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/backend/cpu/eltwise.h"
#include "engine/graph/ops/activation.h"
#include "engine/graph/ops/lrn.h"

namespace fovea::cpu {

/// Strides, dilations and borders of a window, in oneDNN's order.
struct Window {
  dnnl::memory::dims kernel;  ///< pooling only
  dnnl::memory::dims strides;
  dnnl::memory::dims dilations;  ///< 1 means adjacent elements
  dnnl::memory::dims before;
  dnnl::memory::dims after;
};

/// Inference convolution. An empty bias description means none.
[[nodiscard]] dnnl::convolution_forward::primitive_desc convolution(
    const dnnl::engine& engine,
    const dnnl::memory::desc& source,
    const dnnl::memory::desc& weights,
    const dnnl::memory::desc& bias,
    const dnnl::memory::desc& destination,
    const Window& window,
    const dnnl::primitive_attr& attributes);

/// Inference inner product. An empty bias description means none.
[[nodiscard]] dnnl::inner_product_forward::primitive_desc inner_product(
    const dnnl::engine& engine,
    const dnnl::memory::desc& source,
    const dnnl::memory::desc& weights,
    const dnnl::memory::desc& bias,
    const dnnl::memory::desc& destination,
    const dnnl::primitive_attr& attributes);

/// Inference pooling.
[[nodiscard]] dnnl::pooling_forward::primitive_desc pooling(const dnnl::engine& engine,
                                                            dnnl::algorithm algorithm,
                                                            const dnnl::memory::desc& source,
                                                            const dnnl::memory::desc& destination,
                                                            const Window& window,
                                                            const dnnl::primitive_attr& attributes);

/// Inference local response normalisation across channels; the destination lies as the source.
/// oneDNN's window of n channels has floor((n-1)/2) of them on either side, so n must be odd.
[[nodiscard]] dnnl::lrn_forward::primitive_desc local_response_normalization(
    const dnnl::engine& engine,
    const dnnl::memory::desc& source,
    const Lrn& lrn,
    const dnnl::primitive_attr& attributes);

/// One function of every element; the destination lies as the source and may be it.
[[nodiscard]] dnnl::eltwise_forward::primitive_desc elementwise(
    const dnnl::engine& engine,
    const dnnl::memory::desc& tensor,
    const Eltwise& function,
    const dnnl::primitive_attr& attributes);

/// The sum of two tensors that lie alike; so does the destination, which may be the first.
[[nodiscard]] dnnl::binary::primitive_desc addition(const dnnl::engine& engine,
                                                    const dnnl::memory::desc& tensor,
                                                    const dnnl::primitive_attr& attributes);

/// Appends the activation to the post-operations; nothing for kNone.
void append_activation(dnnl::post_ops& post_ops, const Activation& activation);

/// Text that is equal exactly for descriptions of equal dimensions and equal physical form.
[[nodiscard]] std::string fingerprint(const dnnl::memory::desc& desc);

}  // namespace fovea::cpu
