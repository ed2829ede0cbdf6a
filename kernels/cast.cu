#include "kernels/cast.h"

#include <cstddef>

#include "kernels/copy.h"
#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// Elements of a thread where accesses are wide: 16 bytes of a 16-bit type, twice as much of float.
constexpr int kGroup = 8;

/// How many elements of T one access of a thread moves, which has `Width` to move.
template <typename T, int Width>
constexpr int kStep = Width < kWidest<T> ? Width : kWidest<T>;

/// One thread per Width channels of a pixel, the last of which may have fewer.
template <typename From, typename To, int Width>
__global__ void __launch_bounds__(kBlockThreads) cast_items(CastArgs a,
                                                            std::int64_t items,
                                                            int groups) {
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const std::int64_t pixel = item / groups;
  const std::int64_t c = static_cast<std::int64_t>(item % groups) * Width;
  const From* x = static_cast<const From*>(a.x) + pixel * a.x_stride + c;
  To* y = static_cast<To*>(a.y) + pixel * a.y_stride + c;

  if (c + Width > a.channels) {
    for (std::int64_t i = 0; i < a.channels - c; ++i) y[i] = from_float<To>(to_float(x[i]));
    return;
  }
  constexpr int kLoad = kStep<From, Width>;
  constexpr int kStore = kStep<To, Width>;
  Values<Width> value;
  SIMT_UNROLL
  for (int first = 0; first < Width; first += kLoad) {
    const auto part = load_values<kLoad>(x + first);
    SIMT_UNROLL
    for (int i = 0; i < kLoad; ++i) value.lane[first + i] = part.lane[i];
  }
  SIMT_UNROLL
  for (int first = 0; first < Width; first += kStore) {
    Values<kStore> part;
    SIMT_UNROLL
    for (int i = 0; i < kStore; ++i) part.lane[i] = value.lane[first + i];
    store_values<kStore>(y + first, part);
  }
}

/// Whether every pixel starts where 16 bytes can be moved at once.
bool takes_vectors(const CastArgs& a) {
  const bool strides = a.x_stride % kGroup == 0 && a.y_stride % kGroup == 0;
  return (strides || a.pixels == 1) && aligned_to(a.x, 16) && aligned_to(a.y, 16);
}

template <typename From, typename To>
cudaError_t launch_cast(const CastArgs& a, cudaStream_t stream) {
  const bool vectors = takes_vectors(a);
  const int width = vectors ? kGroup : 1;
  const std::int64_t groups = (a.channels + width - 1) / width;
  const std::int64_t items = a.pixels * groups;
  return launch_items(vectors ? cast_items<From, To, kGroup> : cast_items<From, To, 1>,
                      items,
                      stream,
                      a,
                      items,
                      static_cast<int>(groups));
}

cudaError_t copy(const CastArgs& a, cudaStream_t stream) {
  const auto bytes = static_cast<std::int64_t>(bytes_of(a.from));
  return copy_rows(static_cast<const std::byte*>(a.x),
                   a.x_stride * bytes,
                   static_cast<std::byte*>(a.y),
                   a.y_stride * bytes,
                   a.pixels,
                   a.channels * bytes,
                   stream);
}

}  // namespace

cudaError_t cast(const CastArgs& args, cudaStream_t stream) {
  if (args.pixels < 0 || args.channels < 1 || args.channels > kMaxItems ||
      args.pixels > kMaxItems / args.channels || args.x_stride < args.channels ||
      args.y_stride < args.channels) {
    return cudaErrorInvalidValue;
  }
  if (args.pixels == 0) return cudaSuccess;
  if (args.from == args.to) return copy(args, stream);

  CastArgs a = args;
  if (a.x_stride == a.channels && a.y_stride == a.channels) {
    // Dense: one row, which only ends once where a thread has less to do.
    a.channels *= a.pixels;
    a.x_stride = a.y_stride = a.channels;
    a.pixels = 1;
  }
  return with_element(a.from, [&]<typename From>(std::type_identity<From> /*element*/) {
    return with_element(a.to, [&]<typename To>(std::type_identity<To> /*element*/) {
      if constexpr (std::is_same_v<From, To>) {
        return cudaErrorInvalidValue;  // copied above
      } else {
        return launch_cast<From, To>(a, stream);
      }
    });
  });
}

}  // namespace fovea::kernels
