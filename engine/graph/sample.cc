#include "engine/graph/sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <utility>

#include <fovea/error.h>

namespace fovea {

namespace {

/// Part of a tensor as float32, whatever float type it has.
class FloatReader {
 public:
  explicit FloatReader(const ConstTensorView& tensor) : tensor_(tensor) {}

  /// Elements [begin, begin + count); valid until the next call.
  std::span<const float> operator()(std::int64_t begin, std::int64_t count) {
    const auto size = static_cast<std::size_t>(count);
    if (tensor_.desc->dtype == DType::kFloat32) {
      return tensor_.floats().subspan(static_cast<std::size_t>(begin), size);
    }
    const TensorDesc part{tensor_.desc->dtype, {count}};
    const TensorDesc wide{DType::kFloat32, {count}};
    floats_.resize(size);
    const ConstTensorView from{
        &part, tensor_.data + static_cast<std::size_t>(begin) * element_size(part.dtype)};
    const TensorView to{&wide, reinterpret_cast<std::byte*>(floats_.data())};
    Cast{DType::kFloat32}.evaluate({&from, 1}, {&to, 1});
    return floats_;
  }

 private:
  ConstTensorView tensor_;
  std::vector<float> floats_;
};

/// A sum with the sum of its terms' absolute values.
struct Sum {
  double value = 0;
  double scale = 0;

  void add(double term) {
    value += term;
    scale += std::abs(term);
  }

  void add_products(std::span<const float> a, std::span<const float> b) {
    for (std::size_t i = 0; i < a.size(); ++i) add(static_cast<double>(a[i]) * b[i]);
  }

