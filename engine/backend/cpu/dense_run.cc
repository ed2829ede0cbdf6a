#include "engine/backend/cpu/dense_run.h"

#include <algorithm>
#include <cstring>

#include "engine/backend/cpu/bf16.h"
#include "engine/backend/cpu/team.h"

namespace fovea::cpu::dense {

namespace {

/// How far ahead a panel's weights are fetched where no other rows read it before: the hardware
/// stops at the end of a page, and few rows read them as fast as memory gives them.
constexpr std::int64_t kFetchAheadWords = 2048;

std::int64_t calls_of(const Layer& layer) {
  return ceil_div(layer.rows, kMostRows);
}

std::int64_t most_panels(const Layer& layer, int threads) {
  return ceil_div(layer.panels(), threads);
}

/// Words of scratch memory of one thread: sums by panel and row, then a block's inputs.
std::int64_t sum_words(const Layer& layer, std::int64_t panels) {
  return panels * layer.rows * kPanelUnits;
}

std::int64_t thread_words(const Layer& layer, int threads) {
  return sum_words(layer, most_panels(layer, threads)) + layer.rows * kBlockWords;
}

/// The work of one thread: all rows and some panels.
class Worker {
 public:
  Worker(const Layer& layer, const Operands& operands, Range panels, std::byte* scratch)
      : layer_(layer),
        operands_(operands),
        panels_(panels),
        sums_(reinterpret_cast<float*>(scratch)),
        inputs_(reinterpret_cast<Word*>(scratch) + sum_words(layer, panels.size())) {}

  void compute() {
    std::fill_n(sums_, sum_words(layer_, panels_.size()), 0.0F);
    for (std::int64_t block = 0; block < layer_.blocks(); ++block) {
      arrange_inputs(block);
      for (std::int64_t panel = panels_.begin; panel < panels_.end; ++panel) add(block, panel);
    }
    for (std::int64_t panel = panels_.begin; panel < panels_.end; ++panel) finish(panel);
  }

 private:
  [[nodiscard]] Range rows_of(std::int64_t call) const {
    return Range::part(0, layer_.rows, call, calls_of(layer_));
  }

  [[nodiscard]] float* sums_of(std::int64_t panel) const {
    return sums_ + (panel - panels_.begin) * layer_.rows * kPanelUnits;
  }

  /// A block's words of all rows, by call, word, row of the call.
  void arrange_inputs(std::int64_t block) {
    const Range words = layer_.words_of(block);
    const auto word_elements = layer_.word_elements();
    const auto element_bytes = static_cast<std::int64_t>(sizeof(Word)) / word_elements;
    const std::int64_t row_bytes = layer_.inputs * element_bytes;
    for (std::int64_t call = 0; call < calls_of(layer_); ++call) {
      const Range rows = rows_of(call);
      Word* out = inputs_ + rows.begin * words.size();
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        const std::byte* from = operands_.x + row * row_bytes;
        for (std::int64_t word = words.begin; word < words.end; ++word) {
          const std::int64_t first = word * static_cast<std::int64_t>(sizeof(Word));
          Word value = 0;
          std::memcpy(&value,
                      from + first,
                      first + static_cast<std::int64_t>(sizeof(Word)) <= row_bytes
                          ? sizeof(Word)
                          : static_cast<std::size_t>(element_bytes));
          out[(word - words.begin) * rows.size() + row - rows.begin] = value;
        }
      }
    }
  }

  /// The products of a panel with a block. While the rows share them, the next panel's weights are
  /// fetched, a part with each call.
  void add(std::int64_t block, std::int64_t panel) {
    const std::int64_t words = layer_.words_of(block).size();
    const Word* w = operands_.w + layer_.weights_at(block, panel);
    const std::int64_t calls = calls_of(layer_);
    for (std::int64_t call = 0; call < calls; ++call) {
      const Range rows = rows_of(call);
      const std::int64_t ahead =
          calls == 1 ? kFetchAheadWords : words * kPanelUnits * (calls + call) / calls;
      const Product product{.x = inputs_ + rows.begin * words,
                            .w = w,
                            .words = words,
                            .sums = sums_of(panel) + rows.begin * kPanelUnits,
                            .fetch = w + ahead,
                            .fetch_step = kPanelUnits / calls};
      (layer_.bf16 ? multiply_bf16 : multiply_f32)(product, rows.size());
    }
  }

  void finish(std::int64_t panel) const {
    const std::int64_t first = panel * kPanelUnits;
    const std::int64_t units = std::min(kPanelUnits, layer_.units - first);
    for (std::int64_t row = 0; row < layer_.rows; ++row) {
      const float* sums = sums_of(panel) + row * kPanelUnits;
      const std::int64_t begin = row * layer_.units + first;
      for (std::int64_t unit = 0; unit < units; ++unit) {
        const float value = sums[unit] + operands_.bias[first + unit];
        // In this order a NaN stays one.
        const float above = value < operands_.low ? operands_.low : value;
        const float clamped = above > operands_.high ? operands_.high : above;
        if (layer_.bf16) {
          reinterpret_cast<Bf16*>(operands_.y)[begin + unit] = to_bf16(clamped);
        } else {
          reinterpret_cast<float*>(operands_.y)[begin + unit] = clamped;
        }
      }
    }
  }

  const Layer& layer_;
  const Operands& operands_;
  Range panels_;
  float* sums_;
  Word* inputs_;
};

}  // namespace

std::size_t scratch_bytes(const Layer& layer, int threads) {
  return static_cast<std::size_t>(threads * thread_words(layer, threads)) * sizeof(Word);
}

void run(const Layer& layer, int threads, const Operands& operands) {
  run_parts(threads, [&](int thread) {
    const Range panels = Range::part(0, layer.panels(), thread, threads);
    std::byte* scratch = operands.scratch + thread * thread_words(layer, threads) *
                                                static_cast<std::int64_t>(sizeof(Word));
    if (panels.size() > 0) Worker(layer, operands, panels, scratch).compute();
  });
}

}  // namespace fovea::cpu::dense
