// In a build with the CUDA backend.
#include <array>

#include "engine/api/device_backends.h"
#include "engine/backend/cuda/cuda_backend.h"

namespace fovea {

std::span<const BackendEntry> device_backends() {
  static constexpr std::array kBackends{BackendEntry{"cuda", cuda_device_count, make_cuda_backend}};
  return kBackends;
}

std::unique_ptr<Backend> make_target_backend(std::string_view target) {
  return make_cuda_dry_run_backend(target);
}

}  // namespace fovea