  [[nodiscard]] ElementSample at(std::int64_t element, const Activation& activation) const {
    return {0, element, apply(activation, value), scale};
  }
};

/// At most `count` of `size` elements, sorted; always the first and the last.
std::set<std::int64_t> sampled_elements(std::int64_t size, std::size_t count) {
  std::set<std::int64_t> elements{0, size - 1};
  std::minstd_rand random(1);
  for (std::size_t i = 2; i < count; ++i) {
    // Two draws: one alone has 31 bits.
    const std::uint64_t high = random();
    const std::uint64_t draw = high << 31U ^ random();
    elements.insert(static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(size)));
  }
  return elements;
}

/// The values behind the convolution's input activation, which is a Relu or none; `buffer` may hold
/// them.
std::span<const float> as_read(const Conv2d& conv,
                               std::span<const float> values,
                               std::vector<float>& buffer) {
  if (conv.input_activation == ActivationKind::kNone) return values;
  buffer.assign(values.begin(), values.end());
  for (float& value : buffer) value = value < 0.0F ? 0.0F : value;
  return buffer;
}

std::vector<ElementSample> sample_conv2d(const Conv2d& conv,
                                         std::span<const ConstTensorView> inputs,
                                         const TensorDesc& output,
                                         const std::set<std::int64_t>& elements) {
  FloatReader x(inputs[0]);
  FloatReader w(inputs[1]);
  FloatReader bias(inputs[conv.bias ? 2 : 1]);
  FloatReader residual(inputs.back());
  const Shape& picture = inputs[0].desc->shape;
  const Shape& ohwi = inputs[1].desc->shape;
  const Shape& y = output.shape;

  std::vector<float> read;
  std::vector<ElementSample> samples;
  for (const std::int64_t element : elements) {
    const std::int64_t o = element % y[3];
    const std::int64_t q = element / y[3] % y[2];
    const std::int64_t p = element / y[3] / y[2] % y[1];
    const std::int64_t n = element / y[3] / y[2] / y[1];
    const std::int64_t top = p * conv.strides[0] - conv.pads[0];
    const std::int64_t left = q * conv.strides[1] - conv.pads[1];
    const std::int64_t first_channel = o / (y[3] / conv.groups) * ohwi[3];
    Sum sum;
    for (std::int64_t r = 0; r < ohwi[1]; ++r) {
      for (std::int64_t s = 0; s < ohwi[2]; ++s) {
        const std::int64_t row = top + r * conv.dilations[0];
        const std::int64_t col = left + s * conv.dilations[1];
        if (row < 0 || row >= picture[1] || col < 0 || col >= picture[2]) continue;
        const std::int64_t pixel = (n * picture[1] + row) * picture[2] + col;
        const std::int64_t tap = (o * ohwi[1] + r) * ohwi[2] + s;
        const auto pixels = x(pixel * picture[3] + first_channel, ohwi[3]);
        sum.add_products(as_read(conv, pixels, read), w(tap * ohwi[3], ohwi[3]));
      }
    }
    if (conv.residual) sum.add(residual(element, 1)[0]);
    if (conv.bias) sum.add(bias(o, 1)[0]);
    samples.push_back(sum.at(element, conv.activation_of(o)));
  }
  return samples;
}

/// The value as a tensor of that type holds it.
double as_stored(double value, DType dtype) {
  const auto wide = static_cast<float>(value);
  if (dtype == DType::kFloat32) return wide;
  const TensorDesc from{DType::kFloat32, {1}};
  const TensorDesc to{dtype, {1}};
  std::array<std::byte, sizeof(float)> bytes{};
  const ConstTensorView source{&from, reinterpret_cast<const std::byte*>(&wide)};
  const TensorView target{&to, bytes.data()};
  Cast{dtype}.evaluate({&source, 1}, {&target, 1});
  return FloatReader({&to, bytes.data()})(0, 1)[0];
}

/// Every value between the parts counts with its own scale: its error goes on into the sum.
std::vector<ElementSample> sample_separable(const SeparableConv2d& separable,
                                            std::span<const ConstTensorView> inputs,
                                            const TensorDesc& output,
                                            std::size_t count) {
  const std::size_t first = separable.depthwise_inputs();
  std::vector<TensorDesc> descs;
  for (const ConstTensorView& input : inputs) descs.push_back(*input.desc);
  const TensorDesc between = separable.between(descs);
  const std::int64_t channels = between.shape[3];
  const std::int64_t filters = output.shape[3];
  const Conv2d& conv = separable.pointwise;
  FloatReader w(inputs[first]);
  FloatReader bias(inputs[conv.bias ? first + 1 : first]);
  FloatReader residual(inputs.back());

  std::vector<ElementSample> samples;
  for (const std::int64_t element : sampled_elements(num_elements(output.shape), count)) {
    const std::int64_t o = element % filters;
    std::set<std::int64_t> pixel;
    for (std::int64_t c = 0; c < channels; ++c) pixel.insert(element / filters * channels + c);
    const auto values = sample_conv2d(separable.depthwise, inputs.first(first), between, pixel);
    const std::span<const float> weights = w(o * channels, channels);
    Sum sum;
    for (std::size_t c = 0; c < values.size(); ++c) {
      const double weight = weights[c];
      sum.value += as_stored(values[c].value, between.dtype) * weight;
      sum.scale += values[c].scale * std::abs(weight);
    }
    if (conv.residual) sum.add(residual(element, 1)[0]);
    if (conv.bias) sum.add(bias(o, 1)[0]);
    samples.push_back(sum.at(element, conv.activation_of(o)));
  }
  return samples;
}

std::vector<ElementSample> sample_dense(const Dense& dense,
                                        std::span<const ConstTensorView> inputs,
                                        const TensorDesc& output,
                                        std::size_t count) {
  FloatReader x(inputs[0]);
  FloatReader w(inputs[1]);
  FloatReader bias(inputs.back());
  const std::int64_t features = output.shape[1];
  const std::int64_t terms = inputs[0].dim(1);

  std::vector<ElementSample> samples;
  for (const std::int64_t element : sampled_elements(num_elements(output.shape), count)) {
    const std::int64_t o = element % features;
    Sum sum;
    sum.add_products(x(element / features * terms, terms), w(o * terms, terms));
    if (dense.bias) sum.add(bias(o, 1)[0]);
    samples.push_back(sum.at(element, dense.activation));
  }
  return samples;
}

/// A dense tensor that owns its bytes.
struct Tensor {
  TensorDesc desc;
  std::vector<std::byte> bytes;
};

/// The values of evaluate().
std::vector<Tensor> evaluated(const Op& op,
                              std::span<const ConstTensorView> inputs,
                              std::span<const TensorDesc> outputs) {
  std::vector<Tensor> results;
  results.reserve(outputs.size());
  for (const TensorDesc& output : outputs) {
    results.push_back({output, std::vector<std::byte>(byte_size(output))});
  }
  std::vector<TensorView> views;
  views.reserve(results.size());
  for (Tensor& result : results) views.push_back({&result.desc, result.bytes.data()});
  evaluate(op, inputs, views);
  return results;
}

/// The descriptions with a batch of one, or nothing where one of them has no dimension.
std::vector<TensorDesc> one_picture(std::span<const TensorDesc> descs) {
  std::vector<TensorDesc> cropped(descs.begin(), descs.end());
  for (TensorDesc& desc : cropped) {
    if (desc.shape.empty()) return {};
    desc.shape[0] = 1;
  }
  return cropped;
}

/// Whether the operator computes the pictures of a batch each for itself, as far as its shape rule
/// tells: with a batch of one in all inputs, that of all outputs is one and nothing else changes.
/// The one dimension of a vector is no batch: a Softmax sums along it, an Add broadcasts it.
bool is_picturewise(const Op& op,
                    std::span<const TensorDesc> inputs,
                    std::span<const TensorDesc> outputs) {
  const auto same_batch = [&](const TensorDesc& desc) {
    return desc.shape.size() >= 2 && desc.shape[0] == inputs[0].shape[0];
  };
  if (inputs.empty() || inputs[0].shape.empty()) return false;
  if (!std::ranges::all_of(inputs, same_batch) || !std::ranges::all_of(outputs, same_batch)) {
    return false;
  }
  try {
    return infer(op, one_picture(inputs)) == one_picture(outputs);
  } catch (const InvalidArgument&) {
    return false;
  }
}

/// Adds samples of one result; its first element is the element `first` of the output.
void take_samples(const Tensor& result,
                  std::size_t output,
                  std::int64_t first,
                  std::size_t count,
                  std::vector<ElementSample>& samples) {
  const std::int64_t size = num_elements(result.desc.shape);
  FloatReader read({&result.desc, result.bytes.data()});
  double scale = 0;
  for (const float value : read(0, size)) scale = std::max(scale, std::abs(double{value}));
  for (const std::int64_t element : sampled_elements(size, count)) {
    samples.push_back({output, first + element, read(element, 1)[0], scale});
  }
}

std::vector<ElementSample> sample_any(const Op& op,
                                      std::span<const ConstTensorView> inputs,
                                      std::span<const TensorDesc> outputs,
                                      std::size_t count) {
  std::vector<TensorDesc> descs;
  for (const ConstTensorView& input : inputs) descs.push_back(*input.desc);
  std::vector<ElementSample> samples;
  const auto evaluate_part = [&](std::span<const ConstTensorView> part,
                                 std::span<const TensorDesc> results,
                                 std::int64_t picture,
                                 std::size_t samples_each) {
    const std::vector<Tensor> values = evaluated(op, part, results);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t first = picture * num_elements(results[i].shape);
      take_samples(values[i], i, first, samples_each, samples);
    }
  };
  if (!is_picturewise(op, descs, outputs) || descs[0].shape[0] < 3 || count < 4) {
    evaluate_part(inputs, outputs, 0, count);
    return samples;
  }
  const std::vector<TensorDesc> cropped = one_picture(descs);
  for (const std::int64_t picture : {std::int64_t{0}, descs[0].shape[0] - 1}) {
    std::vector<ConstTensorView> views;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t skip = static_cast<std::size_t>(picture) * byte_size(cropped[i]);
      views.push_back({&cropped[i], inputs[i].data + skip});
    }
    evaluate_part(views, one_picture(outputs), picture, count / 2);
  }
  return samples;
}

}  // namespace

std::vector<ElementSample> sample_outputs(const Op& op,
                                          std::span<const ConstTensorView> inputs,
                                          std::span<const TensorDesc> outputs,
                                          std::size_t count) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) {
    return sample_conv2d(
        *conv, inputs, outputs[0], sampled_elements(num_elements(outputs[0].shape), count));
  }
  if (const auto* separable = std::get_if<SeparableConv2d>(&op)) {
    return sample_separable(*separable, inputs, outputs[0], count);
  }
  if (const auto* dense = std::get_if<Dense>(&op)) {
    return sample_dense(*dense, inputs, outputs[0], count);
  }
  return sample_any(op, inputs, outputs, count);
}

}  // namespace fovea
