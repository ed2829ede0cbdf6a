#include "engine/backend/cpu/dense_tactics.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/dense_run.h"
#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/cpu/team.h"

namespace fovea::cpu {

namespace {

using dense::Layer;

/// Whether the tactics compute this layer at all.
bool applies(const OpSite& site, const Dense& dense) {
  const DType type = site.input(0).dtype;
  const DType weights = site.input(1).dtype;
  if (dense.bias && site.input(2).dtype != DType::kFloat32) return false;
  if (type != site.node.outputs[0].dtype || !bounds_of(dense.activation)) return false;
  if (type == DType::kFloat32) return has_avx512() && weights == DType::kFloat32;
  return type == DType::kBFloat16 && bf16_support() == Bf16Support::kNative &&
         (weights == DType::kFloat32 || weights == DType::kBFloat16);
}

/// Whether a team of threads takes longer to wake than to share the work.
bool is_small(const Layer& layer, int threads) {
  constexpr std::int64_t kLeastRows = 2;  // fewer wait for the weights
  const std::int64_t cycles =
      layer.words() * layer.panels() * dense::kPanelVectors * std::max(layer.rows, kLeastRows);
  return cycles - cycles / threads < kTeamCycles;
}

Tactic make_tactic(const OpSite& site, const Dense& dense, const Layer& layer, int threads) {
  Tactic tactic;
  tactic.name = site.threads == 1 ? "dense:stream" : cat("dense:stream/", threads);
  tactic.inputs.resize(site.node.inputs.size());
  tactic.outputs.resize(1);
  tactic.workspace_bytes = dense::scratch_bytes(layer, threads);
  tactic.build = [site, dense, layer, threads](const BuildArgs& args) {
    const auto weights = dense::pack_weights(args.weights, site, layer);
    const auto bias = padded_bias(args.weights, site, dense.bias, layer.units + dense::kPanelUnits);
    const auto range = require_bounds(dense.activation);
    return make_host_step([layer, threads, weights, bias, range](const StepArgs& step) {
      dense::run(layer,
                 threads,
                 {.x = step.inputs[0],
                  .w = reinterpret_cast<const dense::Word*>(weights.get()),
                  .y = step.outputs[0],
                  .scratch = step.workspace,
                  .bias = floats(bias.get()),
                  .low = range.first,
                  .high = range.second});
    });
  };
  return tactic;
}

}  // namespace

std::vector<Tactic> dense_tactics(const OpSite& site) {
  const auto& dense = *site.node.as<Dense>();
  if (!applies(site, dense)) return {};
  const Shape& weights = site.input(1).shape;
  const Layer layer{.rows = site.input(0).shape[0],
                    .inputs = weights[1],
                    .units = weights[0],
                    .bf16 = site.input(0).dtype == DType::kBFloat16};
  std::vector<Tactic> tactics{make_tactic(site, dense, layer, site.threads)};
  if (site.threads > 1) tactics.push_back(make_tactic(site, dense, layer, 1));
  if (site.threads > 1 && is_small(layer, site.threads)) std::swap(tactics[0], tactics[1]);
  return tactics;
}

}  // namespace fovea::cpu
