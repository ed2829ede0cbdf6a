#include "engine/backend/cpu/direct_run.h"

#include <array>
#include <cstring>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/direct_product.h"
#include "engine/backend/cpu/direct_stage.h"
#include "engine/backend/cpu/range.h"
#include "engine/backend/cpu/team.h"

namespace fovea::cpu::direct {

namespace {

/// Some pixels of one picture, or of all where the convolution is pointwise.
struct Piece {
  std::int64_t picture = 0;
  Range lines;   ///< of the picture
  Range pixels;  ///< of each line
};

/// The work of one thread: its filters, over the pieces that it is given.
class Worker {
 public:
  Worker(const Convolution& conv,
         const Schedule& schedule,
         const Operands& operands,
         Range vectors,
         float* scratch)
      : conv_(conv),
        schedule_(schedule),
        operands_(operands),
        axes_(conv, schedule),
        vectors_(vectors),
        scratch_(scratch) {}

  void compute(const Piece& piece) {
    const Source source = source_of(piece);
    for (std::int64_t v = vectors_.begin; v < vectors_.end; v += kPanelVectors) {
      const std::int64_t vectors = std::min(kPanelVectors, conv_.output_blocks() - v);
      for (std::int64_t line = piece.lines.begin; line < piece.lines.end; ++line) {
        compute_line(piece, line, source, v, vectors);
      }
    }
  }

 private:
  /// Where the inputs of a piece are.
  struct Source {
    const float* x = nullptr;  ///< input 0 across and along, be it there or not
    std::int64_t across = 0;   ///< floats from one line of inputs to the next
    std::int64_t along = 0;    ///< floats from one input of a line to the next
  };

  [[nodiscard]] Source source_of(const Piece& piece) {
    if (conv_.pointwise()) {
      if (!schedule_.staged) return {operands_.x, 0, conv_.input_stride};
      stage_pixels(conv_, operands_.x, piece.pixels, schedule_.stage_stride, scratch_);
      return {scratch_ - piece.pixels.begin * schedule_.stage_stride, 0, schedule_.stage_stride};
    }
    const float* picture =
        operands_.x + piece.picture * conv_.rows.inputs * conv_.columns.inputs * conv_.input_stride;
    const std::int64_t across = axes_.across_pixels * conv_.input_stride;
    const std::int64_t along = axes_.along_pixels * conv_.input_stride;
    if (!schedule_.staged) return {picture, across, along};
    const Range inputs = axes_.inputs_of(piece.lines);
    stage_lines(conv_, axes_, picture, inputs, schedule_.stage_stride, scratch_);
    const std::int64_t line = axes_.staged_length() * schedule_.stage_stride;
    return {scratch_ - inputs.begin * line + axes_.along.before * schedule_.stage_stride,
            line,
            schedule_.stage_stride};
  }

  void compute_line(const Piece& piece,
                    std::int64_t line,
                    const Source& source,
                    std::int64_t vector,
                    std::int64_t vectors) const {
    std::array<Tap, kMostTaps> taps;
    Product product{.taps = taps.data(),
                    .w = operands_.w + vector * kLanes * conv_.taps() * conv_.channels,
                    .filters = std::min(vectors * kLanes, conv_.filters - vector * kLanes),
                    .epilogue = operands_.epilogue};
    add_taps(line, source, product, taps);
    product.epilogue.skip(vector * kLanes);
    product.x_step = axes_.along.stride * source.along;
    product.y_step = axes_.out_along_pixels * conv_.output_stride;
    product.residual_step = axes_.out_along_pixels * conv_.residual_stride;
    const std::int64_t first_output =
        piece.picture * conv_.rows.outputs * conv_.columns.outputs + line * axes_.out_across_pixels;
    const std::int64_t calls = ceil_div(piece.pixels.size(), kMostPixels);
    const std::int64_t calls_before = (line - piece.lines.begin) * calls;
    const std::int64_t rows = conv_.taps() * conv_.channels;
    const bool last = vector + kPanelVectors >= vectors_.end;
    const float* next_w = last ? nullptr : product.w + vectors * kLanes * rows;
    for (std::int64_t call = 0; call < calls; ++call) {
      const Range pixels = Range::part(piece.pixels.begin, piece.pixels.end, call, calls);
      product.x = source.x + axes_.along.first_input(pixels.begin) * source.along;
      // The first panel finds its inputs in memory, the others in the cache.
      const bool far = conv_.pointwise() && !schedule_.staged && vector == vectors_.begin;
      product.next_x = far ? pixels.size() * product.x_step : 0;
      product.next_w = WeightFetch::share(
          next_w, vectors * kLanes, rows, calls_before + call, piece.lines.size() * calls);
      const std::int64_t output = first_output + pixels.begin * axes_.out_along_pixels;
      product.y = operands_.y + output * conv_.output_stride + vector * kLanes;
      if (operands_.epilogue.residual != nullptr) {
        product.epilogue.residual =
            operands_.epilogue.residual + output * conv_.residual_stride + vector * kLanes;
      }
      multiply(product, pixels.size(), vectors);
    }
  }

