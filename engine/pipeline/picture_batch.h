// Pictures into the inputs of a plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <fovea/image.h>
#include <fovea/preprocess.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// How a classifier's plan takes its pictures: resized, one after the other, where it begins behind
/// ResizeImage (one input u8 [N,H,W,C]); else as they are, packed, with a table of where each lies
/// (the inputs of ResizeImage, u8 [N,budget] and i64 [N,3]).
struct PictureForm {
  PreprocessSpec spec;            ///< with a size
  bool packed = false;            ///< the second one
  std::size_t picture_bytes = 0;  ///< of a resized picture
  std::size_t budget_bytes = 0;   ///< room that each picture brings along: >= picture_bytes
  int largest_side = 0;           ///< of a picture that the plan resizes, pixels

  /// Of the plan. Throws InvalidArgument where it does not take pictures in either way.
  PictureForm(const ExecutionPlan& plan, const PreprocessSpec& preprocessing);
};

/// A batch while it is filled. What the plan resizes comes packed, and so costs the filling thread
/// a copy; what it cannot (a side is too large, or the room that this picture and those before it
/// brought along is used up) is resized here, to the same bytes.
class PictureBatch {
 public:
  /// form     outlives the batch
  /// inputs   of the plan, for its largest batch
  PictureBatch(const PictureForm& form, std::span<const std::span<std::byte>> inputs)
      : form_(form), inputs_(inputs) {}

  /// image   of the spec's colour, 8 bits a channel
  ///
  /// Throws InvalidArgument where the spec cannot be applied to it; it is then not in the batch.
  void add(const ImageView& image);

  [[nodiscard]] std::int64_t size() const { return n_; }

  /// Bytes of the first input that hold pictures.
  [[nodiscard]] std::size_t bytes() const { return used_; }

 private:
  [[nodiscard]] bool is_taken_as_it_is(const ImageView& image, std::size_t bytes) const;

  const PictureForm& form_;
  std::span<const std::span<std::byte>> inputs_;
  std::int64_t n_ = 0;
  std::size_t used_ = 0;
};

}  // namespace fovea
