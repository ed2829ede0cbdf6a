// Concat, Pad, Transpose.
#include <algorithm>
#include <numeric>

#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"
#include "engine/import_worker/onnx/onnx_tensor.h"

namespace fovea::onnx {

namespace {

/// "pads" of operator set 2 and later: all dimensions before, then all after.
std::vector<std::int64_t> read_pads(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  if (node.operator_set() >= 11) return conversion.integers(1, "pads");
  const auto pads = node.integers("pads");
  if (!pads) node.fail_corrupt("has no 'pads'");
  return *pads;
}

float read_border(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  if (node.operator_set() < 11) return node.real("value", 0.0F);
  if (!node.has_input(2)) return 0.0F;
  return conversion.number(2, "constant_value");
}

}  // namespace

void convert_concat(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, kAnyNumber);
  const TensorDesc first = conversion.file_desc(0);
  if (!node.has_attribute("axis")) node.fail_corrupt("has no 'axis'");
  const std::int64_t axis = node.axis(1, first.shape.size());
  if (axis == 0) {
    node.fail_unsupported(cat(
        "joins ", to_string(first), " along its first dimension, which stays that of the batch"));
  }
  for (int i = 0; i < node.input_count(); ++i) {
    if (has_batch(conversion.held_desc(i)) == has_batch(first)) continue;
    node.fail_unsupported(cat("joins ",
                              to_string(first),
                              " and ",
                              to_string(conversion.file_desc(i)),
                              ", of which only one is there for every picture"));
  }
  auto [inputs, order] = conversion.operands();
  conversion.define(
      Concat{.axis = order == Order::kNhwc ? nhwc_axis(axis) : axis}, std::move(inputs), order);
}

void convert_pad(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  const int most = node.operator_set() < 11 ? 1 : (node.operator_set() < 18 ? 3 : 4);
  node.check_counts(most == 1 ? 1 : 2, most);
  if (node.text("mode", "constant") != "constant") {
    node.fail_unsupported("repeats the picture in its border; only constant borders are supported");
  }
  if (node.has_input(3)) {
    node.fail_unsupported("names its 'axes'; export it with pads for every dimension");
  }
  const Value x = conversion.picture(0);
  const std::vector<std::int64_t> pads = read_pads(conversion);
  if (pads.size() != 8) {
    node.fail_corrupt(cat("has ", pads.size(), " pads for a picture, which takes 8"));
  }
  // N, C, H and W before, then after.
  if (pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0) {
    node.fail_unsupported("pads the batch or the channels; only rows and columns are supported");
  }
  if (*std::ranges::min_element(pads) < 0) {
    node.fail_unsupported("has negative pads, which cut the picture; that is not supported");
  }
  conversion.define(
      Pad{.pads = {pads[2], pads[3], pads[6], pads[7]}, .value = read_border(conversion)},
      {x},
      Order::kNhwc);
}

void convert_transpose(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  const std::string& x = node.input(0);
  std::vector<std::int64_t> reversed(conversion.held_desc(0).shape.size());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const std::vector<std::int64_t> perm = node.integers("perm").value_or(reversed);
  if (const Constant* constant = conversion.values.constant(x)) {
    return conversion.define(transposed(*constant, perm), {}, Order::kFile);
  }
  if (has_batch(conversion.held_desc(0)) && !perm.empty() && perm[0] != 0) {
    node.fail_unsupported(cat(
        "moves the batch of ", to_string(conversion.file_desc(0)), " away from the first place"));
  }
  conversion.define(Transpose{perm}, {conversion.values.in_file_order(x)}, Order::kFile);
}

}  // namespace fovea::onnx
