// The CUDA implementations of Stream, Event and Replay.
#pragma once

#include <memory>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/stream_states.h"

namespace fovea::cuda {

/// One CUDA stream of a device, which is current in the calling thread after every call.
class CudaStream final : public Stream {
 public:
  explicit CudaStream(int device);

  void synchronize() override { cuda::synchronize(get()); }

  void upload(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy_to_device(dst, src, bytes, get());
  }

  void download(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy_to_host(dst, src, bytes, get());
  }

  void copy(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy_on_device(dst, src, bytes, get());
  }

  [[nodiscard]] std::unique_ptr<Event> make_event() override;
  void record(Event& event) override;
  void wait(const Event& event) override;

  [[nodiscard]] bool captures() const override { return true; }

  void begin_capture() override { cuda::begin_capture(get()); }

  [[nodiscard]] std::unique_ptr<Replay> end_capture() override;
  void replay(const Replay& replay) override;

  /// To enqueue work on: makes the device current, as whoever launches a kernel needs it.
  [[nodiscard]] cudaStream_t get() const {
    use_device(device_);
    return stream_.get();
  }

  /// What libraries keep for this stream. Makes the device current, to which they bind what they
  /// make.
  [[nodiscard]] StreamStates& states() {
    use_device(device_);
    return states_;
  }

 private:
  int device_;
  StreamHandle stream_;
  StreamStates states_;  ///< of the stream, and gone before it
};

/// The CUDA stream of a stream that this backend made.
[[nodiscard]] inline cudaStream_t as_cuda(Stream& stream) {
  return dynamic_cast<CudaStream&>(stream).get();
}

}  // namespace fovea::cuda
