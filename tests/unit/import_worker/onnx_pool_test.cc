// What becomes of ONNX's pools: every window is worked out here, in the format's own NCHW order.
#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/import_worker/onnx_testing.h"

namespace fovea {
namespace {

using test::Floats;
using test::numbers;
using test::OnnxModel;
using test::run_onnx;

constexpr std::int64_t kChannels = 2;

/// One direction: windows of `kernel` elements start at -before, -before + stride, ...
struct Side {
  std::int64_t size, kernel, stride, before, positions;
};

/// What one window saw of the picture.
struct Seen {
  double sum = 0;
  double largest = -std::numeric_limits<double>::infinity();
  int count = 0;
};

/// Every window of a picture of kChannels, in NCHW.
std::vector<Seen> look(const Floats& x, const Side& rows, const Side& cols) {
  std::vector<Seen> windows;
  for (std::int64_t c = 0; c < kChannels; ++c) {
    for (std::int64_t p = 0; p < rows.positions; ++p) {
      for (std::int64_t q = 0; q < cols.positions; ++q) {
        Seen seen;
        for (std::int64_t h = 0; h < rows.size; ++h) {
          for (std::int64_t w = 0; w < cols.size; ++w) {
            const std::int64_t r = h - (p * rows.stride - rows.before);
            const std::int64_t s = w - (q * cols.stride - cols.before);
            if (r < 0 || r >= rows.kernel || s < 0 || s >= cols.kernel) continue;
            const double value = x[static_cast<std::size_t>((c * rows.size + h) * cols.size + w)];
            seen.sum += value;
            seen.largest = std::max(seen.largest, value);
            ++seen.count;
          }
        }
        windows.push_back(seen);
      }
    }
  }
  return windows;
}

Floats largest(const std::vector<Seen>& windows) {
  Floats y;
  for (const Seen& seen : windows) y.push_back(static_cast<float>(seen.largest));
  return y;
}

/// Over `area` elements, or those seen where that is 0.
Floats means(const std::vector<Seen>& windows, int area) {
  Floats y;
  for (const Seen& seen : windows) {
    y.push_back(static_cast<float>(seen.sum / (area != 0 ? area : seen.count)));
  }
  return y;
}

/// A pool called "y" on a picture of kChannels.
struct PoolModel : OnnxModel {
  PoolModel(const char* op,
            std::int64_t height,
            std::int64_t width,
            std::initializer_list<std::int64_t> kernel)
      : OnnxModel({-1, kChannels, height, width}) {
    node = &add_node(op, {"x"}, "y");
    test::set_ints(*node, "kernel_shape", kernel);
    add_output("y");
  }

  onnx::NodeProto* node;
};

TEST(OnnxPool, MovesAWindowInTheFormatsOrder) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    PoolModel model(op, 5, 7, {2, 3});
    test::set_ints(*model.node, "strides", {2, 1});
    test::set_ints(*model.node, "pads", {1, 0, 0, 2});
    const Floats x = numbers(kChannels * 5 * 7);
    const auto windows = look(x, {5, 2, 2, 1, 3}, {7, 3, 1, 0, 7});

    EXPECT_EQ(run_onnx(model, x),
              op == std::string("MaxPool") ? largest(windows) : means(windows, 0))
        << op;
  }
}

TEST(OnnxPool, StepsByOneUnlessItSaysOtherwise) {
  PoolModel model("MaxPool", 3, 4, {2, 2});
  const Floats x = numbers(kChannels * 3 * 4);

  EXPECT_EQ(run_onnx(model, x), largest(look(x, {3, 2, 1, 0, 2}, {4, 2, 1, 0, 3})));
}

TEST(OnnxPool, CountsPaddingWhereAsked) {
  PoolModel model("AveragePool", 3, 3, {2, 2});
  test::set_ints(*model.node, "pads", {1, 1, 0, 0});
  test::set_int(*model.node, "count_include_pad", 1);
  const Floats x = numbers(kChannels * 3 * 3);

  EXPECT_EQ(run_onnx(model, x), means(look(x, {3, 2, 1, 1, 3}, {3, 2, 1, 1, 3}), 4));
}

TEST(OnnxPool, RoundsUpInCeilMode) {
  // Rows 0-2, 2-4 and 4 alone; columns 0-2 and 2-4 fit.
  for (const char* op : {"MaxPool", "AveragePool"}) {
    PoolModel model(op, 6, 5, {3, 3});
    test::set_ints(*model.node, "strides", {2, 2});
    test::set_int(*model.node, "ceil_mode", 1);
    const Floats x = numbers(kChannels * 6 * 5);
    const auto windows = look(x, {6, 3, 2, 0, 3}, {5, 3, 2, 0, 2});

    EXPECT_EQ(run_onnx(model, x),
              op == std::string("MaxPool") ? largest(windows) : means(windows, 0))
        << op;
  }
}

