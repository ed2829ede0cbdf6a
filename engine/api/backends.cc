#include "engine/api/backends.h"

#include <array>
#include <vector>

#include <fovea/options.h>

#include "engine/api/device_backends.h"
#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr std::array kHostBackends{
    BackendEntry{"cpu", make_cpu_backend},
    BackendEntry{"reference", make_reference_backend},
};

/// Fastest first.
std::vector<BackendEntry> all_backends() {
  const auto devices = device_backends();
  std::vector<BackendEntry> all(devices.begin(), devices.end());
  all.insert(all.end(), kHostBackends.begin(), kHostBackends.end());
  return all;
}

/// The fastest one whose device works here.
std::unique_ptr<Backend> make_fastest() {
  for (const BackendEntry& entry : device_backends()) {
    try {
      return entry.make();
    } catch (const DeviceError& error) {
      if (error.code() != ErrorCode::kDeviceNone) throw;
    }
  }
  return kHostBackends.front().make();
}

}  // namespace

std::shared_ptr<const Backend> make_backend(std::string_view name) {
  if (name == "auto") return make_fastest();
  const std::vector<BackendEntry> backends = all_backends();
  for (const BackendEntry& entry : backends) {
    if (entry.name == name) return entry.make();
  }
  if (name == "cuda") {
    throw DeviceError("this build has no CUDA backend; use --backend cpu", ErrorCode::kDeviceNone);
  }
  throw InvalidArgument(cat("no backend is called '",
                            name,
                            "'; there are: auto, ",
                            joined(backends, ", ", &BackendEntry::name)));
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendEntry& entry : all_backends()) names.emplace_back(entry.name);
  return names;
}

}  // namespace fovea
