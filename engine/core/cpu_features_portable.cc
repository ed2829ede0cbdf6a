// For processors other than x86.
#include "engine/core/cpu_features.h"

namespace fovea {

std::vector<CpuFeature> cpu_features() {
  return {};
}

std::string cpu_model() {
  return "unknown processor";
}

}  // namespace fovea
