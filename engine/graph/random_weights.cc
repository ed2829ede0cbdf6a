#include "engine/graph/random_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr std::uint64_t kGamma = 0x9E3779B97F4A7C15U;

/// Elements of one tensor, in any order.
class Bits {
 public:
  Bits(std::string_view name, std::uint64_t seed) : start_(fnv1a64(name) ^ seed * kGamma) {}

  std::uint64_t operator[](std::uint64_t index) const {
    std::uint64_t z = start_ + (index + 1) * kGamma;
    z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27U) * 0x94D049BB133111EBU;
    return z ^ z >> 31U;
  }

 private:
  std::uint64_t start_;
};

struct Range {
  double lo;
  double hi;
};

constexpr Range around_zero(double limit) {
  return {-limit, limit};
}

constexpr Range kBiasRange = around_zero(0.05);
constexpr Range kOffsetRange = around_zero(0.1);  // beta, moving_mean
constexpr Range kScaleRange{0.8, 1.2};            // gamma, moving_variance
constexpr Range kResidualScaleRange{0.1, 0.3};    // gamma before a residual sum

/// Operators that give a parameter another shape and nothing else.
bool passes_on(const Node& node) {
  return node.as<Transpose>() != nullptr || node.as<Reshape>() != nullptr ||
         node.as<Identity>() != nullptr;
}

/// The parameter without data that the value is, perhaps in another shape; else -1.
NodeId parameter_behind(const Graph& graph, Value value) {
  while (passes_on(graph.node(value))) value = graph.node(value).inputs[0];
  const auto* constant = graph.node(value).as<Constant>();
  return constant != nullptr && constant->data == nullptr ? value.node : -1;
}

bool feeds_add(const Graph& graph, NodeId id) {
  const auto takes_it = [id](const Node& node) {
    return node.as<Add>() != nullptr &&
           std::any_of(node.inputs.begin(), node.inputs.end(), [id](const Value& input) {
             return input.node == id;
           });
  };
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), takes_it);
}

/// The last Conv2d or Dense of the graph, or -1.
NodeId classifier(const Graph& graph) {
  for (NodeId id = graph.size(); id-- > 0;) {
    if (graph.node(id).as<Conv2d>() != nullptr || graph.node(id).as<Dense>() != nullptr) return id;
  }
  return -1;
}

/// Of a kernel stored OHWI (a convolution's) or OI (a dense layer's).
Range kernel_range(const Shape& kernel, std::int64_t groups, double head) {
  if (groups > 1 && kernel[3] == 1) {
    return around_zero(std::sqrt(3.0 / static_cast<double>(kernel[1] * kernel[2])));
  }
  const std::int64_t fan_in = num_elements({kernel.begin() + 1, kernel.end()});
  return around_zero(head * std::sqrt(6.0 / static_cast<double>(fan_in)));
}

/// Of input `index` of a convolution or a dense layer: kernel, bias.
std::optional<Range> layer_range(
    std::size_t index, const Shape& kernel, std::int64_t groups, bool bias, double head) {
  if (index == 1) return kernel_range(kernel, groups, head);
  if (index == 2 && bias) return kBiasRange;
  return std::nullopt;
}

/// Of input `index` of a batch normalisation: gamma, beta, mean, variance.
std::optional<Range> batch_norm_range(std::size_t index, bool feeds_add) {
  switch (index) {
    case 1:
      return feeds_add ? kResidualScaleRange : kScaleRange;
    case 2:
    case 3:
      return kOffsetRange;
    case 4:
      return kScaleRange;
    default:
      return std::nullopt;
  }
}

/// Of the parameter that is input `index` of the node; nothing where a parameter has no role there.
std::optional<Range> range_of(const Graph& graph, NodeId id, std::size_t index, double head) {
  const Node& node = graph.node(id);
  if (const auto* conv = node.as<Conv2d>()) {
    return layer_range(index, graph.desc(node.inputs[1]).shape, conv->groups, conv->bias, head);
  }
  if (const auto* dense = node.as<Dense>()) {
    return layer_range(index, graph.desc(node.inputs[1]).shape, 1, dense->bias, head);
  }
  if (node.as<BatchNorm>() != nullptr) return batch_norm_range(index, feeds_add(graph, id));
  if (node.as<Mul>() != nullptr) return kScaleRange;
  if (node.as<Add>() != nullptr) return kOffsetRange;
  return std::nullopt;
}

/// Values are made when they are read: a network with random weights holds them packed only.
void fill(Graph& graph, NodeId parameter, std::uint64_t seed, Range range) {
  const TensorDesc desc = graph.node(parameter).outputs[0];
  const std::string& name = graph.node(parameter).name;
  const auto compute = [name, seed, range](std::span<std::byte> out) {
    fill_uniform(name,
                 seed,
                 range.lo,
                 range.hi,
                 {reinterpret_cast<float*>(out.data()), out.size() / sizeof(float)});
  };
  const std::string recipe = cat("uniform ",
                                 name,
                                 ' ',
                                 seed,
                                 ' ',
                                 std::bit_cast<std::uint64_t>(range.lo),
                                 ' ',
                                 std::bit_cast<std::uint64_t>(range.hi));
  graph.replace_op(
      parameter,
      Constant{.desc = desc, .data = Buffer::computed(byte_size(desc), recipe, compute)});
}

}  // namespace

std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
  }
  return hash;
}

std::uint64_t random_bits(std::string_view name, std::uint64_t seed, std::uint64_t index) {
  return Bits(name, seed)[index];
}

void fill_uniform(
    std::string_view name, std::uint64_t seed, double lo, double hi, std::span<float> values) {
  const Bits bits(name, seed);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double u = static_cast<double>(bits[i] >> 40U) * 0x1p-24;
    values[i] = static_cast<float>(lo + (hi - lo) * u);
  }
}

std::vector<std::uint8_t> formula_image(int width, int height, std::uint64_t seed) {
  require(width >= 1 && height >= 1, "a picture has at least one pixel in each direction");
  const Bits bits("formula", seed);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) *
                                   static_cast<std::size_t>(height) * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(bits[i] >> 56U);
  }
  return pixels;
}

void fill_random_weights(Graph& graph, std::uint64_t seed, double head) {
  require(head > 0, "the factor of the classifier's kernel must be positive");
  const NodeId last = classifier(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (passes_on(graph.node(id))) continue;
    for (std::size_t index = 0; index < graph.node(id).inputs.size(); ++index) {
      const NodeId parameter = parameter_behind(graph, graph.node(id).inputs[index]);
      if (parameter < 0) continue;
      const auto range = range_of(graph, id, index, id == last ? head : 1.0);
      if (!range) {
        throw Unsupported(cat("there are no random values for the parameter '",
                              graph.node(parameter).name,
                              "', input ",
                              index,
                              " of the ",
                              op_name(graph.node(id).op),
                              " '",
                              graph.node(id).name,
                              "': open the model with a weights file"));
      }
      fill(graph, parameter, seed, *range);
    }
  }
}

}  // namespace fovea
