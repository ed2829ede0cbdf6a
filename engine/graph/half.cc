#include "engine/graph/half.h"

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

template <typename OpT, typename... Ts>
constexpr bool kIsOneOf = (std::is_same_v<OpT, Ts> || ...);

TensorDesc as_float(TensorDesc desc, DType half) {
  if (desc.dtype == half) desc.dtype = DType::kFloat32;
  return desc;
}

/// A float32 copy of a tensor, or room for one.
struct Widened {
  TensorDesc desc;
  std::vector<std::byte> bytes;

  explicit Widened(const TensorDesc& half)
      : desc{DType::kFloat32, half.shape}, bytes(byte_size(desc)) {}
};

void cast(ConstTensorView from, TensorView to) {
  Cast{to.desc->dtype}.evaluate({&from, 1}, {&to, 1});
}

}  // namespace

bool is_half(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

bool takes_half(const Op& op) {
  return std::visit(
      []<typename OpT>(const OpT&) {
        return kIsOneOf<OpT,
                        Conv2d,
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
                        Pad,
                        Rescale>;
      },
      op);
}

bool is_parameter(const Op& op, std::span<const TensorDesc> inputs, std::size_t i) {
  if (i == 0) return false;
  if (const auto* conv = std::get_if<Conv2d>(&op)) {
    return !conv->residual || i + 1 != inputs.size();
  }
  if (std::holds_alternative<Add>(op) || std::holds_alternative<Mul>(op)) {
    return inputs[i].shape != inputs[0].shape;
  }
  return std::holds_alternative<Dense>(op) || std::holds_alternative<BatchNorm>(op);
}

std::vector<TensorDesc> infer_half(const Op& op, std::span<const TensorDesc> inputs) {
  const DType half = inputs[0].dtype;
  std::vector<TensorDesc> floats;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_desc(inputs[i], cat("input ", i));
    const bool parameter = is_parameter(op, inputs, i);
    if (inputs[i].dtype != half && !(parameter && inputs[i].dtype == DType::kFloat32)) {
      throw InvalidArgument(cat("input ",
                                i,
                                " is ",
                                to_string(inputs[i]),
                                " and input 0 is ",
                                to_string(inputs[0]),
                                parameter ? ": a parameter must be of that type or f32"
                                          : ": activations must have one type"));
    }
    floats.push_back(as_float(inputs[i], half));
  }
  std::vector<TensorDesc> outputs = std::visit([&](const auto& o) { return o.infer(floats); }, op);
  for (TensorDesc& output : outputs) output.dtype = half;
  return outputs;
}

void evaluate_half(const Op& op,
                   std::span<const ConstTensorView> inputs,
                   std::span<const TensorView> outputs) {
  std::vector<Widened> wide_inputs;
  std::vector<ConstTensorView> sources;
  wide_inputs.reserve(inputs.size());
  for (const ConstTensorView& input : inputs) {
    if (!is_half(input.desc->dtype)) {
      sources.push_back(input);
      continue;
    }
    Widened& wide = wide_inputs.emplace_back(*input.desc);
    cast(input, {&wide.desc, wide.bytes.data()});
    sources.push_back({&wide.desc, wide.bytes.data()});
  }
  std::vector<Widened> wide_outputs;
  std::vector<TensorView> results;
  wide_outputs.reserve(outputs.size());
  for (const TensorView& output : outputs) {
    Widened& wide = wide_outputs.emplace_back(*output.desc);
    results.push_back({&wide.desc, wide.bytes.data()});
  }
  std::visit([&](const auto& o) { o.evaluate(sources, results); }, op);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    cast({results[i].desc, results[i].data}, outputs[i]);
  }
}

}  // namespace fovea
