#include "engine/backend/cpu/winograd.h"

#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/winograd_run.h"
#include "engine/backend/cpu/winograd_weights.h"
#include "engine/backend/weight_store.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

using winograd::Convolution;

/// Whether the tactic computes this convolution at all.
bool applies(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  if (ohwi[1] != 3 || ohwi[2] != 3 || conv.groups != 1) return false;
  if (conv.strides != std::array<std::int64_t, 2>{1, 1}) return false;
  if (conv.dilations != std::array<std::int64_t, 2>{1, 1}) return false;
  switch (conv.activation.kind) {
    case ActivationKind::kNone:
    case ActivationKind::kRelu:
    case ActivationKind::kClip:
      return true;
    default:
      return false;
  }
}

/// Whether it is taken for the faster way; docs/measurements/2026-11-25-winograd.md has what whole
/// networks gain by this rule. With fewer than a register of channels most of a product would be
/// padding; where little of a tile lies inside of the picture, it saves too few multiplications for
/// the larger weights.
bool pays(const Convolution& conv) {
  constexpr std::int64_t kLeastSaving = 2;
  const std::int64_t direct = conv.rows * conv.columns * 9;
  const std::int64_t tiled = conv.picture_tiles() * winograd::kElements;
  return conv.channels >= winograd::kLanes && conv.filters >= winograd::kLanes &&
         direct >= kLeastSaving * tiled;
}

Convolution describe(const OpSite& site, const Conv2d& conv) {
  const Shape& input = site.input(0).shape;
  const Shape& output = site.node.outputs[0].shape;
  return {.batch = input[0],
          .height = input[1],
          .width = input[2],
          .channels = input[3],
          .filters = output[3],
          .rows = output[1],
          .columns = output[2],
          .top = conv.pads[0],
          .left = conv.pads[1]};
}

std::pair<float, float> bounds(const Activation& activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return {0.0F, kInfinity};
    case ActivationKind::kClip:
      return {activation.lo, activation.hi};
    default:
      return {-kInfinity, kInfinity};
  }
}

std::span<float> as_floats(std::span<std::byte> bytes) {
  return {floats(bytes.data()), bytes.size() / sizeof(float)};
}

std::shared_ptr<const std::byte> weights_of(const Constant& weights,
                                            const Convolution& conv,
                                            int threads,
                                            WeightStore& store) {
  const std::size_t bytes = static_cast<std::size_t>(conv.weight_floats()) * sizeof(float);
  return store.get(cat(weights.key(), " winograd 4x4"), bytes, [&](std::span<std::byte> packed) {
    const ThreadScope scope(threads);
    const PinnedBytes data = weights.data->read();
    const Shape strides = weights.element_strides();
    winograd::pack_weights(conv,
                           {.data = floats(data.data()),
                            .filter = strides[0],
                            .row = strides[1],
                            .column = strides[2],
                            .channel = strides[3]},
                           as_floats(packed));
    weights.data->forget(0, data.size());
  });
}

/// Zeros where there is none.
std::shared_ptr<const std::byte> bias_of(const OpSite& site,
                                         const Conv2d& conv,
                                         const Convolution& shape,
                                         WeightStore& store) {
  const std::size_t bytes =
      static_cast<std::size_t>(shape.output_blocks() * winograd::kLanes) * sizeof(float);
  const std::string key =
      conv.bias ? cat(site.constant(2)->key(), " padded to ", bytes) : cat("zeros ", bytes);
  return store.get(key, bytes, [&](std::span<std::byte> packed) {
    if (!conv.bias) return;
    const PinnedBytes values = site.constant(2)->read();
    std::memcpy(packed.data(), values.data(), values.size());
  });
}

}  // namespace

std::optional<Tactic> winograd_tactic(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (site.exact_convolutions || !winograd::available() || !applies(site, conv)) return {};
  const Convolution shape = describe(site, conv);
  if (!pays(shape)) return {};
  const winograd::Schedule schedule = winograd::make_schedule(shape, site.threads);

  Tactic tactic;
  tactic.name = "winograd:4x4";
  tactic.inputs.assign(site.node.inputs.size(), Layout{});
  tactic.outputs.resize(1);
  tactic.workspace_bytes = winograd::scratch_bytes(shape, schedule);
  const std::size_t residual = site.node.inputs.size() - 1;
  if (conv.residual) tactic.aliases = {{.input = residual, .output = 0}};
  tactic.build = [=](const BuildArgs& args) {
    return make_host_step(
        [shape,
         schedule,
         residual = conv.residual ? residual : 0,
         range = bounds(conv.activation),
         weights = weights_of(*site.constant(1), shape, site.threads, args.weights),
         bias = bias_of(site, conv, shape, args.weights)](const StepArgs& step) {
          winograd::run(shape,
                        schedule,
                        {.x = floats(step.inputs[0]),
                         .w = floats(weights.get()),
                         .bias = floats(bias.get()),
                         .residual = residual == 0 ? nullptr : floats(step.inputs[residual]),
                         .low = range.first,
                         .high = range.second,
                         .y = floats(step.outputs[0]),
                         .scratch = floats(step.workspace)});
        });
  };
  return tactic;
}

}  // namespace fovea::cpu
