// Element-wise operators that no primitive took in: our own loops over whatever layout is there.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/evaluate_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

/// Whether zero stays zero, so that the padding of a blocked layout stays what oneDNN relies on.
bool keeps_zero(const Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::kClip:
      return activation.lo <= 0.0F && activation.hi >= 0.0F;
    case ActivationKind::kSigmoid:
      return false;
    default:
      return true;
  }
}

/// A loop over all elements of equal layouts; `function(i, inputs)` gives element i.
template <typename Function>
Tactic elementwise(const OpSite& site, const Layout& layout, bool in_place, Function function) {
  const std::size_t count = buffer_bytes(site.node.outputs[0], layout) / sizeof(float);
  Tactic tactic = host_tactic(
      site, cat("elementwise-", op_name(site.node.op)), [count, function](const StepArgs& args) {
        float* y = floats(args.outputs[0]);
        for (std::size_t i = 0; i < count; ++i) y[i] = function(i, args);
      });
  std::fill(tactic.inputs.begin(), tactic.inputs.end(), layout);
  tactic.outputs = {layout};
  if (in_place) tactic.aliases = {{.input = 0, .output = 0}};
  return tactic;
}

std::vector<Tactic> unary(const OpSite& site, const Activation& activation) {
  const Layout layout = keeps_zero(activation) ? site.inputs[0] : Layout{};
  const auto x = [](std::size_t i, const StepArgs& args) { return floats(args.inputs[0])[i]; };
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return {elementwise(site, layout, true, [x](std::size_t i, const StepArgs& args) {
        const float v = x(i, args);
        return v < 0.0F ? 0.0F : v;
      })};
    case ActivationKind::kClip:
      return {elementwise(site, layout, true, [x, activation](std::size_t i, const StepArgs& args) {
        const float v = x(i, args);
        return v < activation.lo ? activation.lo : (v > activation.hi ? activation.hi : v);
      })};
    case ActivationKind::kTanh:
      return {elementwise(site, layout, true, [x](std::size_t i, const StepArgs& args) {
        return std::tanh(x(i, args));
      })};
    default:
      return {elementwise(site, layout, true, [x](std::size_t i, const StepArgs& args) {
        return 1.0F / (1.0F + std::exp(-x(i, args)));
      })};
  }
}

std::vector<Tactic> add(const OpSite& site, const Activation& activation) {
  const bool same =
      site.input(0) == site.input(1) && site.constant(0) == nullptr && site.constant(1) == nullptr;
  const bool simple =
      activation.kind == ActivationKind::kNone || activation.kind == ActivationKind::kRelu;
  if (!same || !simple) return {evaluate_tactic(site)};
  // Both layouts that are there are offered: the compiler converts the smaller trouble.
  std::vector<Tactic> tactics;
  for (const Layout& layout : {site.inputs[0], site.inputs[1]}) {
    const float floor =
        activation.kind == ActivationKind::kRelu ? 0.0F : -std::numeric_limits<float>::infinity();
    tactics.push_back(elementwise(site, layout, true, [floor](std::size_t i, const StepArgs& args) {
      const float sum = floats(args.inputs[0])[i] + floats(args.inputs[1])[i];
      return sum < floor ? floor : sum;
    }));
    if (site.inputs[0] == site.inputs[1]) break;
  }
  return tactics;
}

}  // namespace

std::vector<Tactic> lower_elementwise(const OpSite& site) {
  const Node& node = site.node;
  if (node.as<Relu>() != nullptr) return unary(site, {.kind = ActivationKind::kRelu});
  if (node.as<Tanh>() != nullptr) return unary(site, {.kind = ActivationKind::kTanh});
  if (node.as<Sigmoid>() != nullptr) return unary(site, {.kind = ActivationKind::kSigmoid});
  if (const auto* clip = node.as<Clip>()) {
    return unary(site, {.kind = ActivationKind::kClip, .lo = clip->lo, .hi = clip->hi});
  }
  if (const auto* sum = node.as<Add>()) return add(site, sum->activation);
  return {evaluate_tactic(site)};
}

std::vector<Tactic> lower_view(const OpSite& site) {
  const std::size_t bytes = byte_size(site.node.outputs[0]);
  Tactic tactic = host_tactic(site, "view", [bytes](const StepArgs& args) {
    if (args.outputs[0] != args.inputs[0]) std::memcpy(args.outputs[0], args.inputs[0], bytes);
  });
  tactic.aliases = {{.input = 0, .output = 0}};
  return {tactic};
}

}  // namespace fovea::cpu
