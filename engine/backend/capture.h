// Capturing a stream's work without leaving the stream in capture.
#pragma once

#include <exception>
#include <memory>

#include "engine/backend/backend.h"

namespace fovea {

/// What `enqueue()` enqueues on the stream, which captures. Where that throws, the stream captures
/// no more, and the exception is thrown on.
template <typename Enqueue>
[[nodiscard]] std::unique_ptr<Replay> captured(Stream& stream, const Enqueue& enqueue) {
  stream.begin_capture();
  std::exception_ptr first;
  try {
    enqueue();
  } catch (...) {
    first = std::current_exception();
  }
  std::unique_ptr<Replay> replay;
  try {
    replay = stream.end_capture();
  } catch (...) {
    if (first == nullptr) throw;  // else the first error is the reason for this one
  }
  if (first != nullptr) std::rethrow_exception(first);
  return replay;
}

}  // namespace fovea
