#include <algorithm>
#include <cstring>

#include "engine/backend/cpu/bf16.h"
#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dense_run.h"
#include "engine/core/require.h"

namespace fovea::cpu::dense {

namespace {

/// Stored weights of so many bytes are given back to the system once they are packed.
constexpr std::int64_t kPieceBytes = std::int64_t{16} << 20;

/// Where weights lie before they are packed.
struct Stored {
  const std::byte* data = nullptr;
  bool bf16 = false;
  std::int64_t unit = 0;   ///< elements from one unit to the next
  std::int64_t input = 0;  ///< elements from one input to the next
};

template <typename Element>
Element load(const std::byte* data, std::int64_t index) {
  Element value{};
  std::memcpy(&value, data + index * static_cast<std::int64_t>(sizeof(Element)), sizeof(Element));
  return value;
}

float read(const Stored& stored, std::int64_t unit, std::int64_t input) {
  const std::int64_t index = unit * stored.unit + input * stored.input;
  return stored.bf16 ? from_bf16(load<Bf16>(stored.data, index)) : load<float>(stored.data, index);
}

/// One panel of one block, onto zeros.
template <typename Element, typename Convert>
void pack_panel(const Layer& layer,
                const Stored& stored,
                std::int64_t block,
                std::int64_t panel,
                std::byte* packed,
                Convert convert) {
  const Range words = layer.words_of(block);
  const Range inputs{words.begin * layer.word_elements(),
                     std::min(words.end * layer.word_elements(), layer.inputs)};
  const std::int64_t first = panel * kPanelUnits;
  const std::int64_t units = std::min(kPanelUnits, layer.units - first);
  auto* out = reinterpret_cast<Element*>(packed + layer.weights_at(block, panel) *
                                                      static_cast<std::int64_t>(sizeof(Word)));
  const std::int64_t word_elements = layer.word_elements();
  const auto pack = [&](std::int64_t unit, std::int64_t input) {
    const std::int64_t place = input - inputs.begin;
    out[(place / word_elements * kPanelUnits + unit) * word_elements + place % word_elements] =
        convert(read(stored, first + unit, input));
  };
  // In the order in which they are stored.
  if (stored.input <= stored.unit) {
    for (std::int64_t unit = 0; unit < units; ++unit) {
      for (std::int64_t input = inputs.begin; input < inputs.end; ++input) pack(unit, input);
    }
  } else {
    for (std::int64_t input = inputs.begin; input < inputs.end; ++input) {
      for (std::int64_t unit = 0; unit < units; ++unit) pack(unit, input);
    }
  }
}

/// Some panels of some blocks.
void pack_piece(
    const Layer& layer, const Stored& stored, Range blocks, Range panels, std::byte* packed) {
  const std::int64_t count = blocks.size() * panels.size();
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t block = blocks.begin + i / panels.size();
    const std::int64_t panel = panels.begin + i % panels.size();
    if (layer.bf16) {
      pack_panel<Bf16>(layer, stored, block, panel, packed, to_bf16);
    } else {
      pack_panel<float>(layer, stored, block, panel, packed, [](float value) { return value; });
    }
  }
}

}  // namespace

std::shared_ptr<const std::byte> pack_weights(WeightStore& store,
                                              const OpSite& site,
                                              const Layer& layer) {
  const Constant& weights = *site.constant(1);
  const std::string key = cat(weights.key(), layer.bf16 ? " dense bf16" : " dense f32");
  return store.get(key, layer.weight_bytes(), [&](std::span<std::byte> packed) {
    const ThreadScope scope(site.threads);
    const PinnedBytes data = weights.data->read();
    const Shape strides = weights.element_strides();
    const Stored stored{.data = data.data(),
                        .bf16 = weights.desc.dtype == DType::kBFloat16,
                        .unit = strides[0],
                        .input = strides[1]};
    const auto element = static_cast<std::int64_t>(element_size(weights.desc.dtype));
    // Piece by piece along the outer dimension, so that a mapped file is not in memory twice.
    const bool by_units = stored.unit >= stored.input;
    const std::int64_t all = by_units ? layer.panels() : layer.blocks();
    const std::int64_t bytes = static_cast<std::int64_t>(data.size());
    const std::int64_t pieces = std::clamp<std::int64_t>(bytes / kPieceBytes, 1, all);
    const std::int64_t side = by_units ? kPanelUnits : kBlockWords * layer.word_elements();
    const std::int64_t row_bytes = std::max(stored.unit, stored.input) * element;
    for (std::int64_t i = 0; i < pieces; ++i) {
      const Range part = Range::part(0, all, i, pieces);
      pack_piece(layer,
                 stored,
                 by_units ? Range{0, layer.blocks()} : part,
                 by_units ? part : Range{0, layer.panels()},
                 packed.data());
      const std::int64_t begin = std::min(part.begin * side * row_bytes, bytes);
      const std::int64_t end = std::min(part.end * side * row_bytes, bytes);
      weights.data->forget(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    }
  });
}

}  // namespace fovea::cpu::dense
