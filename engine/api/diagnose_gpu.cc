// Nothing of CUDA is linked: a machine without it has the same program.
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fovea/options.h>

#include "engine/api/diagnose.h"
#include "engine/backend/cuda/cublaslt_file.h"
#include "engine/backend/cuda/cudnn_files.h"
#include "engine/core/env.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/core/shared_library.h"

namespace fovea {

namespace {

constexpr std::string_view kArea = "gpu";

/// 13020 as "13.2".
std::string cuda_version(int version) {
  return cat(version / 1000, '.', version % 1000 / 10);
}

Check note(std::string_view name, std::string detail, std::string fix = {}) {
  return {.area = std::string(kArea),
          .name = std::string(name),
          .status = CheckStatus::kNote,
          .detail = std::move(detail),
          .fix = std::move(fix)};
}

Check ok(std::string_view name, std::string detail) {
  return {.area = std::string(kArea), .name = std::string(name), .detail = std::move(detail)};
}

bool built_with_cuda() {
  for (const std::string& backend : backend_names()) {
    if (backend == "cuda") return true;
  }
  return false;
}

/// The driver and its devices; how many devices there are goes to `devices`.
std::vector<Check> check_driver(int& devices) {
  const auto driver = SharedLibrary::find({"libcuda.so.1"});
  if (!driver) {
    return {note("driver", "no NVIDIA driver is installed (libcuda.so.1): no GPU; cpu is used")};
  }
  auto* initialize = driver->find_function<int(unsigned)>("cuInit");
  auto* get_version = driver->find_function<int(int*)>("cuDriverGetVersion");
  auto* get_count = driver->find_function<int(int*)>("cuDeviceGetCount");
  auto* get_name = driver->find_function<int(char*, int, int)>("cuDeviceGetName");
  if (initialize == nullptr || get_version == nullptr || get_count == nullptr ||
      get_name == nullptr) {
    return {note("driver", "libcuda.so.1 is not NVIDIA's", "install NVIDIA's driver again")};
  }
  const int status = initialize(0);
  int version = 0;
  if (status != 0 || get_count(&devices) != 0 || devices == 0) {
    devices = 0;
    return {note("driver",
                 cat("the NVIDIA driver sees no GPU (cuInit gives ", status, "); cpu is used"),
                 "run nvidia-smi; in a container, start it with its GPUs")};
  }
  (void)get_version(&version);
  std::vector<Check> checks{ok("driver", cat("NVIDIA's, for CUDA ", cuda_version(version)))};
  for (int i = 0; i < devices; ++i) {
    std::array<char, 256> name{};
    if (get_name(name.data(), name.size() - 1, i) != 0) continue;
    checks.push_back(ok(cat("device ", i), printable(name.data())));
  }
  return checks;
}

std::optional<std::string> runtime_version() {
  const auto runtime = SharedLibrary::find({"libcudart.so.13", "libcudart.so.12", "libcudart.so"});
  if (!runtime) return std::nullopt;
  int version = 0;
  auto* get = runtime->find_function<int(int*)>("cudaRuntimeGetVersion");
  if (get == nullptr || get(&version) != 0) return std::nullopt;
  return cuda_version(version);
}

Check check_runtime(bool has_gpu) {
  if (const auto version = runtime_version()) return ok("CUDA runtime", cat("version ", *version));
  return note("CUDA runtime",
              "not found; only the cuda backend needs it",
              has_gpu ? "install it, or add its folder to LD_LIBRARY_PATH" : "");
}

/// As the CUDA backend loads it.
///
/// load     gives the version, or throws Unsupported that says why it cannot be had
/// folder   where it is looked for
Check check_loaded(std::string_view name,
                   const std::function<std::string()>& load,
                   const env::Variable& folder,
                   bool has_gpu) {
  try {
    return ok(name, cat("version ", load()));
  } catch (const Unsupported& error) {
    return note(name,
                cat(error.what(), "; only the cuda backend needs it"),
                has_gpu ? cat("install it, or set ", folder.name, " to its folder") : "");
  }
}

}  // namespace

std::vector<Check> diagnose_gpu() {
  int devices = 0;
  std::vector<Check> checks = check_driver(devices);
  const bool has_gpu = devices > 0;
  checks.push_back(check_runtime(has_gpu));
  checks.push_back(check_loaded(
      "cuDNN", [] { return cuda::load_cudnn_files().version_text(); }, env::kCudnnFolder, has_gpu));
  checks.push_back(check_loaded(
      "cuBLASLt",
      [] { return cuda::load_cublaslt_file().version_text(); },
      env::kCublasLtFolder,
      has_gpu));
  if (has_gpu && !built_with_cuda()) {
    checks.push_back(note("backend cuda",
                          "this build has none; the GPU is not used",
                          "build with the CUDA toolkit: cmake --preset cuda"));
  }
  return checks;
}

}  // namespace fovea
