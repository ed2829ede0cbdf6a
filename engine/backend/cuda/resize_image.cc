// Packed pictures of any size to pictures of one size, and on to the network's input.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/picture_table.h"
#include "engine/core/ragged_batch.h"
#include "engine/core/require.h"
#include "kernels/resize.h"

namespace fovea::cuda {

namespace {

/// Inputs of the operators.
constexpr std::size_t kPixels = 0;
constexpr std::size_t kTable = 1;

/// Launches the kernels for the arguments.
using ResizeLaunch =
    std::function<cudaError_t(const kernels::ResizeArgs& args, std::byte* y, cudaStream_t stream)>;

/// The table of the kernels in the place of the operator's.
EncodeInput table_encoder(const PreprocessSpec& spec, std::size_t capacity) {
  return [=](std::span<const std::byte> dense, std::span<std::byte> encoded) {
    const std::span pictures(reinterpret_cast<const std::int64_t*>(dense.data()),
                             dense.size() / sizeof(std::int64_t));
    for (std::size_t i = 0; i < pictures.size() / kRaggedColumns; ++i) {
      const RaggedPicture picture = ragged_picture(pictures, i, spec, capacity);
      if (picture.resized ||
          (picture.width <= kLargestPicture && picture.height <= kLargestPicture)) {
        continue;
      }
      throw InvalidArgument(cat("picture ",
                                i,
                                " of the batch is ",
                                picture.width,
                                " x ",
                                picture.height,
                                "; the device resizes pictures of up to ",
                                kLargestPicture,
                                " pixels a side, so resize it before and say 0 x 0 in the table"));
    }
    return write_picture_table(spec, pictures, capacity, encoded).table;
  };
}

/// None where the table is not the host's to encode, or something is too large for the kernels.
std::vector<Tactic> resize_tactics(const OpSite& site,
                                   const PreprocessSpec& spec,
                                   std::string name,
                                   ResizeLaunch launch) {
  const Value table = site.node.inputs[kTable];
  const bool from_host =
      site.graph.node(table).as<Input>() != nullptr && site.graph.use_count(table.node) == 1;
  const TensorDesc& y = site.node.outputs[0];
  if (!from_host || !elements_fit_int(y)) return {};

  const std::int64_t n = y.shape[0];
  const PictureTableBytes most =
      most_picture_table_bytes(spec, {n, kLargestPicture, kLargestPicture});
  const kernels::ResizeArgs fixed{.workspace_bytes = most.workspace,
                                  .n = n,
                                  .height = spec.height,
                                  .width = spec.width,
                                  .channels = pixel_bytes(pixel_format(spec.color))};
  const auto make = [fixed, launch = std::move(launch)](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::ResizeArgs resize = fixed;
      resize.pixels = reinterpret_cast<const std::uint8_t*>(operands.inputs[kPixels]);
      resize.table = reinterpret_cast<const kernels::ResizePicture*>(operands.inputs[kTable]);
      resize.workspace = reinterpret_cast<std::uint8_t*>(operands.workspace);
      return launch(resize, operands.outputs[0], stream);
    };
  };
  Tactic tactic = kernel_tactic(site, std::move(name), make);
  tactic.inputs[kTable] = Layout::opaque("picture-table", most.table);
  tactic.encoders.resize(site.node.inputs.size());
  tactic.encoders[kTable] = table_encoder(spec, byte_size(site.input(kPixels)));
  tactic.workspace_bytes = most.workspace;
  return {tactic};
}

}  // namespace

std::vector<Tactic> lower_resize_image(const OpSite& site) {
  return resize_tactics(site,
                        site.node.as<ResizeImage>()->spec,
                        "resize",
                        [](const kernels::ResizeArgs& args, std::byte* y, cudaStream_t stream) {
                          return kernels::resize(args, reinterpret_cast<std::uint8_t*>(y), stream);
                        });
}

std::vector<Tactic> lower_resize_normalize(const OpSite& site) {
  const auto& op = *site.node.as<ResizeNormalize>();
  const TensorDesc& y = site.node.outputs[0];
  const kernels::ResizeNormalizeArgs fixed{.type = element_type(y.dtype),
                                           .out_channels = static_cast<int>(channels_of(y)),
                                           .swap_red_blue = op.constants.swap_red_blue,
                                           .divisor = op.constants.divisor,
                                           .mean = op.constants.mean,
                                           .scale = op.constants.scale};
  return resize_tactics(
      site,
      op.spec,
      "resize-normalize",
      [fixed](const kernels::ResizeArgs& args, std::byte* to, cudaStream_t stream) {
        kernels::ResizeNormalizeArgs normalize = fixed;
        normalize.y = to;
        return kernels::resize_normalize(args, normalize, stream);
      });
}

}  // namespace fovea::cuda
