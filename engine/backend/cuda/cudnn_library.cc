#include "engine/backend/cuda/cudnn_library.h"

#include <array>
#include <string_view>
#include <utility>

#include "engine/backend/cuda/cudnn_files.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Why cuDNN refused this thread's last call; cudnnGetLastErrorString is empty for what it counts
/// as a warning, such as an engine that is not for a convolution.
thread_local std::string refusal;

/// Takes the first reason out of a report, which is the innermost one. The report is a list of
/// strings that ends in an empty one.
void take_reason(cudnnSeverity_t /*severity*/,
                 void* /*data*/,
                 const cudnnDebug_t* /*call*/,
                 const char* report) {
  constexpr std::string_view kReason = "Reason: ";
  refusal.clear();
  for (std::string_view line = report; !line.empty();
       line = line.data() + line.size() + 1) {  // NOLINT(bugprone-suspicious-stringview-data-usage)
    const std::size_t reason = line.find(kReason);
    if (reason == std::string_view::npos) continue;
    refusal = line.substr(reason + kReason.size());
    return;
  }
}

std::string reason_of(const CudnnLibrary& library) {
  constexpr std::size_t kMostBytes = 500;
  std::array<char, 2048> text{};
  library.last_error_string(text.data(), text.size() - 1);
  const std::string_view last = text.data();
  return printable(last.empty() ? std::string_view(refusal) : last, kMostBytes);
}

}  // namespace

void watch_refusals(const CudnnLibrary& library) {
  (void)library.set_callback(CUDNN_SEV_ERROR_EN | CUDNN_SEV_WARNING_EN, nullptr, take_reason);
}

void check(const CudnnLibrary& library, cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) {
    refusal.clear();
    return;
  }
  std::string message = cat("cuDNN: ", what, ": ", library.error_string(status));
  if (const std::string reason = reason_of(library); !reason.empty()) {
    message.append(": ").append(reason);
  }
  refusal.clear();
  throw CudnnError(status, message);
}

std::shared_ptr<const CudnnLibrary> load_cudnn() {
  const CudnnFiles files = load_cudnn_files();
  auto library = std::make_shared<CudnnLibrary>();
  const auto take = [&files](auto*& function, const char* name) {
    function =
        files.graph.function<std::remove_pointer_t<std::remove_reference_t<decltype(function)>>>(
            name);
  };
  take(library->error_string, "cudnnGetErrorString");
  take(library->last_error_string, "cudnnGetLastErrorString");
  take(library->set_callback, "cudnnSetCallback");
  take(library->create, "cudnnCreate");
  take(library->destroy, "cudnnDestroy");
  take(library->set_stream, "cudnnSetStream");
  take(library->create_descriptor, "cudnnBackendCreateDescriptor");
  take(library->destroy_descriptor, "cudnnBackendDestroyDescriptor");
  take(library->set_attribute, "cudnnBackendSetAttribute");
  take(library->get_attribute, "cudnnBackendGetAttribute");
  take(library->finalize, "cudnnBackendFinalize");
  take(library->execute, "cudnnBackendExecute");
  library->version = files.version_text();
  library->compiles_kernels = files.compiles_kernels;
  watch_refusals(*library);
  return library;
}

}  // namespace fovea::cuda
