#include "engine/backend/cuda/cudnn_slice_check.h"

#include <algorithm>

#include "engine/backend/cuda/cuda_stream.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// No engine stores it by chance: as a float16, bfloat16 or float32 it is a NaN that arithmetic
/// does not make.
constexpr std::byte kPattern{0x7F};

std::size_t bytes_of(const CudnnConvolution& conv, CudnnTensor tensor) {
  const std::int64_t out_pixels = conv.n * conv.out_h * conv.out_w;
  const auto elements = [&] {
    switch (tensor) {
      case CudnnTensor::kX:
        return conv.n * conv.h * conv.w * conv.x.pixel_stride;
      case CudnnTensor::kWeights:
        return conv.out_c * conv.kernel[0] * conv.kernel[1] * (conv.c / conv.groups);
      case CudnnTensor::kBias:
        return conv.out_c;
      case CudnnTensor::kResidual:
        return out_pixels * conv.z.pixel_stride;
      case CudnnTensor::kY:
        break;
    }
    return out_pixels * conv.y.pixel_stride;
  }();
  const DType dtype = tensor == CudnnTensor::kBias && conv.bias == CudnnBias::kFloat32
                          ? DType::kFloat32
                          : conv.dtype;
  return static_cast<std::size_t>(elements) * element_size(dtype);
}

}  // namespace

bool keeps_other_channels(const std::shared_ptr<const CudnnLibrary>& library,
                          const CudnnPlan& plan,
                          const CudnnConvolution& convolution,
                          const Layout& output) {
  require(output.kind == Layout::Kind::kSliced, "only a slice has neighbours");
  const std::size_t element = element_size(convolution.dtype);
  const auto first = static_cast<std::size_t>(output.channel_offset) * element;
  const std::size_t last = first + static_cast<std::size_t>(convolution.out_c) * element;
  const std::size_t row = static_cast<std::size_t>(output.pixel_stride) * element;

  CudaStream stream(current_device());
  const std::vector<CudnnTensor> tensors = tensors_of(convolution);
  std::vector<std::shared_ptr<std::byte>> buffers;
  std::vector<void*> addresses;
  for (const CudnnTensor tensor : tensors) {
    buffers.push_back(allocate(bytes_of(convolution, tensor)));
    addresses.push_back(buffers.back().get());
  }
  // The order of tensors_of(): y is the last one. What the others hold does not matter.
  std::byte* const y = buffers.back().get();
  addresses.back() = y + first;
  std::vector<std::byte> content(bytes_of(convolution, CudnnTensor::kY), kPattern);
  stream.upload(y, content.data(), content.size());
  stream.synchronize();  // the content is overwritten below

  const std::size_t workspace_bytes = plan.workspace_bytes();
  const auto workspace = workspace_bytes == 0 ? nullptr : allocate(workspace_bytes);
  const Descriptor pack = make_variant_pack(*library, tensors, addresses, workspace.get());
  execute(library, plan, pack, stream);
  stream.download(content.data(), y, content.size());
  stream.synchronize();

  const auto is_kept = [](std::byte value) { return value == kPattern; };
  for (std::size_t pixel = 0; pixel < content.size(); pixel += row) {
    const std::span<const std::byte> channels = std::span(content).subspan(pixel, row);
    if (!std::ranges::all_of(channels.first(first), is_kept) ||
        !std::ranges::all_of(channels.subspan(last), is_kept)) {
      return false;
    }
  }
  return true;
}

}  // namespace fovea::cuda
