#include "engine/backend/cpu/pack_weights.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/formats.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

using Dims = dnnl::memory::dims;

/// A piece of this many bytes is worth a primitive of its own.
constexpr std::int64_t kPieceBytes = std::int64_t{16} << 20;

/// Every block of oneDNN's packed forms divides it.
constexpr std::int64_t kBlock = 64;

/// Part of the weights along the dimension that is outermost where they are stored.
struct Piece {
  Dims dims;
  Dims offsets;
  std::int64_t first_byte = 0;  ///< of the stored form
  std::int64_t bytes = 0;
};

std::vector<Piece> pieces_of(const Dims& dims, const Dims& strides, DType dtype) {
  const auto outermost =
      static_cast<std::size_t>(std::ranges::max_element(strides) - strides.begin());
  const std::int64_t row_bytes =
      strides[outermost] * static_cast<std::int64_t>(element_size(dtype));
  const std::int64_t rows =
      std::max(kPieceBytes / std::max<std::int64_t>(row_bytes, 1) / kBlock * kBlock, kBlock);
  std::vector<Piece> pieces;
  for (std::int64_t first = 0; first < dims[outermost]; first += rows) {
    Piece piece{.dims = dims, .offsets = Dims(dims.size(), 0)};
    piece.dims[outermost] = std::min(rows, dims[outermost] - first);
    piece.offsets[outermost] = first;
    piece.first_byte = first * row_bytes;
    piece.bytes = piece.dims[outermost] * row_bytes;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

void reorder(const dnnl::memory::desc& from_desc,
             const std::byte* from_data,
             const dnnl::memory::desc& to_desc,
             std::byte* to_data) {
  dnnl::memory from = read_memory(from_desc, from_data);
  dnnl::memory to(to_desc, engine(), to_data);
  dnnl::stream stream(engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

}  // namespace

PackedArg pack(WeightStore& store,
               const Constant& constant,
               int name,
               const StoredForm& stored,
               const dnnl::memory::desc& wanted) {
  const DType dtype = constant.desc.dtype;
  const auto type = element_type(dtype);
  const auto fill = [&](std::span<std::byte> out) {
    const PinnedBytes bytes = constant.data->read();
    const std::vector<Piece> pieces = pieces_of(stored.dims, stored.strides, dtype);
    if (pieces.size() == 1) {
      reorder({stored.dims, type, stored.strides}, bytes.data(), wanted, out.data());
      constant.data->forget(0, bytes.size());
      return;
    }
    for (const Piece& piece : pieces) {
      reorder({piece.dims, type, stored.strides},
              bytes.data() + piece.first_byte,
              wanted.submemory_desc(piece.dims, piece.offsets),
              out.data());
      constant.data->forget(static_cast<std::size_t>(piece.first_byte),
                            static_cast<std::size_t>(piece.bytes));
    }
  };
  const std::string key = cat(constant.key(), ' ', fingerprint(wanted));
  return {name, wanted, store.get(key, wanted.get_size(), fill)};
}

}  // namespace fovea::cpu
