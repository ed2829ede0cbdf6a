// The number of threads that a caller asks for.
#pragma once

namespace fovea {

/// `wanted`, or all threads that the process may use for 0. Throws argument/invalid outside 0 to
/// 1024: from some tens of thousands on, OpenMP's stack overflows.
[[nodiscard]] int checked_threads(int wanted);

}  // namespace fovea
