// Separable convolutions whose pointwise part is computed by tensor cores.
#include "kernels/detail/convolution_mma.h"
#include "kernels/detail/depthwise_pixels.h"

namespace fovea::kernels {

cudaError_t launch_separable_mma(const SeparableProblem& problem,
                                 SeparableTile tile,
                                 int blocks,
                                 cudaStream_t stream) {
  using mma::MmaTile;
  return with_element(problem.args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    switch (tile) {
      case SeparableTile::kMma64x256:
        return mma::launch<T, MmaTile<64, 256, 2, 4, 2, 2>>(problem, blocks, stream);
      case SeparableTile::kMma64x128:
        return mma::launch<T, MmaTile<64, 128, 2, 4, 3, 3>>(problem, blocks, stream);
      default:
        return mma::launch<T, MmaTile<64, 64, 2, 2, 4, 4>>(problem, blocks, stream);
    }
  });
}

}  // namespace fovea::kernels
