// In a build without the CUDA backend.
#include "engine/api/device_backends.h"
#include "engine/core/require.h"

namespace fovea {

std::span<const BackendEntry> device_backends() {
  return {};
}

std::unique_ptr<Backend> make_target_backend(std::string_view target) {
  throw Unsupported(cat("nothing can be compiled for ",
                        target,
                        ": this build has no CUDA backend; build with the CUDA toolkit, cmake "
                        "--preset cuda"));
}

}  // namespace fovea
