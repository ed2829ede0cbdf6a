// The CUDA implementations of Stream, Event and Replay.
#pragma once

#include <memory>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/stream_states.h"

namespace fovea::cuda {

/// One CUDA stream.
class CudaStream final : public Stream {
 public:
  CudaStream() : stream_(make_stream()) {}

  void synchronize() override { cuda::synchronize(stream_.get()); }

  void upload(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy_to_device(dst, src, bytes, stream_.get());
  }

  void download(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy_to_host(dst, src, bytes, stream_.get());
  }

  void copy(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy_on_device(dst, src, bytes, stream_.get());
  }

  [[nodiscard]] std::unique_ptr<Event> make_event() override;
  void record(Event& event) override;
  void wait(const Event& event) override;

  [[nodiscard]] bool captures() const override { return true; }

  void begin_capture() override { cuda::begin_capture(stream_.get()); }

  [[nodiscard]] std::unique_ptr<Replay> end_capture() override;
  void replay(const Replay& replay) override;

  [[nodiscard]] cudaStream_t get() const { return stream_.get(); }

  /// What libraries keep for this stream.
  [[nodiscard]] StreamStates& states() { return states_; }

 private:
  StreamHandle stream_;
  StreamStates states_;  ///< of the stream, and gone before it
};

/// The CUDA stream of a stream that this backend made.
[[nodiscard]] inline cudaStream_t as_cuda(Stream& stream) {
  return dynamic_cast<CudaStream&>(stream).get();
}

}  // namespace fovea::cuda