  /// The kernel's elements that lie inside of the picture at a line. Where a row of the kernel is
  /// one stretch of inputs, it is one element with more channels.
  void add_taps(std::int64_t line,
                const Source& source,
                Product& product,
                std::array<Tap, kMostTaps>& taps) const {
    const bool merged =
        !schedule_.down_columns && conv_.columns.dilation == 1 && source.along == conv_.channels;
    const std::int64_t along_taps = merged ? 1 : axes_.along.kernel;
    product.channels = merged ? conv_.columns.kernel * conv_.channels : conv_.channels;
    const Taps inside = axes_.across.inside(line);
    std::size_t count = 0;
    for (std::int64_t i = inside.begin; i < inside.end; ++i) {
      const std::int64_t input = axes_.across.first_input(line) + i * axes_.across.dilation;
      for (std::int64_t j = 0; j < along_taps; ++j) {
        const std::int64_t element =
            schedule_.down_columns ? j * conv_.columns.kernel + i : i * conv_.columns.kernel + j;
        taps.at(count++) = {.x = input * source.across + j * axes_.along.dilation * source.along,
                            .w = element * conv_.channels};
      }
    }
    product.tap_count = static_cast<std::int64_t>(count);
  }

  const Convolution& conv_;
  const Schedule& schedule_;
  const Operands& operands_;
  Axes axes_;
  Range vectors_;
  float* scratch_;
};

/// What one thread of the schedule does.
void run_part(const Convolution& conv,
              const Schedule& schedule,
              const Operands& operands,
              std::int64_t thread) {
  const Axes axes(conv, schedule);
  const Range panels = Range::part(0,
                                   ceil_div(conv.output_blocks(), kPanelVectors),
                                   thread % schedule.filter_parts,
                                   schedule.filter_parts);
  const Range vectors{panels.begin * kPanelVectors,
                      std::min(panels.end * kPanelVectors, conv.output_blocks())};
  if (vectors.size() <= 0) return;
  float* scratch =
      operands.scratch + thread * (schedule.staged ? staged_floats(conv, schedule) : 0);
  Worker worker(conv, schedule, operands, vectors, scratch);
  const std::int64_t share = thread / schedule.filter_parts;
  if (conv.pointwise()) {
    const Range all = Range::part(0, conv.pixels(), share, schedule.tile_parts);
    const std::int64_t pieces = ceil_div(all.size(), schedule.piece);
    for (std::int64_t i = 0; i < pieces; ++i) {
      worker.compute({0, {0, 1}, Range::part(all.begin, all.end, i, pieces)});
    }
    return;
  }
  const std::int64_t lines = axes.across.outputs;
  Range left = Range::part(0, conv.batch * lines, share, schedule.tile_parts);
  while (left.size() > 0) {
    const std::int64_t first = left.begin % lines;
    const std::int64_t count = std::min({schedule.piece, left.size(), lines - first});
    worker.compute({left.begin / lines, {first, first + count}, {0, axes.along.outputs}});
    left.begin += count;
  }
}

}  // namespace

void run(const Convolution& conv, const Schedule& schedule, const Operands& operands) {
  run_parts(schedule.threads(), [&](int part) { run_part(conv, schedule, operands, part); });
}

}  // namespace fovea::cpu::direct
