// What our own convolutions are given beside their pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/backend/cpu/axis.h"
#include "engine/backend/weight_store.h"

namespace fovea::cpu {

/// Where weights lie before they are packed: floats between neighbours along every dimension.
struct StoredWeights {
  const float* data = nullptr;
  std::int64_t filter = 0;
  std::int64_t row = 0;
  std::int64_t column = 0;
  std::int64_t channel = 0;
};

/// The site's weights in a form of our own, from the store: that of each group behind the other.
///
/// form    names the form; part of the key
/// groups  the filters are divided into
/// floats  of one group's packed form
/// pack    fills zeros with one group's
[[nodiscard]] std::shared_ptr<const std::byte> pack_constant(
    WeightStore& store,
    const OpSite& site,
    std::string_view form,
    std::int64_t groups,
    std::int64_t floats,
    const std::function<void(const StoredWeights&, std::span<float>)>& pack);

/// The site's third input, a bias, with zeros behind it up to so many floats; all zeros where there
/// is none.
[[nodiscard]] std::shared_ptr<const std::byte> padded_bias(WeightStore& store,
                                                           const OpSite& site,
                                                           bool has_bias,
                                                           std::int64_t floats);

/// What the results of each filter are held between.
struct FilterBounds {
  std::vector<float> low;
  std::vector<float> high;
};

/// The bounds that a Conv2d's activation is, for each of its filters, with more behind them up to
/// so many floats. Throws Error (internal) for an activation that is more than bounds.
[[nodiscard]] FilterBounds filter_bounds(const Conv2d& conv,
                                         std::int64_t filters,
                                         std::int64_t floats);

/// How a Conv2d's window moves along the rows (0) or columns (1) of its input.
[[nodiscard]] Axis axis_of(const OpSite& site, const Conv2d& conv, std::size_t side);

}  // namespace fovea::cpu
