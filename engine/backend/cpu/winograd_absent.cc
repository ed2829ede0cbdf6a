// For processors that have no Winograd kernels here.
#include "engine/backend/cpu/winograd.h"

namespace fovea::cpu {

std::optional<Tactic> winograd_tactic(const OpSite& /*site*/) {
  return std::nullopt;
}

}  // namespace fovea::cpu
