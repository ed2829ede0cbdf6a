// Local response normalisation through oneDNN, on whatever layout is there.
#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/backend/evaluate_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

std::vector<Tactic> lower_lrn(const OpSite& site) {
  const Lrn& lrn = *site.node.as<Lrn>();
  // oneDNN gives an even window one channel less than ONNX does.
  if (lrn.size % 2 == 0) return {evaluate_tactic(site)};

  const ThreadScope threads(site.threads);
  const Layout layout = unsliced(site.inputs[0]);
  const auto primitive = local_response_normalization(
      engine(), memory_desc(site.input(0), layout), lrn, base_attributes());

  Tactic tactic;
  tactic.name = cat("onednn:", primitive.impl_info_str());
  tactic.inputs = {layout};
  tactic.outputs = {layout};
  tactic.workspace_bytes = primitive.scratchpad_desc().get_size();
  tactic.build = [site, primitive](const BuildArgs&) {
    const ThreadScope scope(site.threads);
    return make_primitive_step({.primitive = dnnl::lrn_forward(primitive),
                                .source = {DNNL_ARG_SRC, primitive.src_desc()},
                                .destination = {DNNL_ARG_DST, primitive.dst_desc()},
                                .weights = {},
                                .scratchpad = primitive.scratchpad_desc()});
  };
  return {tactic};
}

}  // namespace fovea::cpu
