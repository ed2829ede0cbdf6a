// Convolutions by multiply-adds of float32, for every type and size.
#include "kernels/detail/convolution_simt.h"

#include "kernels/detail/convolution_launch.h"

namespace fovea::kernels {

namespace {

template <typename T, typename Tile>
cudaError_t launch_tile(const ConvolutionProblem& problem,
                        bool vectors,
                        int blocks,
                        cudaStream_t stream) {
  return vectors ? multiply_adds::launch<T, Tile>(VectorProblem{problem}, blocks, stream)
                 : multiply_adds::launch<T, Tile>(ElementProblem{problem}, blocks, stream);
}

}  // namespace

cudaError_t launch_convolution_simt(const ConvolutionProblem& problem,
                                    ConvolutionTile tile,
                                    bool vectors,
                                    int blocks,
                                    cudaStream_t stream) {
  using multiply_adds::SimtTile;
  return with_element(problem.args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return tile == ConvolutionTile::kSimt128x128
               ? launch_tile<T, SimtTile<128, 128, 8>>(problem, vectors, blocks, stream)
               : launch_tile<T, SimtTile<64, 64, 4>>(problem, vectors, blocks, stream);
  });
}

}  // namespace fovea::kernels
