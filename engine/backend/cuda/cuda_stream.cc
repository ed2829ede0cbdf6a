#include "engine/backend/cuda/cuda_stream.h"

#include <utility>

namespace fovea::cuda {

namespace {

struct CudaEvent final : Event {
  void synchronize() override { cuda::synchronize(handle.get()); }

  [[nodiscard]] float elapsed_ms_since(const Event& start) const override {
    return elapsed_ms(dynamic_cast<const CudaEvent&>(start).handle.get(), handle.get());
  }

  EventHandle handle = cuda::make_event();
};

struct CudaReplay final : Replay {
  explicit CudaReplay(GraphHandle captured) : graph(std::move(captured)) {}

  GraphHandle graph;
};

StreamHandle stream_on(int device) {
  use_device(device);
  return make_stream();
}

}  // namespace

CudaStream::CudaStream(int device) : device_(device), stream_(stream_on(device)) {}

std::unique_ptr<Event> CudaStream::make_event() {
  use_device(device_);
  return std::make_unique<CudaEvent>();
}

void CudaStream::record(Event& event) {
  cuda::record(dynamic_cast<CudaEvent&>(event).handle.get(), get());
}

void CudaStream::wait(const Event& event) {
  cuda::wait(get(), dynamic_cast<const CudaEvent&>(event).handle.get());
}

std::unique_ptr<Replay> CudaStream::end_capture() {
  return std::make_unique<CudaReplay>(cuda::end_capture(get()));
}

void CudaStream::replay(const Replay& replay) {
  launch(dynamic_cast<const CudaReplay&>(replay).graph.get(), get());
}

}  // namespace fovea::cuda
