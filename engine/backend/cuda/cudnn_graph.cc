#include "engine/backend/cuda/cudnn_graph.h"

#include <array>
#include <optional>
#include <utility>

#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Tensors and functions of a graph: x, weights, a window, and three epilogues, each with an
/// operand at most and a result.
constexpr std::size_t kMostParts = 16;

/// Of the tensors that are in no memory: these follow.
constexpr std::int64_t kFirstVirtual = 100;

cudnnDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return CUDNN_DATA_FLOAT;
    case DType::kFloat16:
      return CUDNN_DATA_HALF;
    case DType::kBFloat16:
      return CUDNN_DATA_BFLOAT16;
    default:
      throw InvalidArgument(cat("cuDNN's convolutions are not for ", to_string(dtype)));
  }
}

using Dims = std::array<std::int64_t, 4>;

/// Strides of dimensions in cuDNN's order n, c, h, w, where the channels of a pixel are neighbours.
Dims pixel_strides(std::int64_t h, std::int64_t w, std::int64_t pixel) {
  return {h * w * pixel, 1, w * pixel, pixel};
}

class GraphMaker {
 public:
  GraphMaker(const CudnnLibrary& library, const CudnnConvolution& convolution)
      : library_(library), conv_(convolution), type_(data_type(convolution.dtype)) {
    parts_.reserve(kMostParts);  // references to them stay
  }

