#include "kernels/pad.h"

#include <algorithm>

#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// One thread per Width channels of a pixel of y.
template <typename T, int Width>
__global__ void __launch_bounds__(kBlockThreads) pad_pixels(PadArgs a, std::int64_t items) {
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int groups = a.c / Width;
  const int c = item % groups * Width;
  const int pixel = item / groups;
  const int column = pixel % a.out_w - a.pad_left;
  const int row = pixel / a.out_w % a.out_h - a.pad_top;
  const std::int64_t picture = pixel / a.out_w / a.out_h;

  Packed<T, Width> elements;
  if (row >= 0 && row < a.h && column >= 0 && column < a.w) {
    const std::int64_t source = (picture * a.h + row) * a.w + column;
    const T* x = static_cast<const T*>(a.x) + source * a.x_stride + c;
    elements = simt::load<Packed<T, Width>>(x);
  } else {
    SIMT_UNROLL
    for (int i = 0; i < Width; ++i) elements.lane[i] = from_float<T>(a.value);
  }
  simt::store(static_cast<T*>(a.y) + pixel * a.y_stride + c, elements);
}

bool in_range(const PadArgs& a) {
  return a.n >= 0 && a.h >= 1 && a.w >= 1 && a.c >= 1 && a.pad_top >= 0 && a.pad_left >= 0 &&
         a.out_h - a.pad_top >= a.h && a.out_w - a.pad_left >= a.w && a.x_stride >= a.c &&
         a.y_stride >= a.c && std::int64_t{a.out_h} * a.out_w <= kMaxItems / a.c / std::max(a.n, 1);
}

}  // namespace

cudaError_t pad(const PadArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.n == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    const bool vectors =
        in_vectors(args.type, args.c, {{args.x, args.x_stride}, {args.y, args.y_stride}});
    const std::int64_t elements = std::int64_t{args.n} * args.out_h * args.out_w * args.c;
    const std::int64_t items = elements / (vectors ? kWidest<T> : 1);
    return launch_items(
        vectors ? pad_pixels<T, kWidest<T>> : pad_pixels<T, 1>, items, stream, args, items);
  });
}

}  // namespace fovea::kernels
