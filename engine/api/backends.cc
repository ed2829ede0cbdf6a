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

int one() {
  return 1;
}

/// On the host, which is one device.
template <std::unique_ptr<Backend> (*Make)()>
std::unique_ptr<Backend> on_host(int device) {
  if (device == 0) return Make();
  throw InvalidArgument(
      cat("the backend '", Make()->name(), "' has one device, 0; no device ", device));
}

constexpr std::array kHostBackends{
    BackendEntry{"cpu", one, on_host<make_cpu_backend>},
    BackendEntry{"reference", one, on_host<make_reference_backend>},
};

/// Fastest first.
std::vector<BackendEntry> all_backends() {
  const auto devices = device_backends();
  std::vector<BackendEntry> all(devices.begin(), devices.end());
  all.insert(all.end(), kHostBackends.begin(), kHostBackends.end());
  return all;
}

/// The fastest one that has a device here.
const BackendEntry& fastest() {
  for (const BackendEntry& entry : device_backends()) {
    if (entry.device_count() > 0) return entry;
  }
  return kHostBackends.front();
}

BackendEntry entry_of(std::string_view name) {
  if (name == "auto") return fastest();
  const std::vector<BackendEntry> backends = all_backends();
  for (const BackendEntry& entry : backends) {
    if (entry.name == name) return entry;
  }
  if (name == "cuda") {
    throw DeviceError(
        "this build has no CUDA backend; use --backend cpu, or build with the CUDA toolkit: cmake "
        "--preset cuda",
        ErrorCode::kDeviceNone);
  }
  throw InvalidArgument(cat("no backend is called '",
                            name,
                            "'; there are: auto, ",
                            joined(backends, ", ", &BackendEntry::name)));
}

}  // namespace

std::shared_ptr<const Backend> make_backend(std::string_view name, int device) {
  return entry_of(name).make(device);
}

int device_count(std::string_view backend) {
  return entry_of(backend).device_count();
}

void check_device(std::string_view backend, int device) {
  const BackendEntry entry = entry_of(backend);
  if (device >= 0 && device < entry.device_count()) return;
  (void)entry.make(device);  // says which there are
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendEntry& entry : all_backends()) names.emplace_back(entry.name);
  return names;
}

}  // namespace fovea
