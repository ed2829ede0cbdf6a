// Nothing of CUDA is linked: a machine without it has the same program.
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>

#include <dlfcn.h>

#include <fovea/options.h>

#include "engine/api/diagnose.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr std::string_view kArea = "gpu";

/// A shared library that is loaded for a look; some of them must not be unloaded.
class Library {
 public:
  /// The first of these names that can be loaded.
  Library(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      handle_ = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) return;
    }
  }

  [[nodiscard]] bool loaded() const { return handle_ != nullptr; }

  /// Null where it has no such function.
  template <typename Function>
  [[nodiscard]] Function* function(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(::dlsym(handle_, name));
  }

 private:
  void* handle_ = nullptr;
};

/// 13020 as "13.2".
std::string cuda_version(int version) {
  return cat(version / 1000, '.', version % 1000 / 10);
}

/// 91900 as "9.19.0".
std::string digits_version(std::size_t version) {
  return cat(version / 10'000, '.', version % 10'000 / 100, '.', version % 100);
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
  const Library driver{"libcuda.so.1"};
  if (!driver.loaded()) {
    return {note("driver", "no NVIDIA driver is installed (libcuda.so.1): no GPU; cpu is used")};
  }
  auto* initialize = driver.function<int(unsigned)>("cuInit");
  auto* get_version = driver.function<int(int*)>("cuDriverGetVersion");
  auto* get_count = driver.function<int(int*)>("cuDeviceGetCount");
  auto* get_name = driver.function<int(char*, int, int)>("cuDeviceGetName");
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

/// A library that the CUDA backend calls.
Check check_library(std::string_view name, std::optional<std::string> version, bool has_gpu) {
  if (version) return ok(name, cat("version ", *version));
  return note(name,
              "not found; only the cuda backend needs it",
              has_gpu ? "install it, or add its folder to LD_LIBRARY_PATH" : "");
}

std::optional<std::string> runtime_version() {
  const Library library{"libcudart.so.13", "libcudart.so.12", "libcudart.so"};
  int version = 0;
  auto* get = library.function<int(int*)>("cudaRuntimeGetVersion");
  if (get == nullptr || get(&version) != 0) return std::nullopt;
  return cuda_version(version);
}

/// Of a library with a function that returns its version.
std::optional<std::string> version_of(const Library& library, const char* function) {
  auto* get = library.function<std::size_t()>(function);
  if (get == nullptr) return std::nullopt;
  return digits_version(get());
}

}  // namespace

std::vector<Check> diagnose_gpu() {
  int devices = 0;
  std::vector<Check> checks = check_driver(devices);
  const bool has_gpu = devices > 0;
  checks.push_back(check_library("CUDA runtime", runtime_version(), has_gpu));
  checks.push_back(check_library(
      "cuDNN", version_of(Library{"libcudnn.so.9", "libcudnn.so"}, "cudnnGetVersion"), has_gpu));
  checks.push_back(check_library(
      "cuBLASLt",
      version_of(Library{"libcublasLt.so.13", "libcublasLt.so.12"}, "cublasLtGetVersion"),
      has_gpu));
  if (has_gpu && !built_with_cuda()) {
    checks.push_back(note("backend cuda",
                          "this build has none; the GPU is not used",
                          "build with the CUDA toolkit: cmake --preset cuda"));
  }
  return checks;
}

}  // namespace fovea
