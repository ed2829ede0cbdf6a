// What becomes of ONNX operators: values are worked out here, in the format's own NCHW order.
#include "engine/import_worker/onnx/import_onnx.h"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/import_worker/onnx_testing.h"

namespace fovea {
namespace {

using test::Floats;
using test::numbers;
using test::OnnxModel;
using test::run_onnx;

/// A convolution in NCHW, one group.
struct Nchw {
  std::int64_t channels, height, width;

  [[nodiscard]] std::size_t at(std::int64_t c, std::int64_t h, std::int64_t w) const {
    return static_cast<std::size_t>((c * height + h) * width + w);
  }
};

Floats convolve(const Floats& x,
                Nchw in,
                const Floats& w,
                std::int64_t kernel,
                Nchw out,
                std::int64_t stride,
                std::int64_t top,
                std::int64_t left) {
  Floats y(static_cast<std::size_t>(out.channels * out.height * out.width));
  for (std::int64_t o = 0; o < out.channels; ++o) {
    for (std::int64_t p = 0; p < out.height; ++p) {
      for (std::int64_t q = 0; q < out.width; ++q) {
        double sum = 0;
        for (std::int64_t i = 0; i < in.channels; ++i) {
          for (std::int64_t r = 0; r < kernel; ++r) {
            for (std::int64_t s = 0; s < kernel; ++s) {
              const std::int64_t h = p * stride + r - top;
              const std::int64_t v = q * stride + s - left;
              if (h < 0 || v < 0 || h >= in.height || v >= in.width) continue;
              const auto k =
                  static_cast<std::size_t>(((o * in.channels + i) * kernel + r) * kernel + s);
              sum += static_cast<double>(x[in.at(i, h, v)]) * static_cast<double>(w[k]);
            }
          }
        }
        y[out.at(o, p, q)] = static_cast<float>(sum);
      }
    }
  }
  return y;
}

TEST(ImportOnnx, ConvolvesInTheFormatsOrder) {
  OnnxModel model({-1, 2, 5, 4});
  model.add_floats("w", {3, 2, 3, 3}, numbers(54, 3));
  auto& conv = model.add_node("Conv", {"x", "w"}, "y");
  test::set_ints(conv, "pads", {0, 1, 2, 1});
  test::set_ints(conv, "strides", {2, 2});
  test::set_ints(conv, "kernel_shape", {3, 3});
  model.add_output("y");
  const Floats x = numbers(40);

  EXPECT_EQ(run_onnx(model, x), convolve(x, {2, 5, 4}, numbers(54, 3), 3, {3, 3, 2}, 2, 0, 1));
}

TEST(ImportOnnx, PadsAutomatically) {
  struct Case {
    const char* pad;
    Nchw out;
    std::int64_t top, left;
  };

  // Height 6 at stride 2 lacks one row for "same", which lies below or above; width 5 lacks two.
  for (const Case& c : {Case{"SAME_UPPER", {1, 3, 3}, 0, 1},
                        Case{"SAME_LOWER", {1, 3, 3}, 1, 1},
                        Case{"VALID", {1, 2, 2}, 0, 0}}) {
    OnnxModel model({-1, 1, 6, 5});
    model.add_floats("w", {1, 1, 3, 3}, numbers(9, 2));
    auto& conv = model.add_node("Conv", {"x", "w"}, "y");
    test::set_text(conv, "auto_pad", c.pad);
    test::set_ints(conv, "strides", {2, 2});
    model.add_output("y");
    const Floats x = numbers(30);

    EXPECT_EQ(run_onnx(model, x), convolve(x, {1, 6, 5}, numbers(9, 2), 3, c.out, 2, c.top, c.left))
        << c.pad;
  }
}

TEST(ImportOnnx, ConvolvesDepthwiseWithABias) {
  OnnxModel model({-1, 2, 2, 2});
  model.add_floats("w", {2, 1, 1, 1}, {10, 100});
  model.add_floats("b", {2}, {1, 2});
  test::set_int(model.add_node("Conv", {"x", "w", "b"}, "y"), "group", 2);
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2, 3, 4, 5, 6, 7, 8}),
            (Floats{11, 21, 31, 41, 502, 602, 702, 802}));
}

