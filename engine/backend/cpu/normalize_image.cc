// Bytes of pictures to floats: a byte has 256 values, so the exact result of every one is looked
// up.
#include <array>
#include <memory>

#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"

namespace fovea::cpu {

namespace {

using Table = std::array<std::array<float, 256>, 3>;  ///< by output channel, by byte

std::shared_ptr<const Table> make_table(const NormalizationConstants& constants) {
  auto table = std::make_shared<Table>();
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const float scaled = static_cast<float>(byte) / constants.divisor;
      (*table)[c][byte] = (scaled - constants.mean[c]) / constants.scale[c];
    }
  }
  return table;
}

}  // namespace

std::vector<Tactic> lower_normalize_image(const OpSite& site) {
  const auto& op = *site.node.as<NormalizeImage>();
  const std::int64_t from = site.input(0).shape[3];
  const std::int64_t to = site.node.outputs[0].shape[3];
  const std::int64_t pixels = num_elements(site.input(0).shape) / from;
  const bool swap = op.constants.swap_red_blue && from == 3;
  return {host_tactic(site, "lookup", [=, table = make_table(op.constants)](const StepArgs& args) {
    const auto* x = reinterpret_cast<const unsigned char*>(args.inputs[0]);
    float* y = floats(args.outputs[0]);
    for (std::int64_t p = 0; p < pixels; ++p, x += from, y += to) {
      for (std::int64_t c = 0; c < from; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        y[c] = (*table)[channel][x[swap ? 2 - c : c]];
      }
      for (std::int64_t c = from; c < to; ++c) y[c] = 0.0F;
    }
  })};
}

}  // namespace fovea::cpu
