#include "engine/backend/cpu/conv_operands.h"

#include <cstring>
#include <string>
#include <tuple>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

std::size_t bytes_of(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace

std::shared_ptr<const std::byte> pack_constant(
    WeightStore& store,
    const OpSite& site,
    std::string_view form,
    std::int64_t groups,
    std::int64_t floats,
    const std::function<void(const StoredWeights&, std::span<float>)>& pack) {
  const Constant& weights = *site.constant(1);
  const std::string key = groups == 1 ? cat(weights.key(), ' ', form)
                                      : cat(weights.key(), ' ', form, " of ", groups, " groups");
  return store.get(key, bytes_of(groups * floats), [&](std::span<std::byte> packed) {
    const ThreadScope scope(site.threads);
    const PinnedBytes data = weights.data->read();
    const Shape strides = weights.element_strides();
    const std::int64_t filters = weights.desc.shape[0] / groups;
    for (std::int64_t group = 0; group < groups; ++group) {
      pack({.data = cpu::floats(data.data()) + group * filters * strides[0],
            .filter = strides[0],
            .row = strides[1],
            .column = strides[2],
            .channel = strides[3]},
           {cpu::floats(packed.data()) + group * floats, static_cast<std::size_t>(floats)});
    }
    weights.data->forget(0, data.size());
  });
}

std::shared_ptr<const std::byte> padded_bias(WeightStore& store,
                                             const OpSite& site,
                                             bool has_bias,
                                             std::int64_t floats) {
  const std::size_t bytes = bytes_of(floats);
  const std::string key =
      has_bias ? cat(site.constant(2)->key(), " padded to ", bytes) : cat("zeros ", bytes);
  return store.get(key, bytes, [&](std::span<std::byte> packed) {
    if (!has_bias) return;
    const PinnedBytes values = site.constant(2)->read();
    std::memcpy(packed.data(), values.data(), values.size());
  });
}

FilterBounds filter_bounds(const Conv2d& conv, std::int64_t filters, std::int64_t floats) {
  const auto count = static_cast<std::size_t>(floats);
  FilterBounds bounds{std::vector<float>(count), std::vector<float>(count)};
  for (std::int64_t filter = 0; filter < filters; ++filter) {
    const auto at = static_cast<std::size_t>(filter);
    std::tie(bounds.low[at], bounds.high[at]) = require_bounds(conv.activation_of(filter));
  }
  return bounds;
}

Axis axis_of(const OpSite& site, const Conv2d& conv, std::size_t side) {
  return {.inputs = site.input(0).shape[side + 1],
          .outputs = site.node.outputs[0].shape[side + 1],
          .kernel = site.input(1).shape[side + 1],
          .stride = conv.strides.at(side),
          .dilation = conv.dilations.at(side),
          .before = conv.pads.at(side)};
}

}  // namespace fovea::cpu
