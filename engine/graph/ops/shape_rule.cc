#include "engine/graph/ops/shape_rule.h"

#include <string>
#include <utility>

#include "engine/core/require.h"

namespace fovea {

namespace {

[[noreturn]] void refuse(std::string_view what, const TensorDesc& desc, std::string_view rule) {
  throw InvalidArgument(cat(what, " is ", to_string(desc), ", but ", rule));
}

}  // namespace

void check_desc(const TensorDesc& desc, std::string_view what) {
  // Before any to_string: an unknown type has no text.
  if (desc.dtype > DType::kInt64) {
    throw InvalidArgument(
        cat(what, " has element type number ", static_cast<int>(desc.dtype), ", which is unknown"));
  }
  if (desc.shape.size() > kMaxRank) {
    throw InvalidArgument(
        cat(what, " has ", desc.shape.size(), " dimensions, but ", kMaxRank, " are the most"));
  }
  for (std::size_t i = 0; i < desc.shape.size(); ++i) {
    const std::int64_t dim = desc.shape[i];
    if (i == 0 && dim == kBatch) continue;
    if (dim < 1 || dim > kMaxDim) {
      refuse(what, desc, cat("dimension ", i, " must be from 1 to ", kMaxDim));
    }
  }
  try {
    (void)byte_size(with_batch(desc, 1));
  } catch (const InvalidArgument&) {
    refuse(what, desc, "that is more than any memory holds");
  }
}

void check_inputs(std::span<const TensorDesc> inputs, std::size_t count) {
  if (inputs.size() != count) {
    throw InvalidArgument(cat("has ", inputs.size(), " inputs, but takes ", count));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) check_desc(inputs[i], cat("input ", i));
}

void check_dtype(const TensorDesc& desc, DType dtype, std::string_view what) {
  if (desc.dtype != dtype) refuse(what, desc, cat("must be of type ", to_string(dtype)));
}

void check_rank(const TensorDesc& desc, std::size_t rank, std::string_view what) {
  if (desc.shape.size() != rank) refuse(what, desc, cat("must have ", rank, " dimensions"));
}

void check_axis(std::int64_t axis, const TensorDesc& desc, std::string_view what) {
  const auto rank = static_cast<std::int64_t>(desc.shape.size());
  if (axis >= 1 && axis < rank) return;
  throw InvalidArgument(cat("axis is ",
                            axis,
                            ", but ",
                            what,
                            " is ",
                            to_string(desc),
                            ": it must be from 1 to ",
                            rank - 1));
}

void check_concrete(const TensorDesc& desc, std::string_view what) {
  if (has_batch(desc)) refuse(what, desc, "must not depend on the batch");
}

void check_picture(const TensorDesc& desc, std::string_view what) {
  check_dtype(desc, DType::kFloat32, what);
  if (desc.shape.size() != 4) refuse(what, desc, "must have 4 dimensions: [N,H,W,C]");
}

void check_equal(const TensorDesc& desc, const TensorDesc& expected, std::string_view what) {
  if (desc != expected) refuse(what, desc, cat("must be ", to_string(expected)));
}

void check_activation(const Activation& activation) {
  if (activation.kind > ActivationKind::kSigmoid) {
    throw InvalidArgument(
        cat("the activation is number ", static_cast<int>(activation.kind), ", which is unknown"));
  }
  if (activation.kind == ActivationKind::kClip && !(activation.lo <= activation.hi)) {
    throw InvalidArgument(cat(
        "the activation clips from ", activation.lo, " to ", activation.hi, ": nothing is left"));
  }
}

std::int64_t last_dim(const TensorDesc& desc, std::string_view what) {
  if (desc.shape.empty()) refuse(what, desc, "must have at least one dimension");
  if (desc.shape.back() == kBatch) refuse(what, desc, "its last dimension must not be the batch");
  return desc.shape.back();
}

TensorDesc checked_output(TensorDesc desc) {
  check_desc(desc, "the output");
  return desc;
}

}  // namespace fovea
