// A step that launches kernels.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

#include "engine/backend/backend.h"
#include "kernels/element.h"

namespace fovea::cuda {

/// Addresses of a launch. Other than in StepArgs, Constants are there too: dense, on the device.
struct Operands {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* workspace = nullptr;

  /// Of a float32 tensor.
  [[nodiscard]] const float* input(std::size_t i) const {
    return reinterpret_cast<const float*>(inputs[i]);
  }

  /// Likewise.
  [[nodiscard]] float* output(std::size_t i) const { return reinterpret_cast<float*>(outputs[i]); }
};

/// Enqueues the work of one step; called for every run that is not a replay.
using Launch = std::function<cudaError_t(const Operands& operands, cudaStream_t stream)>;

/// Makes the launch for the layouts that the compiler chose.
using MakeLaunch = std::function<Launch(const BuildArgs& args)>;

/// As what a kernel reads each input of a node where that is a Constant: floats are converted when
/// the step is built, rounded to nearest even. Nothing: MakeLaunch packs the Constant itself, and
/// its operand is null.
using ReadTypes = std::vector<std::optional<DType>>;

/// A tactic that reads and writes dense tensors, unless the caller changes its layouts. Inputs that
/// are no Constants are read as they are.
[[nodiscard]] Tactic kernel_tactic(const OpSite& site,
                                   std::string name,
                                   ReadTypes types,
                                   MakeLaunch make);

/// The same with all Constants as they are.
[[nodiscard]] Tactic kernel_tactic(const OpSite& site, std::string name, MakeLaunch make);

/// Whether the input is of that type when a kernel_tactic that asks for it runs.
[[nodiscard]] bool can_be_read_as(const OpSite& site, std::size_t input, DType type);

/// Whether kernels compute with elements of this type.
[[nodiscard]] bool is_element_type(DType dtype);

/// float32, f16 or bf16 as the kernels call them. Throws Error (internal) for other types.
[[nodiscard]] kernels::ElementType element_type(DType dtype);

/// The layout if kernels that take a pixel stride can read it, else dense.
[[nodiscard]] Layout strided_or_dense(const Layout& layout);

/// Elements from one pixel (all of the last dimension) to the next.
[[nodiscard]] std::int64_t pixel_stride(const TensorDesc& desc, const Layout& layout);

/// The size of the last dimension, 1 for a scalar, and the number of such pixels.
[[nodiscard]] std::int64_t channels_of(const TensorDesc& desc);
[[nodiscard]] std::int64_t pixels_of(const TensorDesc& desc);

/// Whether every dimension fits the kernels' int.
[[nodiscard]] bool fits_int(const TensorDesc& desc);

/// Whether the number of elements does.
[[nodiscard]] bool elements_fit_int(const TensorDesc& desc);

/// Copies a tensor between layouts that are dense or slices; a tactic with one input and output.
[[nodiscard]] Tactic copy_tactic(const TensorDesc& desc, const Layout& from, const Layout& to);

}  // namespace fovea::cuda
