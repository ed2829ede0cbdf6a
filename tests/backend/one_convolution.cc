#include "tests/backend/one_convolution.h"

#include <vector>

#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

Graph one_convolution(const Shape& picture,
                      std::array<std::int64_t, 2> kernel,
                      std::int64_t filters,
                      const Conv2d& conv,
                      std::uint64_t seed,
                      DType type) {
  Graph graph;
  const auto add_constant = [&](const Shape& shape, const char* name, std::uint64_t of_it) {
    return graph.add(make_constant(shape, random_floats(num_elements(shape), of_it)), {}, name);
  };
  const auto add_input = [&](const Shape& shape, const char* name) {
    return graph.add(Input{{type, shape}}, {}, name);
  };
  const Shape weights{filters, kernel[0], kernel[1], picture[3] / conv.groups};
  std::vector<Value> inputs{add_input(picture, "x"), add_constant(weights, "weights", seed)};
  if (conv.bias) inputs.push_back(add_constant({filters}, "bias", seed + 1));
  if (conv.residual) {
    Conv2d plain = conv;
    plain.residual = false;
    std::vector<TensorDesc> descs;
    for (const Value& input : inputs) descs.push_back(graph.desc(input));
    inputs.push_back(add_input(infer(plain, descs).at(0).shape, "residual"));
  }
  graph.mark_output(graph.add(conv, inputs, "conv"), "y");
  return graph;
}

}  // namespace fovea::test
