// Fully connected layers: our own where they apply, and through oneDNN, with bias and activation
// inside the primitive.
#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dense_tactics.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

std::vector<Tactic> lower_dense(const OpSite& site) {
  const auto& dense = *site.node.as<Dense>();
  if (site.constant(1) == nullptr || (dense.bias && site.constant(2) == nullptr)) return {};
  const ThreadScope threads(site.threads);

  dnnl::post_ops post_ops;
  append_activation(post_ops, dense.activation);
  dnnl::primitive_attr attributes = base_attributes();
  attributes.set_post_ops(post_ops);
  const TensorDesc& output = site.node.outputs[0];
  const dnnl::memory::desc bias =
      dense.bias ? memory_desc(site.input(2), {}) : dnnl::memory::desc();
  const auto primitive = inner_product(engine(),
                                       memory_desc(site.input(0), {}),
                                       any_format({output.dtype, site.input(1).shape}),
                                       bias,
                                       memory_desc(output, {}),
                                       attributes);

  Tactic tactic;
  tactic.name = cat("onednn:", primitive.impl_info_str());
  tactic.inputs.resize(site.node.inputs.size());
  tactic.outputs.resize(1);
  tactic.workspace_bytes = primitive.scratchpad_desc().get_size();
  tactic.build = [site, dense, primitive](const BuildArgs& args) {
    const ThreadScope scope(site.threads);
    PrimitiveSpec spec;
    spec.primitive = dnnl::inner_product_forward(primitive);
    spec.source = {DNNL_ARG_SRC, primitive.src_desc()};
    spec.destination = {DNNL_ARG_DST, primitive.dst_desc()};
    spec.scratchpad = primitive.scratchpad_desc();
    spec.weights.push_back(pack(args.weights,
                                *site.constant(1),
                                DNNL_ARG_WEIGHTS,
                                {site.input(1).shape, site.constant(1)->element_strides()},
                                primitive.weights_desc()));
    if (dense.bias) {
      spec.weights.push_back(pack(args.weights,
                                  *site.constant(2),
                                  DNNL_ARG_BIAS,
                                  {site.input(2).shape, {1}},
                                  primitive.bias_desc()));
    }
    return make_primitive_step(std::move(spec));
  };
  std::vector<Tactic> tactics = dense_tactics(site);
  tactics.push_back(std::move(tactic));
  return tactics;
}

}  // namespace fovea::cpu
