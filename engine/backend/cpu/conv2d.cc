// Convolutions by Winograd's algorithm where that pays, else through oneDNN, with bias, residual
// and activation inside the primitive.
#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/depthwise.h"
#include "engine/backend/cpu/direct.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/backend/cpu/winograd.h"
#include "engine/backend/evaluate_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
constexpr auto kFloat = dnnl::memory::data_type::f32;

/// The graph's OHWI weights: {O,I,H,W}, or {G,O/G,I,H,W} for a grouped convolution.
Dims weight_dims(const Conv2d& conv, const Shape& ohwi) {
  if (conv.groups == 1) return {ohwi[0], ohwi[3], ohwi[1], ohwi[2]};
  return {conv.groups, ohwi[0] / conv.groups, ohwi[3], ohwi[1], ohwi[2]};
}

StoredForm stored_weights(const Conv2d& conv, const Constant& weights) {
  const Shape& ohwi = weights.desc.shape;
  const Shape strides = weights.element_strides();
  Dims stored{strides[0], strides[3], strides[1], strides[2]};
  if (conv.groups != 1) stored.insert(stored.begin(), strides[0] * (ohwi[0] / conv.groups));
  return {weight_dims(conv, ohwi), std::move(stored)};
}

Window window_of(const Conv2d& conv) {
  return {.kernel = {},
          .strides = {conv.strides[0], conv.strides[1]},
          .dilations = {conv.dilations[0], conv.dilations[1]},
          .before = {conv.pads[0], conv.pads[1]},
          .after = {conv.pads[2], conv.pads[3]}};
}

dnnl::convolution_forward::primitive_desc describe(const OpSite& site,
                                                   const Conv2d& conv,
                                                   const dnnl::memory::desc& source) {
  dnnl::post_ops post_ops;
  if (conv.residual) post_ops.append_sum(1.0F);
  append_activation(post_ops, conv.activation);
  dnnl::primitive_attr attributes = base_attributes();
  attributes.set_post_ops(post_ops);

  const TensorDesc& output = site.node.outputs[0];
  const dnnl::memory::desc weights(
      weight_dims(conv, site.input(1).shape), element_type(output.dtype), Tag::any);
  const dnnl::memory::desc bias =
      conv.bias ? dnnl::memory::desc({output.shape[3]}, kFloat, Tag::a) : dnnl::memory::desc();
  return convolution(
      engine(), source, weights, bias, any_format(output), window_of(conv), attributes);
}

Tactic make_tactic(const OpSite& site,
                   const Conv2d& conv,
                   const dnnl::convolution_forward::primitive_desc& primitive,
                   const Layout& input,
                   const Layout& output) {
  Tactic tactic;
  tactic.name = cat("onednn:", primitive.impl_info_str());
  tactic.inputs.assign(site.node.inputs.size(), Layout{});
  tactic.inputs[0] = input;
  tactic.outputs = {output};
  tactic.workspace_bytes = primitive.scratchpad_desc().get_size();
  const std::size_t residual = site.node.inputs.size() - 1;
  if (conv.residual) {
    tactic.inputs[residual] = output;
    tactic.aliases = {{.input = residual, .output = 0}};
  }
  tactic.build = [site, conv, primitive, residual](const BuildArgs& args) {
    const ThreadScope threads(site.threads);
    PrimitiveSpec spec;
    spec.primitive = dnnl::convolution_forward(primitive);
    spec.source = {DNNL_ARG_SRC, primitive.src_desc()};
    spec.destination = {DNNL_ARG_DST, primitive.dst_desc()};
    spec.scratchpad = primitive.scratchpad_desc();
    if (conv.residual) spec.residual_input = static_cast<int>(residual);
    const Constant& weights = *site.constant(1);
    spec.weights.push_back(pack(args.weights,
                                weights,
                                DNNL_ARG_WEIGHTS,
                                stored_weights(conv, weights),
                                primitive.weights_desc()));
    if (conv.bias) {
      spec.weights.push_back(pack(args.weights,
                                  *site.constant(2),
                                  DNNL_ARG_BIAS,
                                  {{weights.desc.shape[0]}, {1}},
                                  primitive.bias_desc()));
    }
    return make_primitive_step(std::move(spec));
  };
  return tactic;
}

/// Adds oneDNN's own choice of implementation for a source that lies so; false where its layouts
/// have no name here. (Version 2.6 crashes on some shapes in what it offers as the next ones.)
bool add_library(const OpSite& site,
                 const Conv2d& conv,
                 const dnnl::memory::desc& source,
                 std::vector<Tactic>& tactics) {
  const auto primitive = describe(site, conv, source);
  const auto input = layout_of(site.input(0), primitive.src_desc());
  const auto output = layout_of(site.node.outputs[0], primitive.dst_desc());
  if (!input || !output) return false;
  tactics.push_back(make_tactic(site, conv, primitive, *input, *output));
  return true;
}

}  // namespace

std::vector<Tactic> lower_conv2d(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (site.constant(1) == nullptr || (conv.bias && site.constant(2) == nullptr)) return {};
  if (conv.residual && site.constant(site.node.inputs.size() - 1) != nullptr) return {};
  const bool single = site.input(0).dtype == DType::kFloat32;
  const auto depthwise = single ? depthwise_tactic(site) : std::nullopt;
  std::vector<Tactic> tactics = winograd_tactics(site);
  if (single) std::ranges::move(direct_tactics(site), std::back_inserter(tactics));
  // oneDNN convolutions apply nothing to what they read, and what they do to their results they do
  // to all channels.
  if (conv.input_activation == ActivationKind::kNone && conv.activation_channels == 0) {
    const ThreadScope threads(site.threads);
    const dnnl::memory::desc present = memory_desc(site.input(0), unsliced(site.inputs[0]));
    // Its own choice of layouts, except beside our own convolutions, which are as fast.
    const bool found =
        tactics.empty() && add_library(site, conv, any_format(site.input(0)), tactics);
    if (!found) add_library(site, conv, present, tactics);
  }
  if (depthwise) tactics.push_back(*depthwise);
  if (tactics.empty()) return {evaluate_tactic(site)};
  return tactics;
}

}  // namespace fovea::cpu
