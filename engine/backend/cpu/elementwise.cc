// Element-wise operators that no primitive took in: our own loops over whatever layout is there.
#include <span>
#include <utility>

#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/rows.h"
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

/// Floats from one pixel to the next; for a blocked layout, from the first float to the last.
std::int64_t stride_of(const TensorDesc& desc, const Layout& layout) {
  const auto stride = pixel_stride(desc, layout);
  return stride ? *stride : static_cast<std::int64_t>(layout.bytes / sizeof(float));
}

/// Rows of equal descriptions in these layouts.
Rows rows_of(const TensorDesc& desc, std::span<const Layout> inputs, const Layout& output) {
  const bool blocked = output.kind == Layout::Kind::kOpaque;
  const std::int64_t length = blocked ? stride_of(desc, output) : desc.shape.back();
  Rows rows{.count = blocked || length == 0 ? 1 : num_elements(desc.shape) / length,
            .length = length,
            .input_stride = stride_of(desc, inputs[0]),
            .second_stride = stride_of(desc, inputs.back()),
            .output_stride = stride_of(desc, output)};
  if (rows.input_stride == length && rows.second_stride == length && rows.output_stride == length) {
    rows.length *= rows.count;
    rows.count = 1;
  }
  return rows;
}

/// A loop over all elements; `function(rows, step arguments)` does it.
template <typename Function>
Tactic elementwise(const OpSite& site, std::vector<Layout> inputs, Function function) {
  Tactic tactic;
  tactic.name = cat("elementwise-", op_name(site.node.op));
  const bool blocked = inputs[0].kind == Layout::Kind::kOpaque;
  tactic.inputs = std::move(inputs);
  tactic.outputs = {blocked ? tactic.inputs[0] : Layout{}};
  tactic.writes_slices = !blocked;
  tactic.aliases = {{.input = 0, .output = 0}};
  tactic.build = [desc = site.node.outputs[0], function](const BuildArgs& args) {
    const Rows rows = rows_of(desc, args.inputs, args.outputs[0]);
    return make_host_step([rows, function](const StepArgs& step) { function(rows, step); });
  };
  return tactic;
}

std::vector<Tactic> unary(const OpSite& site, const Activation& activation) {
  const Layout& present = site.inputs[0];
  const bool blocked = present.kind == Layout::Kind::kOpaque;
  const Layout layout = blocked && !keeps_zero(activation) ? Layout{} : present;
  const int threads = site.threads;
  if (const auto bounds = bounds_of(activation)) {
    return {elementwise(site, {layout}, [=](const Rows& rows, const StepArgs& step) {
      clamp_rows(rows,
                 floats(step.inputs[0]),
                 floats(step.outputs[0]),
                 bounds->first,
                 bounds->second,
                 threads);
    })};
  }
  const auto function = activation.kind == ActivationKind::kTanh ? tanh_rows : sigmoid_rows;
  return {elementwise(site, {layout}, [=](const Rows& rows, const StepArgs& step) {
    function(rows, floats(step.inputs[0]), floats(step.outputs[0]), threads);
  })};
}

std::vector<Tactic> add(const OpSite& site, const Activation& activation) {
  const bool same =
      site.input(0) == site.input(1) && site.constant(0) == nullptr && site.constant(1) == nullptr;
  const bool simple =
      activation.kind == ActivationKind::kNone || activation.kind == ActivationKind::kRelu;
  if (!same || !simple) return {evaluate_tactic(site)};
  const auto tactic = [&](const Layout& a, const Layout& b) {
    const float low = require_bounds(activation).first;
    return elementwise(
        site, {a, b}, [low, threads = site.threads](const Rows& rows, const StepArgs& step) {
          add_rows(rows,
                   floats(step.inputs[0]),
                   floats(step.inputs[1]),
                   floats(step.outputs[0]),
                   low,
                   threads);
        });
  };
  const Layout& a = site.inputs[0];
  const Layout& b = site.inputs[1];
  const bool blocked = a.kind == Layout::Kind::kOpaque || b.kind == Layout::Kind::kOpaque;
  if (!blocked || a == b) return {tactic(a, b)};
  // Both layouts that are there are offered: the compiler converts the smaller trouble.
  std::vector<Tactic> tactics{tactic(unsliced(a), unsliced(a)), tactic(unsliced(b), unsliced(b))};
  for (Tactic& offered : tactics) offered.name += cat(':', to_string(offered.inputs[0]));
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

}  // namespace fovea::cpu
