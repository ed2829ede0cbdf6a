#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

/// oneDNN counts the elements that a dilated window skips.
dnnl::memory::dims skipped(const Window& window) {
  return {window.dilations[0] - 1, window.dilations[1] - 1};
}

void append_dims(std::string& text, const dnnl::memory::dims& values) {
  for (const dnnl::memory::dim value : values) text += cat(value, ',');
  text += ';';
}

}  // namespace

dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine,
                                                      const dnnl::memory::desc& source,
                                                      const dnnl::memory::desc& weights,
                                                      const dnnl::memory::desc& bias,
                                                      const dnnl::memory::desc& destination,
                                                      const Window& window,
                                                      const dnnl::primitive_attr& attributes) {
  return {engine,
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          source,
          weights,
          bias,
          destination,
          window.strides,
          skipped(window),
          window.before,
          window.after,
          attributes};
}

dnnl::inner_product_forward::primitive_desc inner_product(const dnnl::engine& engine,
                                                          const dnnl::memory::desc& source,
                                                          const dnnl::memory::desc& weights,
                                                          const dnnl::memory::desc& bias,
                                                          const dnnl::memory::desc& destination,
                                                          const dnnl::primitive_attr& attributes) {
  return {
      engine, dnnl::prop_kind::forward_inference, source, weights, bias, destination, attributes};
}

dnnl::pooling_forward::primitive_desc pooling(const dnnl::engine& engine,
                                              dnnl::algorithm algorithm,
                                              const dnnl::memory::desc& source,
                                              const dnnl::memory::desc& destination,
                                              const Window& window,
                                              const dnnl::primitive_attr& attributes) {
  return {engine,
          dnnl::prop_kind::forward_inference,
          algorithm,
          source,
          destination,
          window.strides,
          window.kernel,
          skipped(window),
          window.before,
          window.after,
          attributes};
}

dnnl::lrn_forward::primitive_desc local_response_normalization(
    const dnnl::engine& engine,
    const dnnl::memory::desc& source,
    const Lrn& lrn,
    const dnnl::primitive_attr& attributes) {
  return {engine,
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::lrn_across_channels,
          source,
          source,
          lrn.size,
          static_cast<float>(lrn.alpha),
          static_cast<float>(lrn.beta),
          static_cast<float>(lrn.bias),
          attributes};
}

dnnl::eltwise_forward::primitive_desc elementwise(const dnnl::engine& engine,
                                                  const dnnl::memory::desc& tensor,
                                                  const Eltwise& function,
                                                  const dnnl::primitive_attr& attributes) {
  return {engine,
          dnnl::prop_kind::forward_inference,
          function.algorithm,
          tensor,
          tensor,
          function.alpha,
          function.beta,
          attributes};
}

dnnl::binary::primitive_desc addition(const dnnl::engine& engine,
                                      const dnnl::memory::desc& tensor,
                                      const dnnl::primitive_attr& attributes) {
  return {engine, dnnl::algorithm::binary_add, tensor, tensor, tensor, attributes};
}

void append_activation(dnnl::post_ops& post_ops, const Activation& activation) {
  if (activation.kind == ActivationKind::kNone) return;
  const Eltwise function = eltwise_of(activation);
  post_ops.append_eltwise(function.algorithm, function.alpha, function.beta);
}

std::string fingerprint(const dnnl::memory::desc& desc) {
  std::string text = cat(
      static_cast<int>(desc.get_data_type()), '/', static_cast<int>(desc.get_format_kind()), '/');
  require(desc.get_format_kind() == dnnl::memory::format_kind::blocked,
          "oneDNN chose a format that has no name here");
  append_dims(text, desc.get_dims());
  append_dims(text, desc.get_padded_dims());
  append_dims(text, desc.get_strides());
  append_dims(text, desc.get_inner_blks());
  append_dims(text, desc.get_inner_idxs());
  return text;
}

}  // namespace fovea::cpu
