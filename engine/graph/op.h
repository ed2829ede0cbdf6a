// The closed set of operators.
//
// An operator is a struct of attributes with
//   kName                      its name in graph.json and messages
//   infer(inputs)              the output descriptions; throws InvalidArgument for inputs it does
//   not take evaluate(inputs, outputs)  its meaning on dense host tensors of concrete shape: slow,
//   exact, the
//                              oracle for every backend; sums are in double
//   attributes(self, visit)    visit("name", self.name) for every attribute, for files and dumps
// To add one, write it under ops/ and add it here: one include, one name.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/graph/ops/activations.h"
#include "engine/graph/ops/batch_norm.h"
#include "engine/graph/ops/cast.h"
#include "engine/graph/ops/concat.h"
#include "engine/graph/ops/constant.h"
#include "engine/graph/ops/conv2d.h"
#include "engine/graph/ops/dense.h"
#include "engine/graph/ops/dequantize_linear.h"
#include "engine/graph/ops/elementwise.h"
#include "engine/graph/ops/input.h"
#include "engine/graph/ops/lrn.h"
#include "engine/graph/ops/normalize_image.h"
#include "engine/graph/ops/pad.h"
#include "engine/graph/ops/pool.h"
#include "engine/graph/ops/quantize_linear.h"
#include "engine/graph/ops/rescale.h"
#include "engine/graph/ops/reshape.h"
#include "engine/graph/ops/resize_image.h"
#include "engine/graph/ops/resize_normalize.h"
#include "engine/graph/ops/separable_conv2d.h"
#include "engine/graph/ops/slice.h"
#include "engine/graph/ops/softmax.h"
#include "engine/graph/ops/topk.h"
#include "engine/graph/ops/transpose.h"

namespace fovea {

/// Every operator that a graph can hold.
using Op = std::variant<Input,
                        Constant,
                        Conv2d,
                        SeparableConv2d,
                        Dense,
                        BatchNorm,
                        Lrn,
                        Relu,
                        Clip,
                        Tanh,
                        Sigmoid,
                        Softmax,
                        MaxPool,
                        AveragePool,
                        GlobalPool,
                        Add,
                        Mul,
                        Concat,
                        Slice,
                        Pad,
                        Reshape,
                        Transpose,
                        Rescale,
                        DequantizeLinear,
                        QuantizeLinear,
                        ResizeImage,
                        NormalizeImage,
                        ResizeNormalize,
                        TopK,
                        Cast,
                        Identity>;

inline std::string_view op_name(const Op& op) {
  return std::visit([](const auto& o) { return o.kName; }, op);
}

/// The output descriptions: the operator's own rule, or that of half.h for f16 and bf16.
[[nodiscard]] std::vector<TensorDesc> infer(const Op& op, std::span<const TensorDesc> inputs);

/// Reference value of the operator, in host memory; see each operator, and half.h for f16 and bf16.
void evaluate(const Op& op,
              std::span<const ConstTensorView> inputs,
              std::span<const TensorView> outputs);

namespace detail {

template <typename OpT, typename... Ts>
constexpr std::size_t index_in(const std::variant<Ts...>*) {
  std::size_t index = 0;
  (void)((std::is_same_v<OpT, Ts> || (++index, false)) || ...);
  return index;
}

}  // namespace detail

/// Position of OpT in the variant, for tables that are indexed by operator.
template <typename OpT>
inline constexpr std::size_t kOpIndex = detail::index_in<OpT>(static_cast<const Op*>(nullptr));

}  // namespace fovea