TEST(ImportOnnx, TurnsQuantisedWeightsWithTheirAxis) {
  // Two output channels with scales 1 and 10; the weights of each differ in every place.
  OnnxModel model({-1, 2, 3, 3});
  const std::vector<std::int8_t> q{1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8};
  model.add_tensor("q", 3, {2, 2, 2, 2}, q);
  model.add_floats("scale", {2}, {1, 10});
  model.add_tensor("zero", 3, {2}, std::vector<std::int8_t>{0, 1});
  test::set_int(model.add_node("DequantizeLinear", {"q", "scale", "zero"}, "w"), "axis", 0);
  model.add_node("Conv", {"x", "w"}, "y");
  model.add_output("y");
  Floats w(16);
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = i < 8 ? static_cast<float>(q[i]) : 10.0F * (static_cast<float>(q[i]) - 1.0F);
  }
  const Floats x = numbers(18);

  EXPECT_EQ(run_onnx(model, x), convolve(x, {2, 3, 3}, w, 2, {2, 2, 2}, 1, 0, 0));
  const Graph graph = model.import().graph;
  EXPECT_EQ(graph.node(graph.find("q/permuted")).outputs[0].dtype, DType::kInt8);
  EXPECT_NE(graph.node(graph.find("w/permuted")).as<DequantizeLinear>(), nullptr);
}

TEST(ImportOnnx, TurnsWeightsQuantisedAlongAnyAxis) {
  OnnxModel model({-1, 2, 1, 1});
  model.add_tensor("q", 3, {1, 2, 1, 1}, std::vector<std::int8_t>{3, 5});
  model.add_floats("scale", {2}, {1, 10});
  test::set_int(model.add_node("DequantizeLinear", {"q", "scale"}, "w"), "axis", 1);
  model.add_node("Conv", {"x", "w"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 1}), (Floats{53}));
}

TEST(ImportOnnx, FlattensInTheFormatsOrder) {
  OnnxModel model({-1, 2, 2, 3});
  model.add_floats("w", {2, 2, 1, 1}, {1, 0, 0, 1});
  model.add_node("Conv", {"x", "w"}, "same");
  test::set_int(model.add_node("Flatten", {"same"}, "y"), "axis", -3);
  model.add_output("y");
  const Floats x = numbers(12);

  EXPECT_EQ(run_onnx(model, x), x);
}

TEST(ImportOnnx, FlattensOnePixelWithoutTurning) {
  OnnxModel model({-1, 3, 2, 2});
  model.add_node("GlobalAveragePool", {"x"}, "mean");
  model.add_node("Flatten", {"mean"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 2, 3, 6, 4, 4, 4, 4, 0, 0, 0, 8}), (Floats{3, 4, 2}));
  int transposes = 0;
  const Graph graph = model.import().graph;
  for (const Node& node : graph.nodes()) {
    transposes += node.as<Transpose>() == nullptr ? 0 : 1;
  }
  EXPECT_EQ(transposes, 1) << "only the input is turned";
}

TEST(ImportOnnx, MultipliesEitherWayRound) {
  for (const bool turned : {false, true}) {
    OnnxModel model({-1, 2});
    model.add_floats("w",
                     turned ? std::vector<std::int64_t>{3, 2} : std::vector<std::int64_t>{2, 3},
                     turned ? Floats{1, 4, 2, 5, 3, 6} : Floats{1, 2, 3, 4, 5, 6});
    model.add_floats("b", {1, 3}, {100, 200, 300});
    test::set_int(model.add_node("Gemm", {"x", "w", "b"}, "y"), "transB", turned ? 1 : 0);
    model.add_output("y");

    EXPECT_EQ(run_onnx(model, {1, 10}), (Floats{141, 252, 363}));
  }
}

