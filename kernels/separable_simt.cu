// Separable convolutions by multiply-adds of float32.
#include "kernels/detail/convolution_simt.h"
#include "kernels/detail/depthwise_pixels.h"

namespace fovea::kernels {

cudaError_t launch_separable_simt(const SeparableProblem& problem,
                                  SeparableTile tile,
                                  int blocks,
                                  cudaStream_t stream) {
  using multiply_adds::SimtTile;
  return with_element(problem.args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return tile == SeparableTile::kSimt128x128
               ? multiply_adds::launch<T, SimtTile<128, 128, 8>>(problem, blocks, stream)
               : multiply_adds::launch<T, SimtTile<64, 64, 4>>(problem, blocks, stream);
  });
}

}  // namespace fovea::kernels
