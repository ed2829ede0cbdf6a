#include "engine/backend/cpu/winograd_run.h"

#include "engine/backend/cpu/bf16.h"
#include "engine/backend/cpu/team.h"
#include "engine/backend/cpu/winograd_product.h"
#include "engine/backend/cpu/winograd_tile.h"

namespace fovea::cpu::winograd {

namespace {

/// Floats of scratch memory of one thread: transformed inputs, then products of one group.
std::int64_t input_floats(const Convolution& conv, std::int64_t tiles) {
  return kElements * conv.input_blocks() * tiles * kLanes;
}

std::int64_t product_floats(const Convolution& conv, std::int64_t tiles) {
  return kElements * std::min(kGroupVectors, conv.output_blocks()) * tiles * kLanes;
}

/// Some tiles of all pictures and their memory. Transformed inputs lie by element, block of
/// channels, tile; products by block of channels, element, tile.
template <typename Element>
class Block {
 public:
  Block(const Convolution& conv, const Operands<Element>& operands, Range tiles, float* scratch)
      : conv_(conv),
        operands_(operands),
        tiles_(tiles),
        inputs_(scratch),
        products_(scratch + input_floats(conv, tiles.size())),
        row_floats_(tiles.size() * kLanes) {}

  void transform_inputs() {
    for (std::int64_t t = 0; t < tiles_.size(); ++t) {
      const Place place = place_of(tiles_.begin + t);
      const Element* picture =
          operands_.x + place.picture * conv_.height * conv_.width * conv_.input_stride;
      for (std::int64_t block = 0; block < conv_.input_blocks(); ++block) {
        const std::int64_t first = block * kLanes;
        transform_input(conv_,
                        picture + first,
                        std::min(kLanes, conv_.channels - first),
                        place.row - conv_.top,
                        place.column - conv_.left,
                        inputs_ + block * row_floats_ + t * kLanes,
                        conv_.input_blocks() * row_floats_);
      }
    }
  }

  /// The results of all registers of output channels in `vectors`; it begins with a panel.
  void compute(Range vectors) {
    for (std::int64_t first = vectors.begin; first < vectors.end;) {
      const PanelGroup group(conv_, first / kGroupVectors);
      const std::int64_t end = std::min(vectors.end, group.first + group.vectors);
      const Range in_group{first - group.first, end - group.first};
      multiply_group(group, in_group);
      transform_outputs(group, in_group);
      first = end;
    }
  }

 private:
  /// Where a tile is: which picture, and its first output.
  struct Place {
    std::int64_t picture = 0;
    std::int64_t row = 0;
    std::int64_t column = 0;
  };

  [[nodiscard]] Place place_of(std::int64_t tile) const {
    const std::int64_t in_picture = tile % conv_.picture_tiles();
    return {tile / conv_.picture_tiles(),
            in_picture / conv_.tile_columns() * conv_.tile_outputs(),
            in_picture % conv_.tile_columns() * conv_.tile_outputs()};
  }

  void multiply_group(const PanelGroup& group, Range vectors) {
    const std::int64_t calls = ceil_div(tiles_.size(), kProductTiles);
    for (std::int64_t element = 0; element < kElements; ++element) {
      for (std::int64_t v = vectors.begin; v < vectors.end; v += kPanelVectors) {
        const std::int64_t width = group.panel_vectors(v) * kLanes;
        const bool last = v + kPanelVectors >= vectors.end;
        const float* next_w = operands_.w + (last ? group.weights_at(element + 1, vectors.begin)
                                                  : group.weights_at(element, v + kPanelVectors));
        for (std::int64_t call = 0; call < calls; ++call) {
          const Range tiles = Range::part(0, tiles_.size(), call, calls);
          multiply(
              {.x = inputs_ + element * conv_.input_blocks() * row_floats_ + tiles.begin * kLanes,
               .x_stride = row_floats_,
               .channels = conv_.channels,
               .w = operands_.w + group.weights_at(element, v),
               .next_w = WeightFetch::share(next_w, width, conv_.channels, call, calls),
               .y = products_ + (v * kElements + element) * row_floats_ + tiles.begin * kLanes,
               .y_stride = kElements * row_floats_},
              tiles.size(),
              group.panel_vectors(v));
        }
      }
    }
  }

  void transform_outputs(const PanelGroup& group, Range vectors) {
    for (std::int64_t t = 0; t < tiles_.size(); ++t) {
      const Place place = place_of(tiles_.begin + t);
      const std::int64_t pixel = place.picture * conv_.rows * conv_.columns;
      for (std::int64_t v = vectors.begin; v < vectors.end; ++v) {
        const std::int64_t first = (group.first + v) * kLanes;
        EpilogueOf<Element> epilogue = operands_.epilogue;
        epilogue.skip(first);
        if (epilogue.residual != nullptr) {
          epilogue.residual += pixel * conv_.residual_stride + first;
        }
        transform_output(conv_,
                         products_ + v * kElements * row_floats_ + t * kLanes,
                         row_floats_,
                         epilogue,
                         operands_.y + pixel * conv_.output_stride + first,
                         std::min(kLanes, conv_.filters - first),
                         place.row,
                         place.column);
      }
    }
  }

  const Convolution& conv_;
  const Operands<Element>& operands_;
  Range tiles_;
  float* inputs_;
  float* products_;
  std::int64_t row_floats_;  ///< of all tiles, one element, one block of channels
};

std::int64_t thread_floats(const Convolution& conv, const Schedule& schedule) {
  return input_floats(conv, schedule.block_tiles) + product_floats(conv, schedule.block_tiles);
}

/// What one thread of the schedule does.
template <typename Element>
void run_part(const Convolution& conv,
              const Schedule& schedule,
              const Operands<Element>& operands,
              std::int64_t thread) {
  const Range tiles =
      Range::part(0, conv.tiles(), thread / schedule.filter_parts, schedule.tile_parts);
  const Range panels = Range::part(0,
                                   ceil_div(conv.output_blocks(), kPanelVectors),
                                   thread % schedule.filter_parts,
                                   schedule.filter_parts);
  if (panels.size() == 0) return;
  const Range vectors{panels.begin * kPanelVectors,
                      std::min(panels.end * kPanelVectors, conv.output_blocks())};
  float* scratch = operands.scratch + thread * thread_floats(conv, schedule);
  const std::int64_t blocks = ceil_div(tiles.size(), schedule.block_tiles);
  for (std::int64_t i = 0; i < blocks; ++i) {
    Block block(conv, operands, Range::part(tiles.begin, tiles.end, i, blocks), scratch);
    block.transform_inputs();
    block.compute(vectors);
  }
}

}  // namespace

std::size_t scratch_bytes(const Convolution& conv, const Schedule& schedule) {
  return static_cast<std::size_t>(schedule.threads() * thread_floats(conv, schedule)) *
         sizeof(float);
}

template <typename Element>
void run(const Convolution& conv, const Schedule& schedule, const Operands<Element>& operands) {
  run_parts(schedule.threads(), [&](int part) { run_part(conv, schedule, operands, part); });
}

template void run(const Convolution&, const Schedule&, const Operands<float>&);
template void run(const Convolution&, const Schedule&, const Operands<Bf16>&);

}  // namespace fovea::cpu::winograd
