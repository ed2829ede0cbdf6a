#include "engine/backend/cuda/picture_table.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "engine/core/largest_side.h"
#include "engine/core/ragged_batch.h"
#include "engine/core/require.h"
#include "engine/core/resample.h"
#include "engine/core/resample_axis.h"
#include "kernels/resize.h"

namespace fovea::cuda {

namespace {

using kernels::ResizeAxis;
using kernels::ResizePicture;

static_assert(kernels::kResizeBits == kResampleBits);
static_assert(kernels::kMostResizeSide == kLargestSide);
static_assert(sizeof(ResizePicture) % sizeof(std::int32_t) == 0);

constexpr std::int32_t kOne = 1 << kResampleBits;
constexpr std::size_t kMaxWords = std::numeric_limits<std::int32_t>::max();

/// Words of an axis.
std::size_t words_of(std::size_t positions, std::size_t taps) {
  return positions * (2 + taps);
}

/// What an axis is computed from, beside the filter.
struct AxisKey {
  int size;
  float begin;
  float end;
  int out_size;
  int out_first;
  int out_count;

  [[nodiscard]] OutputRange out() const { return {out_size, out_first, out_count}; }

  [[nodiscard]] bool is_resampled() const { return needs_resampling(size, begin, end, out_size); }

  auto operator<=>(const AxisKey&) const = default;
};

/// The taps of an axis before they are words; `weights` as in ResampleTaps.
struct AxisTaps {
  std::vector<int> first;
  std::vector<int> count;
  std::size_t taps = 1;
  std::vector<std::int32_t> weights;
  OutputRange used;
};

/// Positions that are copied: one tap of weight one, none where there is no source position.
AxisTaps copied(std::vector<int> sources) {
  AxisTaps axis;
  axis.first = std::move(sources);
  axis.weights.assign(axis.first.size(), kOne);
  for (int& source : axis.first) {
    axis.count.push_back(source < 0 ? 0 : 1);
    source = std::max(source, 0);
  }
  return axis;
}

AxisTaps taps_of(const AxisKey& key, Interpolation interpolation) {
  if (interpolation == Interpolation::kNearest) {
    return copied(nearest_axis(key.size, key.begin, key.end, key.out(), NearestWalk::kSum));
  }
  if (!key.is_resampled()) {
    std::vector<int> same(static_cast<std::size_t>(key.out_count));
    for (int i = 0; i < key.out_count; ++i) same[static_cast<std::size_t>(i)] = key.out_first + i;
    return copied(std::move(same));
  }
  ResampleAxis axis = resample_axis(key.size, key.begin, key.end, key.out(), interpolation);
  AxisTaps taps;
  taps.taps = axis.taps;
  taps.weights = fixed_point_weights(axis);
  taps.used = used_positions(axis, key.size);
  taps.first = std::move(axis.first);
  taps.count = std::move(axis.count);
  return taps;
}

class TableWriter {
 public:
  TableWriter(const PreprocessSpec& spec, std::size_t pictures, std::span<std::byte> table)
      : spec_(spec),
        table_(table),
        words_(pictures * sizeof(ResizePicture) / sizeof(std::int32_t)) {
    make_room(0);
  }

  void add(const RaggedPicture& picture) {
    const ResizeGeometry geometry = picture.geometry(spec_);
    const auto& box = geometry.box;
    const AxisKey columns{
        picture.width, box[0], box[2], geometry.width, geometry.left, spec_.width};
    const AxisKey rows{picture.height, box[1], box[3], geometry.height, geometry.top, spec_.height};
    const Placed& across = place(columns);
    const Placed& down = place(rows);

    ResizePicture row{.pixels = picture.offset,
                      .between = static_cast<std::int64_t>(workspace_),
                      .first_tile = tiles_,
                      .width = picture.width,
                      .columns = across.axis,
                      .rows = down.axis};
    const bool filters = spec_.interpolation != Interpolation::kNearest;
    if (filters && columns.is_resampled() && rows.is_resampled()) {
      const bool vertical_first =
          vertical_pass_first(picture.width, picture.height, geometry.width, geometry.height);
      const OutputRange& used = vertical_first ? across.used : down.used;
      row.vertical_first = vertical_first ? 1 : 0;
      row.origin = used.first;
      row.between_width = vertical_first ? used.count : spec_.width;
      row.between_height = vertical_first ? spec_.height : used.count;
      row.tiles = kernels::resize_tiles(row.between_width, row.between_height);
      tiles_ += row.tiles;
      workspace_ += static_cast<std::size_t>(row.between_width) *
                    static_cast<std::size_t>(row.between_height) *
                    static_cast<std::size_t>(pixel_bytes(pixel_format(spec_.color)));
    } else {
      // The one pass there is is the last one; the other axis is only looked up.
      row.vertical_first = filters && columns.is_resampled() ? 1 : 0;
    }
    std::memcpy(table_.data() + count_ * sizeof row, &row, sizeof row);
    ++count_;
  }

