// Looks for races in the kernels that rewrite pictures element by element or window by window.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/depthwise.h"
#include "kernels/lrn.h"
#include "kernels/pad.h"
#include "kernels/quantize.h"
#include "kernels/rescale.h"
#include "kernels/simt/emulator.h"
#include "kernels/transpose.h"
#include "tests/kernels/race/race.h"

namespace fovea::kernels {
namespace {

/// A run of outputs per thread for 8 channels, an output for 5.
cudaError_t run_depthwise(int channels) {
  const auto row = static_cast<std::size_t>(channels);
  const std::vector<float> x = ramp(5 * 6 * row);
  const std::vector<float> weights = ramp(9 * row);
  std::vector<float> y(x.size());
  return depthwise({.x = x.data(),
                    .weights = weights.data(),
                    .y = y.data(),
                    .x_stride = channels,
                    .y_stride = channels,
                    .n = 1,
                    .h = 5,
                    .w = 6,
                    .c = channels,
                    .out_h = 5,
                    .out_w = 6,
                    .kernel_h = 3,
                    .kernel_w = 3,
                    .pad_top = 1,
                    .pad_left = 1},
                   nullptr);
}

/// 16 bytes per thread for 8 channels, an element for 7.
cudaError_t run_lrn(int channels) {
  const std::vector<float> x = ramp(std::size_t{9} * static_cast<std::size_t>(channels));
  std::vector<float> y(x.size());
  return lrn({.x = x.data(),
              .y = y.data(),
              .x_stride = channels,
              .y_stride = channels,
              .pixels = 9,
              .channels = channels,
              .scale = 0.5F},
             nullptr);
}

cudaError_t run_pad() {
  const std::vector<float> x = ramp(2 * 3 * 8);
  std::vector<float> y(4 * 4 * 8);
  return pad({.x = x.data(),
              .y = y.data(),
              .x_stride = 8,
              .y_stride = 8,
              .n = 1,
              .h = 2,
              .w = 3,
              .c = 8,
              .out_h = 4,
              .out_w = 4,
              .pad_top = 1,
              .pad_left = 1},
             nullptr);
}

/// There and back, a block after the other.
cudaError_t run_quantize() {
  std::vector<float> x = ramp(12 * 8);
  std::vector<std::uint8_t> q(x.size());
  const std::vector<float> scales(8, 0.25F);
  const QuantizationGrid grid{.scale = scales.data(), .channels = 8};
  const auto count = static_cast<std::int64_t>(x.size());
  const cudaError_t status = quantize(x.data(), q.data(), grid, count, nullptr);
  return status != cudaSuccess ? status : dequantize(q.data(), x.data(), grid, count, nullptr);
}

cudaError_t run_rescale() {
  std::vector<float> x = ramp(33 * 8);
  return rescale(
      {.x = x.data(), .y = x.data(), .x_stride = 8, .y_stride = 8, .pixels = 33, .channels = 8},
      nullptr);
}

/// By tiles where both numbers are 8 or more.
cudaError_t run_transpose(std::int64_t rows, std::int64_t cols) {
  const std::vector<float> x = ramp(static_cast<std::size_t>(rows * cols));
  std::vector<float> y(x.size());
  return transpose({.x = x.data(),
                    .y = y.data(),
                    .rank = 2,
                    .sizes = {cols, rows},
                    .x_strides = {1, cols},
                    .y_strides = {rows, 1}},
                   nullptr);
}

struct Clean {
  std::string name;
  std::function<cudaError_t()> launch;
};

class PictureKernelWithoutRace : public testing::TestWithParam<Clean> {};

TEST_P(PictureKernelWithoutRace, IsNotReported) {
  for (const simt::Schedule schedule : {simt::Schedule::kForward, simt::Schedule::kReverse}) {
    simt::set_schedule(schedule);
    EXPECT_EQ(reports_of([] { EXPECT_EQ(GetParam().launch(), cudaSuccess); }), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    PictureKernelWithoutRace,
    testing::Values(Clean{"DepthwiseRuns", [] { return run_depthwise(8); }},
                    Clean{"DepthwiseWindows", [] { return run_depthwise(5); }},
                    Clean{"LrnOfFive", [] { return run_lrn(8); }},
                    Clean{"LrnOfAny", [] { return run_lrn(7); }},
                    Clean{"Pad", run_pad},
                    Clean{"Quantize", run_quantize},
                    Clean{"Rescale", run_rescale},
                    Clean{"TransposeTiles", [] { return run_transpose(33, 9); }},
                    Clean{"TransposeElements", [] { return run_transpose(33, 3); }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea::kernels
