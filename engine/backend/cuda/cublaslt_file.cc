#include "engine/backend/cuda/cublaslt_file.h"

#include "engine/backend/cuda/library_files.h"

namespace fovea::cuda {

namespace {

constexpr std::size_t kOldest = 120'000;  // whose algorithms have clusters
constexpr std::size_t kNextMajor = 140'000;

SharedLibrary load(const std::optional<std::filesystem::path>& folder) {
  const std::string newest = name_in(folder, "libcublasLt.so.13");
  if (auto found = SharedLibrary::find({newest, name_in(folder, "libcublasLt.so.12")})) {
    return *std::move(found);
  }
  try {
    return SharedLibrary(newest);  // for the loader's reason
  } catch (const Unsupported& error) {
    throw Unsupported(cat("cuBLASLt is not found: ", error.what()));
  }
}

}  // namespace

std::string CublasLtFile::version_text() const {
  return cuda::version_text(version);
}

CublasLtFile load_cublaslt_file(const std::optional<std::filesystem::path>& folder) {
  SharedLibrary library = load(folder);
  const std::size_t version = library.function<std::size_t()>("cublasLtGetVersion")();
  if (version < kOldest || version >= kNextMajor) {
    throw Unsupported(cat("cuBLASLt ",
                          version_text(version),
                          " in ",
                          quoted(library.file()),
                          " cannot be used: it has to be ",
                          version_text(kOldest),
                          " or a later 12 or 13"));
  }
  return {.library = std::move(library), .version = version};
}

}  // namespace fovea::cuda
