#include "engine/backend/cuda/cudnn_files.h"

#include <array>
#include <utility>
#include <vector>

#include "engine/backend/cuda/library_files.h"

namespace fovea::cuda {

namespace {

constexpr std::size_t kOldest = 90800;  // of device properties as JSON
constexpr std::size_t kNextMajor = 100'000;

/// A file of cuDNN, and its function that compares its version with those of the libraries that it
/// uses; null where it has none.
struct Part {
  const char* file;
  const char* version_check;
};

constexpr std::array kParts{Part{"libcudnn_graph.so.9", "cudnnGraphVersionCheck"},
                            Part{"libcudnn_ops.so.9", "cudnnOpsVersionCheck"},
                            Part{"libcudnn_cnn.so.9", "cudnnCnnVersionCheck"},
                            Part{"libcudnn_heuristic.so.9", nullptr},
                            Part{"libcudnn_engines_precompiled.so.9", nullptr},
                            Part{"libcudnn_engines_runtime_compiled.so.9", nullptr}};

std::vector<SharedLibrary> load_parts(const std::optional<std::filesystem::path>& folder) {
  std::vector<SharedLibrary> parts;
  for (const Part& part : kParts) {
    try {
      parts.emplace_back(name_in(folder, part.file));
    } catch (const Unsupported& error) {
      const bool none = parts.empty();
      throw Unsupported(cat(none ? "cuDNN is not found: " : "cuDNN is incomplete: ",
                            error.what(),
                            none ? "" : cat("; ", quoted(parts.front().file()), " is there")));
    }
  }
  return parts;
}

/// "9.19.0" of libcudnn_graph.so.9.19.0, as Debian's packages name the files behind their links;
/// "9" of the names that NVIDIA's archives have.
std::string version_in_name(const SharedLibrary& library) {
  std::error_code ignored;  // then there is nothing to compare
  const std::string name =
      std::filesystem::weakly_canonical(library.file(), ignored).filename().string();
  constexpr std::string_view kSuffix = ".so.";
  const std::size_t suffix = name.find(kSuffix);
  return suffix == std::string::npos ? "" : name.substr(suffix + kSuffix.size());
}

void check_same(const std::vector<SharedLibrary>& parts, std::size_t version) {
  const std::filesystem::path first = parts.front().file();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::filesystem::path file = parts[i].file();
    if (file.parent_path() != first.parent_path()) {
      throw Unsupported(
          cat("cuDNN is mixed from two folders: ", quoted(file), " and ", quoted(first)));
    }
    if (version_in_name(parts[i]) != version_in_name(parts.front())) {
      throw Unsupported(cat("cuDNN is mixed from two versions: ",
                            quoted(std::filesystem::weakly_canonical(file)),
                            " and ",
                            quoted(std::filesystem::weakly_canonical(first))));
    }
    if (kParts.at(i).version_check == nullptr) continue;
    // A cudnnStatus_t; 0 is success.
    if (const int status = parts[i].function<int()>(kParts.at(i).version_check)(); status != 0) {
      throw Unsupported(cat("cuDNN is mixed from two versions: ",
                            quoted(file),
                            " says that it does not belong to version ",
                            version_text(version),
                            " of ",
                            quoted(first),
                            " (status ",
                            status,
                            ')'));
    }
  }
}

}  // namespace

std::string CudnnFiles::version_text() const {
  return cuda::version_text(version);
}

CudnnFiles load_cudnn_files(const std::optional<std::filesystem::path>& folder) {
  const std::vector<SharedLibrary> parts = load_parts(folder);
  const SharedLibrary& graph = parts.front();
  const std::size_t version = graph.function<std::size_t()>("cudnnGetVersion")();
  if (version < kOldest || version >= kNextMajor) {
    throw Unsupported(cat("cuDNN ",
                          version_text(version),
                          " in ",
                          quoted(graph.file()),
                          " cannot be used: it has to be ",
                          version_text(kOldest),
                          " or a later 9"));
  }
  check_same(parts, version);

  // cuDNN takes the NVRTC of the CUDA version that it was built with.
  const std::size_t cuda = graph.function<std::size_t()>("cudnnGetCudartVersion")();
  const std::string nvrtc = cat("libnvrtc.so.", cuda / 1000);
  const bool compiles = SharedLibrary::find({name_in(folder, nvrtc), nvrtc}).has_value();
  return {.graph = graph, .version = version, .compiles_kernels = compiles};
}

}  // namespace fovea::cuda
