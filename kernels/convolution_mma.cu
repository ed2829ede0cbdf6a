// Convolutions by tensor cores.
#include "kernels/detail/convolution_mma.h"

#include "kernels/detail/convolution_launch.h"

namespace fovea::kernels {

namespace {

template <typename T, typename Tile>
cudaError_t launch_tile(const ConvolutionProblem& problem,
                        bool vectors,
                        int blocks,
                        cudaStream_t stream) {
  return vectors ? mma::launch<T, Tile>(VectorProblem{problem}, blocks, stream)
                 : mma::launch<T, Tile>(ElementProblem{problem}, blocks, stream);
}

}  // namespace

cudaError_t launch_convolution_mma(const ConvolutionProblem& problem,
                                   ConvolutionTile tile,
                                   bool vectors,
                                   int blocks,
                                   cudaStream_t stream) {
  using mma::MmaTile;
  return with_element(problem.args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    switch (tile) {
      case ConvolutionTile::kMma128x128:
        return launch_tile<T, MmaTile<128, 128, 4, 2, 3, 2>>(problem, vectors, blocks, stream);
      case ConvolutionTile::kMma128x64:
        return launch_tile<T, MmaTile<128, 64, 2, 2, 4, 3>>(problem, vectors, blocks, stream);
      default:
        return launch_tile<T, MmaTile<64, 64, 2, 2, 4, 4>>(problem, vectors, blocks, stream);
    }
  });
}

}  // namespace fovea::kernels