TEST(OnnxPool, DropsWindowsThatStartBeyondThePicture) {
  // A third window would start at row 5 of 5.
  PoolModel padded("MaxPool", 5, 5, {3, 3});
  test::set_ints(*padded.node, "strides", {3, 3});
  test::set_ints(*padded.node, "pads", {1, 1, 1, 1});
  test::set_int(*padded.node, "ceil_mode", 1);
  const Floats z = numbers(kChannels * 5 * 5);

  EXPECT_EQ(run_onnx(padded, z), largest(look(z, {5, 3, 3, 1, 2}, {5, 3, 3, 1, 2})));
}

TEST(OnnxPool, PadsAutomatically) {
  struct Case {
    const char* pad;
    std::int64_t top, left, rows, cols;
  };

  for (const Case& c : {Case{"SAME_UPPER", 0, 1, 3, 3},
                        Case{"SAME_LOWER", 1, 1, 3, 3},
                        Case{"VALID", 0, 0, 2, 2}}) {
    PoolModel model("AveragePool", 6, 5, {3, 3});
    test::set_ints(*model.node, "strides", {2, 2});
    test::set_text(*model.node, "auto_pad", c.pad);
    const Floats x = numbers(kChannels * 6 * 5);

    EXPECT_EQ(run_onnx(model, x),
              means(look(x, {6, 3, 2, c.top, c.rows}, {5, 3, 2, c.left, c.cols}), 0))
        << c.pad;
  }
}

TEST(OnnxPool, KeepsAWindowLargerThanThePicture) {
  // GoogLeNet's last pool.
  PoolModel model("AveragePool", 6, 6, {7, 7});
  test::set_ints(*model.node, "pads", {0, 0, 1, 1});
  const Floats x = numbers(kChannels * 36);

  EXPECT_EQ(run_onnx(model, x), means(look(x, {6, 7, 1, 0, 1}, {6, 7, 1, 0, 1}), 0));
}

TEST(OnnxPool, TakesPlacesThatNobodyAsksFor) {
  PoolModel model("MaxPool", 3, 3, {2, 2});
  model.node->add_output("places");
  const Floats x = numbers(kChannels * 9);

  EXPECT_EQ(run_onnx(model, x), largest(look(x, {3, 2, 1, 0, 2}, {3, 2, 1, 0, 2})));

  model.add_output("places");
  test::expect_error(ErrorCode::kModelUnsupportedOp,
                     "'places' is used, which MaxPool 'y' gives",
                     [&] { (void)model.import(); });
}

void expect_refused(const OnnxModel& model, ErrorCode code, const std::string& part) {
  test::expect_error(code, part, [&] { (void)model.import(); });
}

TEST(OnnxPool, RefusesOtherForms) {
  constexpr ErrorCode kCorrupt = ErrorCode::kModelCorrupt;
  constexpr ErrorCode kUnsupported = ErrorCode::kModelUnsupportedOp;

  PoolModel dilated("MaxPool", 5, 5, {2, 2});
  test::set_ints(*dilated.node, "dilations", {2, 1});
  expect_refused(dilated, kUnsupported, "MaxPool 'y' has 'dilations'");

  PoolModel both("MaxPool", 5, 5, {2, 2});
  test::set_int(*both.node, "ceil_mode", 1);
  test::set_text(*both.node, "auto_pad", "VALID");
  expect_refused(both, kUnsupported, "both 'ceil_mode' and 'auto_pad'");

  PoolModel counting("AveragePool", 6, 6, {3, 3});
  test::set_ints(*counting.node, "strides", {2, 2});
  test::set_int(*counting.node, "ceil_mode", 1);
  test::set_int(*counting.node, "count_include_pad", 1);
  expect_refused(counting, kUnsupported, "'count_include_pad'");

  PoolModel no_kernel("AveragePool", 6, 6, {3, 3});
  no_kernel.node->clear_attribute();
  expect_refused(no_kernel, kCorrupt, "'kernel_shape'");

  PoolModel line("AveragePool", 6, 6, {3});
  expect_refused(line, kUnsupported, "two-dimensional");

  PoolModel large("AveragePool", 6, 6, {7, 7});
  expect_refused(large, kCorrupt, "a window of 7 does not fit");

  OnnxModel row({-1, 4});
  test::set_ints(row.add_node("MaxPool", {"x"}, "y"), "kernel_shape", {1, 1});
  row.add_output("y");
  expect_refused(row, kUnsupported, "two-dimensional pictures");
}

}  // namespace
}  // namespace fovea