TEST(ImportOnnx, ClipsByInputsAndByAttributes) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Floats x{-kInfinity, -2, 0, 3, kInfinity};

  OnnxModel inputs({-1, 5});
  inputs.add_floats("lo", {}, {-1});
  inputs.add_floats("hi", {}, {2});
  inputs.add_node("Clip", {"x", "lo", "hi"}, "y");
  inputs.add_output("y");
  EXPECT_EQ(run_onnx(inputs, x), (Floats{-1, -1, 0, 2, 2}));

  OnnxModel only_hi({-1, 5});
  only_hi.add_floats("hi", {1}, {2});
  only_hi.add_node("Clip", {"x", "", "hi"}, "y");
  only_hi.add_output("y");
  EXPECT_EQ(run_onnx(only_hi, x), (Floats{-kInfinity, -2, 0, 2, 2}));

  OnnxModel relu({-1, 5});
  relu.add_floats("lo", {}, {0});
  relu.add_node("Clip", {"x", "lo"}, "y");
  relu.add_output("y");
  EXPECT_EQ(run_onnx(relu, x), (Floats{0, 0, 0, 3, kInfinity}));

  OnnxModel relu6({-1, 5});
  relu6.add_floats("lo", {}, {0});
  relu6.add_floats("hi", {}, {2});
  relu6.add_node("Clip", {"x", "lo", "hi"}, "y");
  relu6.add_output("y");
  EXPECT_EQ(run_onnx(relu6, x), (Floats{0, 0, 0, 2, 2}));

  OnnxModel crossed({-1, 5});
  crossed.add_floats("lo", {}, {3});
  crossed.add_floats("hi", {}, {2});
  crossed.add_node("Clip", {"x", "lo", "hi"}, "y");
  crossed.add_output("y");
  EXPECT_EQ(run_onnx(crossed, x), (Floats{2, 2, 2, 2, 2})) << "the upper bound is applied last";

  OnnxModel attributes({-1, 5}, 10);
  auto& clip = attributes.add_node("Clip", {"x"}, "y");
  test::set_float(clip, "min", -1);
  test::set_float(clip, "max", 6);
  attributes.add_output("y");
  EXPECT_EQ(run_onnx(attributes, x), (Floats{-1, -1, 0, 3, 6}));

  OnnxModel nothing({-1, 5});
  nothing.add_node("Clip", {"x"}, "y");
  nothing.add_output("y");
  EXPECT_EQ(run_onnx(nothing, x), x);
}

TEST(ImportOnnx, AddsPicturesAndConstants) {
  const Floats x{1, 2, 3, 4, 5, 6, 7, 8};

  struct Case {
    std::vector<std::int64_t> dims;
    Floats values;
    Floats sum;
  };

  for (const Case& c : {Case{{}, {10}, {11, 12, 13, 14, 15, 16, 17, 18}},
                        Case{{2, 1, 1}, {10, 20}, {11, 12, 13, 14, 25, 26, 27, 28}},
                        Case{{1, 2, 1, 1}, {10, 20}, {11, 12, 13, 14, 25, 26, 27, 28}},
                        // Along the width, as the format spreads a last dimension.
                        Case{{1, 1, 2}, {10, 20}, {11, 22, 13, 24, 15, 26, 17, 28}},
                        Case{{2}, {10, 20}, {11, 22, 13, 24, 15, 26, 17, 28}}}) {
    for (const bool constant_first : {false, true}) {
      OnnxModel model({-1, 2, 2, 2});
      model.add_floats("c", c.dims, c.values);
      if (constant_first) {
        model.add_node("Add", {"c", "x"}, "y");
      } else {
        model.add_node("Add", {"x", "c"}, "y");
      }
      model.add_output("y");

      EXPECT_EQ(run_onnx(model, x), c.sum) << c.dims.size() << " dimensions";
    }
  }

  OnnxModel twice({-1, 2, 2, 2});
  twice.add_floats("w", {2, 2, 1, 1}, {0, 1, 1, 0});
  twice.add_node("Conv", {"x", "w"}, "swapped");
  twice.add_node("Add", {"x", "swapped"}, "y");
  twice.add_output("y");
  EXPECT_EQ(run_onnx(twice, x), (Floats{6, 8, 10, 12, 6, 8, 10, 12}));
}

TEST(ImportOnnx, QuantisesPicturesOnTheirOwnAxis) {
  // The picture is held in NHWC behind the convolution; axis 1 are still its channels.
  OnnxModel model({-1, 2, 1, 2});
  model.add_floats("w", {2, 2, 1, 1}, {1, 0, 0, 1});
  model.add_floats("scale", {2}, {1, 0.5F});
  model.add_tensor("zero", 2, {2}, std::vector<std::uint8_t>{0, 10});
  model.add_node("Conv", {"x", "w"}, "same");
  test::set_int(model.add_node("QuantizeLinear", {"same", "scale", "zero"}, "q"), "axis", 1);
  test::set_int(model.add_node("DequantizeLinear", {"q", "scale", "zero"}, "y"), "axis", -3);
  model.add_output("y");

  // Channel 0: whole numbers from 0; channel 1: halves from -5.
  EXPECT_EQ(run_onnx(model, {-3, 1.6F, -7, 2.3F}), (Floats{0, 2, -5, 2.5F}));
}

