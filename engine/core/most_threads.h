// The limit of what a run may be given.
#pragma once

namespace fovea {

/// CPU threads of one run, at most: from some tens of thousands on, OpenMP's stack overflows.
inline constexpr int kMostThreads = 1024;

}  // namespace fovea
