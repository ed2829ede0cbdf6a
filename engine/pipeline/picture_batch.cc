#include "engine/pipeline/picture_batch.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/core/ragged_batch.h"
#include "engine/core/require.h"
#include "engine/core/resample.h"

namespace fovea {

namespace {

std::size_t row_bytes(const ImageView& image) {
  return static_cast<std::size_t>(image.width) *
         static_cast<std::size_t>(pixel_bytes(image.format));
}

void copy_packed(const ImageView& image, std::byte* out) {
  const std::size_t bytes = row_bytes(image);
  for (int y = 0; y < image.height; ++y) {
    std::memcpy(out + static_cast<std::size_t>(y) * bytes, image.data + y * image.stride, bytes);
  }
}

}  // namespace

PictureForm::PictureForm(const ExecutionPlan& plan, const PreprocessSpec& preprocessing)
    : spec(preprocessing),
      packed(plan.inputs.size() == 2),
      picture_bytes(static_cast<std::size_t>(spec.height) * static_cast<std::size_t>(spec.width) *
                    static_cast<std::size_t>(pixel_bytes(pixel_format(spec.color)))),
      budget_bytes(byte_size(with_batch(plan.inputs.at(0).desc, 1))),
      largest_side(plan.backend->traits().largest_picture_side) {
  require(plan.inputs.size() <= 2 && has_batch(plan.inputs[0].desc) &&
              (packed ? budget_bytes >= picture_bytes : budget_bytes == picture_bytes),
          "a classifier's plan takes pictures of its own size, or packed ones and their table");
}

/// Rooms that are not used up stay for later pictures; what is not there yet needs none of them.
bool PictureBatch::is_taken_as_it_is(const ImageView& image, std::size_t bytes) const {
  const std::size_t room = static_cast<std::size_t>(n_ + 1) * form_.budget_bytes;
  return image.width <= form_.largest_side && image.height <= form_.largest_side &&
         bytes <= room - used_;
}

void PictureBatch::add(const ImageView& image) {
  // Refused here, as the picture that it is: in the plan it would be the batch.
  (void)resize_geometry(image.width, image.height, form_.spec);
  std::byte* const out = inputs_[0].data() + used_;
  std::array<std::int64_t, kRaggedColumns> row{0, 0, static_cast<std::int64_t>(used_)};
  std::size_t bytes = row_bytes(image) * static_cast<std::size_t>(image.height);
  if (form_.packed && is_taken_as_it_is(image, bytes)) {
    row = {image.width, image.height, row[2]};
    copy_packed(image, out);
  } else {
    bytes = form_.picture_bytes;
    resize_into(image, form_.spec, reinterpret_cast<std::uint8_t*>(out));
  }
  if (form_.packed) {
    std::memcpy(inputs_[1].data() + static_cast<std::size_t>(n_) * sizeof row, &row, sizeof row);
  }
  used_ += bytes;
  ++n_;
}

}  // namespace fovea
