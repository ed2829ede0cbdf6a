// Bytes of a picture to floats, by table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <fovea/preprocess.h>

namespace fovea {

/// NormalizationConstants written out: what every byte of every channel becomes. Immutable after
/// construction, 3 KB.
class NormalizationTable {
 public:
  explicit NormalizationTable(const NormalizationConstants& constants);

  /// One row: `pixels` pixels of `channels` (1 or 3) bytes become `out_channels` floats each, those
  /// from `channels` on zero. With one channel, channel 0's constants apply and nothing is swapped.
  ///
  /// in    pixels * channels bytes
  /// out   pixels * out_channels floats; out_channels >= channels
  void apply(const std::uint8_t* in,
             std::size_t pixels,
             std::size_t channels,
             float* out,
             std::size_t out_channels) const;

 private:
  std::array<std::array<float, 256>, 3> values_;  ///< [output channel][byte]
  bool swap_red_blue_;
};

}  // namespace fovea
