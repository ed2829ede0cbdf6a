#include "engine/api/backends.h"

#include <array>

#include <fovea/options.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

struct BackendEntry {
  std::string_view name;
  std::unique_ptr<Backend> (*make)();
};

/// Fastest first; "auto" takes the first one.
constexpr std::array kBackends{
    BackendEntry{"cpu", make_cpu_backend},
    BackendEntry{"reference", make_reference_backend},
};

}  // namespace

std::shared_ptr<const Backend> make_backend(std::string_view name) {
  if (name == "auto") name = kBackends.front().name;
  for (const BackendEntry& entry : kBackends) {
    if (entry.name == name) return entry.make();
  }
  if (name == "cuda") {
    throw DeviceError("this build has no CUDA backend; use --backend cpu", ErrorCode::kDeviceNone);
  }
  throw InvalidArgument(cat("no backend is called '",
                            name,
                            "'; there are: auto, ",
                            joined(kBackends, ", ", &BackendEntry::name)));
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  names.reserve(kBackends.size());
  for (const BackendEntry& entry : kBackends) names.emplace_back(entry.name);
  return names;
}

}  // namespace fovea
