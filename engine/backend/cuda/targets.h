// Kinds of devices that plans can be made for without having one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/backend/ceilings.h"

namespace fovea::cuda {

/// Floating-point operations of one multiprocessor in a clock; a multiply-add is two.
struct FlopsPerClock {
  double fp32 = 0;
  double tf32 = 0;
  double half = 0;  ///< with sums in float32
};

/// A compute capability, and the ceilings of a device that has it.
struct Target {
  std::string_view name;  ///< "sm_90"
  int capability = 0;     ///< 10 times major, plus minor
  Ceilings ceilings;
  std::size_t memory_bytes = 0;  ///< of that device
  FlopsPerClock per_clock;       ///< of one multiprocessor
};

/// All that are known, oldest first.
[[nodiscard]] std::span<const Target> targets();

/// What the driver says of a device.
struct DeviceFacts {
  std::string name;
  int capability = 0;  ///< 10 times major, plus minor
  int multiprocessors = 0;
  double clock_hz = 0;         ///< the highest of its multiprocessors
  double memory_clock_hz = 0;  ///< the highest
  int memory_bus_bits = 0;
};

/// The ceilings of this very device: what a multiprocessor of its compute capability does in a
/// clock (CUDA C++ Programming Guide, "Arithmetic Instructions"; for tensor cores NVIDIA's papers
/// on the architectures), and two transfers a clock on every line of the memory bus. Nothing where
/// the capability is none of targets(), or where the driver does not say a clock.
[[nodiscard]] std::optional<Ceilings> ceilings_of(const DeviceFacts& device);

/// Whether kernels that were compiled for these architectures run on a device of that compute
/// capability: machine code within its major version from its own minor version on, and what the
/// driver compiles on any later device (CUDA C++ Programming Guide, "Application Compatibility").
///
/// architectures   CMAKE_CUDA_ARCHITECTURES joined by commas: "80-real,90"; words, such as "all",
///                 and numbers of one device family, such as "90a", count as what runs
[[nodiscard]] bool kernels_run_on(std::string_view architectures, int capability);

/// The target of that name. Throws InvalidArgument, which lists all names, when there is none.
[[nodiscard]] const Target& find_target(std::string_view name);

}  // namespace fovea::cuda
