// Bytes of pictures to floats by table, a row of pixels at a time.
#include <memory>

#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/core/normalize.h"

namespace fovea::cpu {

std::vector<Tactic> lower_normalize_image(const OpSite& site) {
  const auto& op = *site.node.as<NormalizeImage>();
  const auto from = static_cast<std::size_t>(site.input(0).shape[3]);
  const auto to = static_cast<std::size_t>(site.node.outputs[0].shape[3]);
  const std::size_t pixels = byte_size(site.input(0)) / from;
  const auto table = std::make_shared<const NormalizationTable>(op.constants);
  return {host_tactic(site, "lookup", [=](const StepArgs& args) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(args.inputs[0]);
    table->apply(bytes, pixels, from, floats(args.outputs[0]), to);
  })};
}

}  // namespace fovea::cpu