  CudnnGraph make(cudnnHandle_t handle) {
    left_ = epilogue_length();
    const Descriptor* value = &next_output();
    add_convolution(*value);
    if (conv_.residual) {
      value = &add_pointwise(CUDNN_POINTWISE_ADD, *value, &whole(CudnnTensor::kResidual, conv_.z));
    }
    if (conv_.bias != CudnnBias::kNone) {
      value = &add_pointwise(CUDNN_POINTWISE_ADD, *value, &bias());
    }
    if (const auto mode = activation_mode()) add_pointwise(*mode, *value, nullptr);

    Descriptor graph(library_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set_all(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
    if (handle != nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    graph.finalize("describing a convolution");
    return {std::move(parts_), std::move(operations_), std::move(graph)};
  }

 private:
  /// A finalized descriptor that the graph keeps.
  const Descriptor& keep(Descriptor descriptor) {
    parts_.push_back(std::move(descriptor));
    return parts_.back();
  }

  [[nodiscard]] int epilogue_length() const {
    return static_cast<int>(conv_.residual) + static_cast<int>(conv_.bias != CudnnBias::kNone) +
           static_cast<int>(activation_mode().has_value());
  }

  [[nodiscard]] std::optional<cudnnPointwiseMode_t> activation_mode() const {
    switch (conv_.activation) {
      case ActivationKind::kNone:
        break;
      case ActivationKind::kRelu:
      case ActivationKind::kClip:
        return CUDNN_POINTWISE_RELU_FWD;
      case ActivationKind::kTanh:
        return CUDNN_POINTWISE_TANH_FWD;
      case ActivationKind::kSigmoid:
        return CUDNN_POINTWISE_SIGMOID_FWD;
    }
    return std::nullopt;
  }

  const Descriptor& tensor(std::int64_t id,
                           cudnnDataType_t type,
                           const Dims& dims,
                           const Dims& strides,
                           std::int64_t alignment,
                           bool in_memory = true) {
    Descriptor tensor(library_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
        .set_all(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
        .set_all(CUDNN_ATTR_TENSOR_STRIDES, strides)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment)
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, !in_memory);
    tensor.finalize("describing a tensor");
    return keep(std::move(tensor));
  }

  [[nodiscard]] Dims output_dims() const {
    return {conv_.n, conv_.out_c, conv_.out_h, conv_.out_w};
  }

  /// A tensor in memory of the output's size.
  const Descriptor& whole(CudnnTensor id, const CudnnPlace& place) {
    return tensor(static_cast<std::int64_t>(id),
                  type_,
                  output_dims(),
                  pixel_strides(conv_.out_h, conv_.out_w, place.pixel_stride),
                  place.alignment);
  }

  const Descriptor& bias() {
    const std::int64_t channels = conv_.out_c;
    return tensor(static_cast<std::int64_t>(CudnnTensor::kBias),
                  conv_.bias == CudnnBias::kFloat32 ? CUDNN_DATA_FLOAT : type_,
                  {1, channels, 1, 1},
                  {channels, 1, channels, channels},
                  CudnnPlace{}.alignment);
  }

  /// What the operation to be added writes: y where it is the last one.
  const Descriptor& next_output() {
    if (left_ == 0) return whole(CudnnTensor::kY, conv_.y);
    --left_;
    return tensor(next_virtual_++,
                  CUDNN_DATA_FLOAT,
                  output_dims(),
                  pixel_strides(conv_.out_h, conv_.out_w, conv_.out_c),
                  CudnnPlace{}.alignment,
                  /*in_memory=*/false);
  }

  void add_convolution(const Descriptor& y) {
    const std::int64_t depth = conv_.c / conv_.groups;
    const auto [rows, cols] = conv_.kernel;
    const Descriptor& x = tensor(static_cast<std::int64_t>(CudnnTensor::kX),
                                 type_,
                                 {conv_.n, conv_.c, conv_.h, conv_.w},
                                 pixel_strides(conv_.h, conv_.w, conv_.x.pixel_stride),
                                 conv_.x.alignment);
    const Descriptor& weights = tensor(static_cast<std::int64_t>(CudnnTensor::kWeights),
                                       type_,
                                       {conv_.out_c, depth, rows, cols},
                                       pixel_strides(rows, cols, depth),
                                       CudnnPlace{}.alignment);
    const std::array before{conv_.pads[0], conv_.pads[1]};
    const std::array after{conv_.pads[2], conv_.pads[3]};
    Descriptor convolution(library_, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
        .set_all(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, before)
        .set_all(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, after)
        .set_all(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, conv_.strides)
        .set_all(CUDNN_ATTR_CONVOLUTION_DILATIONS, conv_.dilations);
    convolution.finalize("describing a window");
    const Descriptor& window = keep(std::move(convolution));
    Descriptor operation(library_, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, window)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weights)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F);
    operation.finalize("describing a convolution");
    operations_.push_back(std::move(operation));
  }

  /// value' = mode(value, operand); returns value'.
  const Descriptor& add_pointwise(cudnnPointwiseMode_t mode,
                                  const Descriptor& value,
                                  const Descriptor* operand) {
    Descriptor pointwise(library_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    pointwise.set(CUDNN_ATTR_POINTWISE_MODE, mode)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    if (mode == CUDNN_POINTWISE_RELU_FWD && conv_.activation == ActivationKind::kClip) {
      pointwise.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, static_cast<double>(conv_.lo))
          .set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, static_cast<double>(conv_.hi));
    }
    pointwise.finalize("describing an epilogue");
    const Descriptor& function = keep(std::move(pointwise));
    const Descriptor& result = next_output();
    Descriptor operation(library_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, value)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, result);
    if (operand != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *operand);
    operation.finalize("describing an epilogue");
    operations_.push_back(std::move(operation));
    return result;
  }

  const CudnnLibrary& library_;
  const CudnnConvolution& conv_;
  cudnnDataType_t type_;
  int left_ = 0;  ///< operations still to come behind the next output
  std::int64_t next_virtual_ = kFirstVirtual;
  std::vector<Descriptor> parts_;
  std::vector<Descriptor> operations_;
};

}  // namespace

std::vector<CudnnTensor> tensors_of(const CudnnConvolution& convolution) {
  std::vector<CudnnTensor> tensors{CudnnTensor::kX, CudnnTensor::kWeights};
  if (convolution.bias != CudnnBias::kNone) tensors.push_back(CudnnTensor::kBias);
  if (convolution.residual) tensors.push_back(CudnnTensor::kResidual);
  tensors.push_back(CudnnTensor::kY);
  return tensors;
}

CudnnGraph make_graph(const CudnnLibrary& library,
                      const CudnnConvolution& convolution,
                      cudnnHandle_t handle) {
  return GraphMaker(library, convolution).make(handle);
}

}  // namespace fovea::cuda