TEST(ImportOnnx, QuantisesPicturesAlongRowsAndColumns) {
  struct Case {
    std::int64_t axis;
    Floats want;
  };

  // Scale 1 rounds to whole numbers, scale 10 to tens.
  for (const Case& c :
       {Case{2, {6, 7, 10, 10}}, Case{3, {6, 10, 8, 10}}, Case{-1, {6, 10, 8, 10}}}) {
    OnnxModel model({-1, 1, 2, 2});
    model.add_floats("w", {1, 1, 1, 1}, {1});
    model.add_floats("scale", {2}, {1, 10});
    model.add_tensor("zero", 2, {2}, std::vector<std::uint8_t>{0, 0});
    model.add_node("Conv", {"x", "w"}, "same");
    test::set_int(model.add_node("QuantizeLinear", {"same", "scale", "zero"}, "q"), "axis", c.axis);
    test::set_int(model.add_node("DequantizeLinear", {"q", "scale", "zero"}, "y"), "axis", c.axis);
    model.add_output("y");

    EXPECT_EQ(run_onnx(model, {6.2F, 7.2F, 8.2F, 9.2F}), c.want) << "axis " << c.axis;
  }
}

TEST(ImportOnnx, TakesOneZeroPointInEitherForm) {
  for (const bool scale_is_list : {false, true}) {
    const std::vector<std::int64_t> list{1};
    const std::vector<std::int64_t> scalar{};
    OnnxModel model({-1, 2});
    model.add_floats("scale", scale_is_list ? list : scalar, {2});
    model.add_tensor("zero", 2, scale_is_list ? scalar : list, std::vector<std::uint8_t>{3});
    model.add_node("QuantizeLinear", {"x", "scale", "zero"}, "q");
    model.add_node("DequantizeLinear", {"q", "scale", "zero"}, "y");
    model.add_output("y");

    EXPECT_EQ(run_onnx(model, {-6, 5.1F}), (Floats{-6, 6}));
  }
}

TEST(ImportOnnx, QuantisesWithoutAZeroPoint) {
  OnnxModel model({-1, 3});
  model.add_floats("scale", {}, {2});
  model.add_node("QuantizeLinear", {"x", "scale"}, "q");
  model.add_node("DequantizeLinear", {"q", "scale"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {-3, 5, 600}), (Floats{0, 4, 510}));
}

TEST(ImportOnnx, TakesSoftmaxOverTheChannels) {
  const float e = std::exp(1.0F);
  for (const std::int64_t operator_set : {11, 17}) {
    OnnxModel model({-1, 2, 1, 1}, operator_set);
    model.add_floats("w", {2, 2, 1, 1}, {1, 0, 0, 1});
    model.add_node("Conv", {"x", "w"}, "same");
    test::set_int(model.add_node("Softmax", {"same"}, "y"), "axis", 1);
    model.add_output("y");

    const Floats y = run_onnx(model, {1, 0});
    EXPECT_NEAR(y[0], e / (e + 1), 1e-6) << operator_set;
    EXPECT_NEAR(y[1], 1 / (e + 1), 1e-6) << operator_set;
  }
}

TEST(ImportOnnx, TakesSoftmaxOverTheLastDimensionOfAPicture) {
  OnnxModel model({-1, 2, 1, 2});
  model.add_floats("w", {2, 2, 1, 1}, {1, 0, 0, 1});
  model.add_node("Conv", {"x", "w"}, "same");
  model.add_node("Softmax", {"same"}, "y");
  model.add_output("y");

  const Floats y = run_onnx(model, {0, 0, 0, std::log(3.0F)});

  EXPECT_FLOAT_EQ(y[0], 0.5F);
  EXPECT_FLOAT_EQ(y[2], 0.25F);
  EXPECT_FLOAT_EQ(y[3], 0.75F);
}

TEST(ImportOnnx, TurnsWeightsThatAreComputed) {
  // Added to a constant, the weights are neither a Constant nor dequantised.
  OnnxModel model({-1, 2});
  model.add_tensor("q", 3, {2, 2}, std::vector<std::int8_t>{1, 2, 3, 4});
  model.add_floats("one", {}, {1});
  model.add_floats("offset", {1}, {10});
  model.add_node("DequantizeLinear", {"q", "one"}, "d");
  model.add_node("Add", {"d", "offset"}, "w");
  model.add_node("Gemm", {"x", "d"}, "a");
  model.add_node("Gemm", {"x", "w"}, "b");
  model.add_node("Add", {"a", "b"}, "y");
  model.add_output("y");

  EXPECT_EQ(run_onnx(model, {1, 10}), (Floats{31 + 141, 42 + 152}));
}

}  // namespace
}  // namespace fovea
