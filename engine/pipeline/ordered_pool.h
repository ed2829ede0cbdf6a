// Several threads work on a stream of pictures; the results come out in the stream's order.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <fovea/result.h>

#include "engine/pipeline/picture_worker.h"

namespace fovea {

/// What an ordered run is made of.
struct OrderedRun {
  std::size_t workers = 1;  ///< threads, the calling one included
  std::size_t chunk = 1;    ///< items that one worker takes at a time

  /// The next item, or nothing at the end. Called by one thread at a time.
  std::function<std::optional<LoadPicture>()> next;

  /// One Result per item; called by worker `worker` (0 to workers - 1) on its own thread.
  std::function<std::vector<Result>(std::size_t worker, std::span<const LoadPicture> items)> work;

  /// Takes the results in the order of the items. Called by one thread at a time.
  std::function<void(std::size_t index, Result result)> sink;
};

/// Runs until the items end. A worker never waits for another one's results unless it is more than
/// eight chunks per worker ahead, so memory is bounded and one slow picture stops nobody. The first
/// exception of `next`, `work` or `sink` stops all workers and is thrown on.
void run_ordered(const OrderedRun& run);

}  // namespace fovea
