// Flatten, Reshape, Squeeze, Unsqueeze: the same elements in other dimensions.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// Defines the output as input 0 with the dimensions `shape`, in the order of the file.
void define_reshaped(const Conversion& conversion, const Shape& shape) {
  const std::string& x = conversion.node.input(0);
  const TensorDesc held = conversion.held_desc(0);
  const TensorDesc desc{held.dtype, shape};
  check_desc(desc, "its result");
  const TensorDesc from = with_batch(held, 1);
  if (num_elements(with_batch(desc, 1).shape) != num_elements(from.shape)) {
    conversion.node.fail_corrupt(cat("makes ",
                                     to_string(desc),
                                     " of ",
                                     to_string(conversion.file_desc(0)),
                                     ", which has another number of elements"));
  }
  if (const Constant* constant = conversion.values.constant(x)) {
    return conversion.define(Constant{desc, constant->data}, {}, Order::kFile);
  }
  // Pictures of one pixel are the same bytes in both orders.
  const bool any_order = is_one_pixel(held, conversion.values.order(x));
  const Value value = any_order ? conversion.values.held(x) : conversion.values.in_file_order(x);
  if (is_one_pixel(desc, Order::kFile)) {
    return conversion.define(Reshape{{shape[0], 1, 1, shape[1]}}, {value}, Order::kNhwc);
  }
  conversion.define(Reshape{shape}, {value}, Order::kFile);
}

/// "axes": an input from operator set 13 on, an attribute before; nothing where there are none.
std::optional<std::vector<std::int64_t>> read_axes(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  if (node.operator_set() < 13) return node.integers("axes");
  if (!node.has_input(1)) return std::nullopt;
  return conversion.integers(1, "axes");
}

/// Which of `rank` dimensions the axes name. Throws model/corrupt for one that is named twice or
/// not there.
std::vector<bool> marked(const OnnxNode& node,
                         const std::vector<std::int64_t>& axes,
                         std::size_t rank) {
  std::vector<bool> marks(rank, false);
  for (const std::int64_t axis : axes) {
    const auto signed_rank = static_cast<std::int64_t>(rank);
    const std::int64_t place = axis < 0 ? axis + signed_rank : axis;
    if (place < 0 || place >= signed_rank || marks[static_cast<std::size_t>(place)]) {
      node.fail_corrupt(cat("has axis ", axis, " of ", rank, " dimensions, or has it twice"));
    }
    marks[static_cast<std::size_t>(place)] = true;
  }
  return marks;
}

/// Dimensions that say 0 are those of the input, unless "allowzero" says that they are empty.
void copy_dimensions(OnnxNode& node, const Shape& from, Shape& to) {
  const bool empty = node.operator_set() >= 14 && node.integer("allowzero", 0) != 0;
  if (std::ranges::count(to, -1) > 1) {
    node.fail_corrupt("leaves two dimensions of its shape open");
  }
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (to[d] < -1) node.fail_corrupt(cat("has the dimension ", to[d], " in its shape"));
    if (to[d] != 0) continue;
    if (empty) node.fail_unsupported("makes a tensor without elements");
    if (d >= from.size()) node.fail_corrupt("takes over a dimension that its input does not have");
    to[d] = from[d];
  }
}

/// Dimensions first to end - 1 without the one that is -1, which then makes `elements` of them.
void infer_dimension(const OnnxNode& node, Shape& shape, std::size_t first, std::int64_t elements) {
  const auto begin = shape.begin() + static_cast<std::ptrdiff_t>(first);
  const auto open = std::find(begin, shape.end(), -1);
  if (open == shape.end()) return;
  *open = 1;
  check_desc({DType::kUInt8, {begin, shape.end()}}, "its result");
  const std::int64_t others = num_elements({begin, shape.end()});
  if (elements % others != 0) {
    node.fail_corrupt(cat("cannot divide ", elements, " elements by ", others));
  }
  *open = elements / others;
}

/// The shape where the input has one picture after the other: they must stay apart.
Shape resolve_for_pictures(const Conversion& conversion, const Shape& from, Shape to) {
  const OnnxNode& node = conversion.node;
  const auto refuse = [&] {
    node.fail_unsupported(cat("makes a shape of ",
                              to_string(conversion.file_desc(0)),
                              " whose first dimension is not that of the batch"));
  };
  if (to.empty()) refuse();
  const std::int64_t batch = std::exchange(to[0], 1);
  const std::int64_t elements = num_elements({from.begin() + 1, from.end()});
  const bool is_inferred = std::ranges::count(to, -1) != 0;
  infer_dimension(node, to, 1, elements);
  check_desc({DType::kUInt8, to}, "its result");
  // A number of pictures is as good as their open number where all else is theirs.
  const bool is_batch = batch == kBatch || batch == conversion.declared_batch ||
                        (conversion.declared_batch == 0 && !is_inferred);
  if (num_elements(to) != elements || !is_batch) refuse();
  to[0] = kBatch;
  return to;
}

}  // namespace

void convert_flatten(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, 1);
  const Shape shape = conversion.held_desc(0).shape;
  // One past the last dimension is an axis as well, of a column.
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = node.integer("axis", 1);
  if (rank < 2 || (axis != 1 && axis != 1 - rank)) {
    node.fail_unsupported(
        cat("flattens ", to_string(conversion.file_desc(0)), " from axis ", axis, " instead of 1"));
  }
  define_reshaped(conversion, {shape[0], num_elements({shape.begin() + 1, shape.end()})});
}

void convert_reshape(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 2);
  const TensorDesc from = conversion.file_desc(0);
  Shape shape = conversion.integers(1, "shape");
  copy_dimensions(node, from.shape, shape);
  if (has_batch(from)) {
    shape = resolve_for_pictures(conversion, from.shape, std::move(shape));
  } else {
    infer_dimension(node, shape, 0, num_elements(from.shape));
  }
  define_reshaped(conversion, shape);
}

void convert_squeeze(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, node.operator_set() < 13 ? 1 : 2);
  const Shape from = conversion.file_desc(0).shape;
  const auto axes = read_axes(conversion);
  if (!axes) {
    node.fail_unsupported("does not say which dimensions it drops; export it with 'axes'");
  }
  const std::vector<bool> dropped = marked(node, *axes, from.size());
  Shape shape;
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (!dropped[d]) {
      shape.push_back(from[d]);
    } else if (from[d] == kBatch) {
      node.fail_unsupported("drops the dimension of the batch");
    } else if (from[d] != 1) {
      node.fail_corrupt(cat(
          "drops dimension ", d, " of ", to_string(conversion.file_desc(0)), ", which is no 1"));
    }
  }
  define_reshaped(conversion, shape);
}

void convert_unsqueeze(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, node.operator_set() < 13 ? 1 : 2);
  const TensorDesc from = conversion.file_desc(0);
  const auto axes = read_axes(conversion);
  if (!axes) node.fail_corrupt("has no 'axes'");
  const std::vector<bool> added = marked(node, *axes, from.shape.size() + axes->size());
  if (has_batch(from) && added[0]) {
    node.fail_unsupported("puts a dimension before that of the batch");
  }
  Shape shape;
  auto next = from.shape.begin();
  for (const bool is_new : added) shape.push_back(is_new ? 1 : *next++);
  define_reshaped(conversion, shape);
}

}  // namespace fovea::onnx
