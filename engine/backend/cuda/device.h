// The device calls that the CUDA backend needs. One of two files implements them, as CMake chooses:
// device_runtime.cc by the CUDA runtime, device_emulated.cc in host memory for machines without a
// GPU, where work waits in its stream until somebody waits for it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>

#include <cuda_runtime_api.h>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/targets.h"

namespace fovea::cuda {

/// Devices that can be used, which are numbered from 0. The emulated ones are one, unless a test
/// asks for more.
[[nodiscard]] int device_count();

/// Makes the device the calling thread's current one: what the calls below are about, and the
/// kernels that are launched and the handles that libraries make. Where it is that already, next to
/// no time is taken. Throws DeviceError.
void use_device(int device);

/// The calling thread's current device.
[[nodiscard]] int current_device();

/// The current device with its target and its number of multiprocessors, and the versions of
/// runtime and driver: what times depend on. One line.
[[nodiscard]] std::string description();

/// What the driver says of the current device; nothing of the emulated one, which has no rates.
[[nodiscard]] std::optional<DeviceFacts> device_facts();

/// The current device's compute capability, ten times the major number plus the minor one: 90.
[[nodiscard]] int compute_capability();

/// Throws DeviceError (device/failed, device/out-of-memory or device/none) that names the place of
/// the call unless `status` is cudaSuccess.
void check(cudaError_t status, const std::source_location& where = std::source_location::current());

/// Memory of the current device, aligned to kBufferAlignment, freed with the last pointer; its
/// content is undefined. Throws DeviceError (device/out-of-memory).
[[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes);

/// Page-locked memory of the host, aligned to kBufferAlignment, freed with the last pointer; its
/// content is undefined. Only copies from and to such memory go on while the host does, and beside
/// kernels. Throws DeviceError (device/out-of-memory).
[[nodiscard]] std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes);

/// Of the current device.
[[nodiscard]] MemoryInfo memory_info();

/// Releases what the handle refers to; errors have no one to report to.
struct Release {
  void operator()(cudaStream_t stream) const noexcept;
  void operator()(cudaEvent_t event) const noexcept;
  void operator()(cudaGraphExec_t graph) const noexcept;
};

template <typename Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Release>;

using StreamHandle = Owned<cudaStream_t>;
using EventHandle = Owned<cudaEvent_t>;
using GraphHandle = Owned<cudaGraphExec_t>;

/// A stream of the current device that does not wait for the default stream. What is enqueued on it
/// must be enqueued while that device is current.
[[nodiscard]] StreamHandle make_stream();

/// Enqueues a copy; the call does not wait. Host memory must stay until the stream is synchronised,
/// unchanged where it is the source.
void copy_to_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream);
void copy_to_host(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream);

/// Enqueues a copy from device memory to device memory that does not overlap it.
void copy_on_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream);

/// Waits for everything enqueued. Throws DeviceError for a failure of that work.
void synchronize(cudaStream_t stream);

/// An event of the current device that has a time; a thread that waits for it for more than half a
/// millisecond sleeps.
[[nodiscard]] EventHandle make_event();
void record(cudaEvent_t event, cudaStream_t stream);

/// Waits for the work before the last record(); returns at once where there was none.
void synchronize(cudaEvent_t event);

/// Work enqueued on `stream` from now on starts after the event's last record().
void wait(cudaStream_t stream, cudaEvent_t event);

/// Milliseconds between two events that are recorded and done.
[[nodiscard]] float elapsed_ms(cudaEvent_t start, cudaEvent_t stop);

/// Between the two, work of the stream is recorded and not run.
void begin_capture(cudaStream_t stream);
[[nodiscard]] GraphHandle end_capture(cudaStream_t stream);

/// Enqueues captured work, with the arguments that it was captured with.
void launch(cudaGraphExec_t graph, cudaStream_t stream);

}  // namespace fovea::cuda
