// Operators on bf16: through oneDNN where it has them, on whatever layout is there, else by their
// definition. f16, and bf16 where oneDNN has none, only by definition: such graphs run, slowly.
#include <optional>
#include <utility>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/backend/evaluate_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

/// A tensor whose elements all get the same: of any rank where they are dense.
dnnl::memory::desc elements(const TensorDesc& desc, const Layout& layout) {
  if (layout.kind == Layout::Kind::kOpaque) return memory_desc(desc, layout);
  return memory_desc({desc.dtype, {num_elements(desc.shape)}}, {});
}

/// A primitive from input 0 (and 1) to the output.
template <typename Primitive, typename Description>
Tactic primitive_tactic(const OpSite& site,
                        const Description& primitive,
                        PrimitiveSpec spec,
                        std::vector<Layout> inputs,
                        const Layout& output) {
  Tactic tactic;
  tactic.name = cat("onednn:", primitive.impl_info_str());
  tactic.inputs = std::move(inputs);
  tactic.outputs = {output};
  tactic.workspace_bytes = primitive.scratchpad_desc().get_size();
  spec.scratchpad = primitive.scratchpad_desc();
  tactic.build = [primitive, spec = std::move(spec), threads = site.threads](const BuildArgs&) {
    const ThreadScope scope(threads);
    PrimitiveSpec whole = spec;
    whole.primitive = Primitive(primitive);
    return make_primitive_step(std::move(whole));
  };
  return tactic;
}

Tactic cast(const OpSite& site) {
  const Layout from = unsliced(site.inputs[0]);
  const Layout to = resized(from, site.node.outputs[0]);
  PrimitiveSpec spec;
  spec.source = {DNNL_ARG_FROM, elements(site.input(0), from)};
  spec.destination = {DNNL_ARG_TO, elements(site.node.outputs[0], to)};
  const dnnl::reorder::primitive_desc primitive(
      engine(), spec.source.desc, engine(), spec.destination.desc, base_attributes());
  return primitive_tactic<dnnl::reorder>(site, primitive, std::move(spec), {from}, to);
}

Tactic activation(const OpSite& site, const Activation& function) {
  // Padding of a blocked layout has to stay zero; oneDNN sees to it.
  const Layout layout = unsliced(site.inputs[0]);
  const dnnl::memory::desc tensor = elements(site.input(0), layout);
  PrimitiveSpec spec;
  spec.source = {DNNL_ARG_SRC, tensor};
  spec.destination = {DNNL_ARG_DST, tensor};
  const auto primitive = elementwise(engine(), tensor, eltwise_of(function), base_attributes());
  Tactic tactic =
      primitive_tactic<dnnl::eltwise_forward>(site, primitive, std::move(spec), {layout}, layout);
  tactic.aliases = {{.input = 0, .output = 0}};
  return tactic;
}

/// Nothing for a summand per channel and for known summands.
std::optional<Tactic> addition_of_equals(const OpSite& site, const Activation& function) {
  if (site.input(0) != site.input(1)) return std::nullopt;
  if (site.constant(0) != nullptr || site.constant(1) != nullptr) return std::nullopt;
  const Layout layout = unsliced(site.inputs[0]);
  const dnnl::memory::desc tensor = elements(site.input(0), layout);
  dnnl::post_ops post_ops;
  append_activation(post_ops, function);
  dnnl::primitive_attr attributes = base_attributes();
  attributes.set_post_ops(post_ops);
  PrimitiveSpec spec;
  spec.source = {DNNL_ARG_SRC_0, tensor};
  spec.second = {DNNL_ARG_SRC_1, tensor};
  spec.destination = {DNNL_ARG_DST, tensor};
  const auto primitive = addition(engine(), tensor, attributes);
  return primitive_tactic<dnnl::binary>(site, primitive, std::move(spec), {layout, layout}, layout);
}

/// As a window that covers the picture. One pixel is dense in every layout, if no block has
/// padding.
Tactic global_pool(const OpSite& site, PoolKind kind) {
  const TensorDesc& x = site.input(0);
  const TensorDesc y{x.dtype, {x.shape[0], 1, 1, x.shape[3]}};
  Layout layout = unsliced(site.inputs[0]);
  if (resized(layout, y).bytes > byte_size(y)) layout = {};
  const auto algorithm = kind == PoolKind::kMax ? dnnl::algorithm::pooling_max
                                                : dnnl::algorithm::pooling_avg_exclude_padding;
  PrimitiveSpec spec;
  spec.source = {DNNL_ARG_SRC, memory_desc(x, layout)};
  spec.destination = {DNNL_ARG_DST, memory_desc(y, resized(layout, y))};
  const auto primitive = pooling(engine(),
                                 algorithm,
                                 spec.source.desc,
                                 spec.destination.desc,
                                 {.kernel = {x.shape[1], x.shape[2]},
                                  .strides = {1, 1},
                                  .dilations = {1, 1},
                                  .before = {0, 0},
                                  .after = {0, 0}},
                                 base_attributes());
  return primitive_tactic<dnnl::pooling_forward>(
      site, primitive, std::move(spec), {layout}, Layout{});
}

/// What oneDNN does with the site, as it stands in `present`; empty where that is nothing.
std::vector<Tactic> lower_bf16(const OpSite& site) {
  const ThreadScope threads(site.threads);
  const Node& node = site.node;
  if (const auto* to = node.as<Cast>()) {
    const bool floats = to->to == DType::kFloat32 || site.input(0).dtype == DType::kFloat32;
    return floats ? std::vector{cast(site)} : std::vector<Tactic>{};
  }
  if (node.as<Conv2d>() != nullptr) return lower_conv2d(site);
  if (node.as<Dense>() != nullptr) return lower_dense(site);
  if (node.as<MaxPool>() != nullptr || node.as<AveragePool>() != nullptr) return lower_pool(site);
  if (const auto* pool = node.as<GlobalPool>()) return {global_pool(site, pool->kind)};
  if (node.as<Lrn>() != nullptr) return lower_lrn(site);
  if (node.as<Relu>() != nullptr) return {activation(site, {.kind = ActivationKind::kRelu})};
  if (node.as<Tanh>() != nullptr) return {activation(site, {.kind = ActivationKind::kTanh})};
  if (node.as<Sigmoid>() != nullptr) return {activation(site, {.kind = ActivationKind::kSigmoid})};
  if (const auto* clip = node.as<Clip>()) {
    return {activation(site, {.kind = ActivationKind::kClip, .lo = clip->lo, .hi = clip->hi})};
  }
  if (const auto* sum = node.as<Add>()) {
    if (auto tactic = addition_of_equals(site, sum->activation)) return {*std::move(tactic)};
  }
  return {};
}

}  // namespace

std::vector<Tactic> lower_half(const OpSite& site) {
  const Node& node = site.node;
  if (node.as<Reshape>() != nullptr || node.as<Identity>() != nullptr) return lower_view(site);
  if (node.as<Concat>() != nullptr) return lower_concat(site);
  const bool is_f16 =
      site.input(0).dtype == DType::kFloat16 || node.outputs[0].dtype == DType::kFloat16;
  if (!is_f16 && bf16_support() != Bf16Support::kNone && site.constant(0) == nullptr) {
    std::vector<Tactic> tactics = lower_bf16(site);
    if (!tactics.empty()) return tactics;
  }
  return {evaluate_tactic(site)};
}

}  // namespace fovea::cpu
