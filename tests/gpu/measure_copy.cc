#include <algorithm>

#include "tests/gpu/parts.h"

namespace fovea::selftest {

double measure_copy(const Backend& backend) {
  constexpr int kTimes = 5;
  const std::size_t bytes = std::min(std::size_t{256} << 20U, backend.memory_info().free_bytes / 4);
  const auto memory = backend.allocate(2 * bytes);
  const auto stream = backend.make_stream(1);
  const auto start = stream->make_event();
  const auto end = stream->make_event();
  double best = 0;
  for (int i = 0; i < kTimes; ++i) {
    stream->record(*start);
    stream->copy(memory.get() + bytes, memory.get(), bytes);
    stream->record(*end);
    stream->synchronize();
    best = std::max(best, 2e3 * static_cast<double>(bytes) / double{end->elapsed_ms_since(*start)});
  }
  return best;
}

}  // namespace fovea::selftest
