#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

/// oneDNN counts the elements that a dilated window skips.
dnnl::memory::dims skipped(const Window& window) {
  return {window.dilations[0] - 1, window.dilations[1] - 1};
}

void append_dims(std::string& text, const dnnl_dim_t* values, int count) {
  for (int i = 0; i < count; ++i) text += cat(values[i], i + 1 == count ? ';' : ',');
}

}  // namespace

dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine,
                                                      const dnnl::memory::desc& source,
                                                      const dnnl::memory::desc& weights,
                                                      const dnnl::memory::desc& bias,
                                                      const dnnl::memory::desc& destination,
                                                      const Window& window,
                                                      const dnnl::primitive_attr& attributes) {
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference,
                                             dnnl::algorithm::convolution_direct,
                                             source,
                                             weights,
                                             bias,
                                             destination,
                                             window.strides,
                                             skipped(window),
                                             window.before,
                                             window.after);
  return {desc, attributes, engine};
}

dnnl::inner_product_forward::primitive_desc inner_product(const dnnl::engine& engine,
                                                          const dnnl::memory::desc& source,
                                                          const dnnl::memory::desc& weights,
                                                          const dnnl::memory::desc& bias,
                                                          const dnnl::memory::desc& destination,
                                                          const dnnl::primitive_attr& attributes) {
  const dnnl::inner_product_forward::desc desc(
      dnnl::prop_kind::forward_inference, source, weights, bias, destination);
  return {desc, attributes, engine};
}

dnnl::pooling_forward::primitive_desc pooling(const dnnl::engine& engine,
                                              dnnl::algorithm algorithm,
                                              const dnnl::memory::desc& source,
                                              const dnnl::memory::desc& destination,
                                              const Window& window,
                                              const dnnl::primitive_attr& attributes) {
  const dnnl::pooling_forward::desc desc(dnnl::prop_kind::forward_inference,
                                         algorithm,
                                         source,
                                         destination,
                                         window.strides,
                                         window.kernel,
                                         window.before,
                                         window.after);
  return {desc, attributes, engine};
}

dnnl::lrn_forward::primitive_desc local_response_normalization(
    const dnnl::engine& engine,
    const dnnl::memory::desc& source,
    const Lrn& lrn,
    const dnnl::primitive_attr& attributes) {
  const dnnl::lrn_forward::desc desc(dnnl::prop_kind::forward_inference,
                                     dnnl::algorithm::lrn_across_channels,
                                     source,
                                     lrn.size,
                                     static_cast<float>(lrn.alpha),
                                     static_cast<float>(lrn.beta),
                                     static_cast<float>(lrn.bias));
  return {desc, attributes, engine};
}

dnnl::eltwise_forward::primitive_desc elementwise(const dnnl::engine& engine,
                                                  const dnnl::memory::desc& tensor,
                                                  const Eltwise& function,
                                                  const dnnl::primitive_attr& attributes) {
  const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference,
                                         function.algorithm,
                                         tensor,
                                         function.alpha,
                                         function.beta);
  return {desc, attributes, engine};
}

dnnl::binary::primitive_desc addition(const dnnl::engine& engine,
                                      const dnnl::memory::desc& tensor,
                                      const dnnl::primitive_attr& attributes) {
  const dnnl::binary::desc desc(dnnl::algorithm::binary_add, tensor, tensor, tensor);
  return {desc, attributes, engine};
}

void append_activation(dnnl::post_ops& post_ops, const Activation& activation) {
  if (activation.kind == ActivationKind::kNone) return;
  const Eltwise function = eltwise_of(activation);
  post_ops.append_eltwise(1.0F, function.algorithm, function.alpha, function.beta);
}

std::string fingerprint(const dnnl::memory::desc& desc) {
  const dnnl_memory_desc_t& data = desc.data;
  std::string text = cat(static_cast<int>(data.data_type),
                         '/',
                         static_cast<int>(data.format_kind),
                         '/',
                         data.extra.flags,
                         '/');
  require(data.format_kind == dnnl_blocked, "oneDNN chose a format that has no name here");
  append_dims(text, data.dims, data.ndims);
  append_dims(text, data.padded_dims, data.ndims);
  append_dims(text, data.format_desc.blocking.strides, data.ndims);
  append_dims(text, data.format_desc.blocking.inner_blks, data.format_desc.blocking.inner_nblks);
  append_dims(text, data.format_desc.blocking.inner_idxs, data.format_desc.blocking.inner_nblks);
  return text;
}

}  // namespace fovea::cpu
