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
  try {
    enqueue();
  } catch (...) {
    try {
      (void)stream.end_capture();
    } catch (const std::exception&) {
      // The first error is the reason for this one.
    }
    throw;
  }
  return stream.end_capture();
}

}  // namespace fovea
