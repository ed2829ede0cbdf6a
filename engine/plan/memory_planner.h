// Places the buffers of a plan in one arena.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fovea {

/// A buffer and the steps between which its content matters.
struct BufferLifetime {
  std::size_t bytes = 0;
  std::size_t first = 0;  ///< the step that writes it first
  std::size_t last = 0;   ///< the last step that reads or writes it, >= first
};

struct ArenaPlan {
  std::vector<std::size_t> offsets;  ///< of every buffer, multiples of the alignment
  std::size_t bytes = 0;             ///< of the arena
  std::size_t lower_bound = 0;       ///< largest sum of the (aligned) buffers that live at one step
};

/// Offsets such that no two buffers overlap while both live. Buffers are placed one after the
/// other, each at the lowest free place, the largest first (greedy by size: Pisarchyk and Lee,
/// arXiv:2001.03288). Where that misses the lower bound, a short search: other orders, and in each
/// the buffer that reaches highest is moved to the front a few times. The best plan counts.
/// A pure function; alignment is a power of two.
[[nodiscard]] ArenaPlan plan_arena(std::span<const BufferLifetime> buffers, std::size_t alignment);

}  // namespace fovea