  [[nodiscard]] PictureTableBytes bytes() const {
    return {words_ * sizeof(std::int32_t), workspace_};
  }

 private:
  /// An axis in the table, and the source positions that it uses.
  struct Placed {
    ResizeAxis axis;
    OutputRange used;
  };

  const Placed& place(const AxisKey& key) {
    const auto found = placed_.find(key);
    if (found != placed_.end()) return found->second;
    const AxisTaps axis = taps_of(key, spec_.interpolation);
    const std::size_t positions = axis.first.size();
    make_room(words_of(positions, axis.taps));
    const Placed placed{{static_cast<std::int32_t>(words_), key.out_count}, axis.used};
    append(axis.first.data(), positions);
    append(axis.count.data(), positions);
    // Neighbouring threads read neighbouring positions.
    std::vector<std::int32_t> weights(positions);
    for (std::size_t tap = 0; tap < axis.taps; ++tap) {
      for (std::size_t i = 0; i < positions; ++i) weights[i] = axis.weights[i * axis.taps + tap];
      append(weights.data(), positions);
    }
    return placed_.emplace(key, placed).first->second;
  }

  void make_room(std::size_t words) const {
    const std::size_t capacity = std::min(table_.size() / sizeof(std::int32_t), kMaxWords);
    if (words_ + words > capacity) {
      throw InvalidArgument(cat("the table of a batch takes ",
                                (words_ + words) * sizeof(std::int32_t),
                                " bytes or more, but there is room for ",
                                table_.size()));
    }
  }

  void append(const std::int32_t* words, std::size_t count) {
    std::memcpy(table_.data() + words_ * sizeof(std::int32_t), words, count * sizeof(std::int32_t));
    words_ += count;
  }

  const PreprocessSpec& spec_;
  std::span<std::byte> table_;
  std::size_t words_;  ///< from the start of the table on
  std::size_t workspace_ = 0;
  std::size_t count_ = 0;  ///< of pictures
  std::int64_t tiles_ = 0;
  std::map<AxisKey, Placed> placed_;
};

/// Whether the number of pixels along a side is one that pictures may have.
bool is_side(int pixels) {
  return pixels >= 1 && pixels <= kLargestSide;
}

}  // namespace

PictureTableBytes most_picture_table_bytes(const PreprocessSpec& spec,
                                           const PictureLimits& limits) {
  if (limits.pictures < 0 || !is_side(limits.width) || !is_side(limits.height)) {
    throw InvalidArgument(
        cat("pictures are 1 to ", kLargestSide, " pixels wide and high, and not less than none"));
  }
  (void)resize_geometry(1, 1, spec);
  // Of a crop, more positions than are kept share the picture: at least the shorter side.
  const bool crops = spec.fit == Fit::kCentreCrop;
  const auto words_along = [&](int size, int out) {
    const std::size_t taps = most_taps(size, crops ? spec.shorter_side : out, spec.interpolation);
    return words_of(static_cast<std::size_t>(out), taps);
  };
  const std::size_t words = sizeof(ResizePicture) / sizeof(std::int32_t) +
                            words_along(limits.width, spec.width) +
                            words_along(limits.height, spec.height);
  const auto pictures = static_cast<std::size_t>(limits.pictures);
  if (pictures > kMaxWords / words) {
    throw InvalidArgument(
        cat("a table of ", pictures, " pictures of ", words, " words has more than 2^31 words"));
  }
  const auto pixels = [](int width, int height) {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  };
  const std::size_t between =
      spec.interpolation == Interpolation::kNearest
          ? 0
          : std::max(pixels(spec.width, limits.height), pixels(limits.width, spec.height));
  const auto channels = static_cast<std::size_t>(pixel_bytes(pixel_format(spec.color)));
  return {pictures * words * sizeof(std::int32_t), pictures * between * channels};
}

PictureTableBytes write_picture_table(const PreprocessSpec& spec,
                                      std::span<const std::int64_t> pictures,
                                      std::size_t capacity,
                                      std::span<std::byte> table) {
  const std::size_t count = pictures.size() / kRaggedColumns;
  TableWriter writer(spec, count, table);
  for (std::size_t i = 0; i < count; ++i) {
    writer.add(ragged_picture(pictures, i, spec, capacity));
  }
  return writer.bytes();
}

}  // namespace fovea::cuda
