// A whole dense layer over a team of threads.
//
// Its weights lie in the order in which they are read, and are read once a run: by one picture at
// the speed of the memory. They are cut along the inputs into blocks, blocks into panels of units,
// and every thread has neighbouring panels of each block:
//
//   block 0: panel 0 {words, units}, panel 1, ...   block 1: panel 0, ...
//
// so that a block's inputs stay in the first-level cache, and many rows share a panel's weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "engine/backend/cpu/dense_product.h"
#include "engine/backend/cpu/range.h"
#include "engine/backend/weight_store.h"

namespace fovea::cpu::dense {

/// Words of a block; the last one may have fewer.
inline constexpr std::int64_t kBlockWords = 512;

/// The sizes of a layer.
struct Layer {
  std::int64_t rows = 0;    ///< the batch
  std::int64_t inputs = 0;  ///< elements of a row of x
  std::int64_t units = 0;
  bool bf16 = false;  ///< tensors and packed weights are bf16, or else float32

  [[nodiscard]] std::int64_t word_elements() const { return bf16 ? 2 : 1; }

  /// Words of a row of x.
  [[nodiscard]] std::int64_t words() const { return ceil_div(inputs, word_elements()); }

  [[nodiscard]] std::int64_t blocks() const { return ceil_div(words(), kBlockWords); }

  [[nodiscard]] Range words_of(std::int64_t block) const {
    return {block * kBlockWords, std::min((block + 1) * kBlockWords, words())};
  }

  [[nodiscard]] std::int64_t panels() const { return ceil_div(units, kPanelUnits); }

  /// Where the weights of a block's panel begin, in words.
  [[nodiscard]] std::int64_t weights_at(std::int64_t block, std::int64_t panel) const {
    const Range range = words_of(block);
    return (range.begin * panels() + range.size() * panel) * kPanelUnits;
  }

  [[nodiscard]] std::size_t weight_bytes() const {
    return static_cast<std::size_t>(words() * panels() * kPanelUnits) * sizeof(Word);
  }
};

struct Operands {
  const std::byte* x = nullptr;  ///< {rows, inputs}
  const Word* w = nullptr;       ///< as pack_weights() makes them
  std::byte* y = nullptr;        ///< {rows, units}
  std::byte* scratch = nullptr;  ///< scratch_bytes(), aligned to 64
  const float* bias = nullptr;   ///< padded by kPanelUnits
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// Bytes of scratch memory of run(), for all threads.
[[nodiscard]] std::size_t scratch_bytes(const Layer& layer, int threads);

/// Computes on so many OpenMP threads and waits. The bits of a row depend neither on the rest of
/// the batch nor on the threads. Needs AVX-512 F; for bf16 also AVX-512 BF16.
void run(const Layer& layer, int threads, const Operands& operands);

/// The site's weights {units, inputs}, float32 or bf16, in the layer's form, from the store.
[[nodiscard]] std::shared_ptr<const std::byte> pack_weights(WeightStore& store,
                                                            const OpSite& site,
                                                            const Layer& layer);

}  // namespace fovea::cpu::dense
