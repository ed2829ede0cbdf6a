// Weights in the forms that oneDNN's primitives ask for.
#pragma once

#include <memory>

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/backend/weight_store.h"
#include "engine/graph/graph.h"

namespace fovea::cpu {

/// Weights that a primitive is given; the step keeps them alive.
struct PackedArg {
  int name = 0;
  dnnl::memory::desc desc;
  std::shared_ptr<const std::byte> data;
};

/// How a weight lies in its Constant: the dimensions of oneDNN's weights, and elements between
/// neighbours along each.
struct StoredForm {
  dnnl::memory::dims dims;
  dnnl::memory::dims strides;
};

/// A Constant's elements in the form and type `wanted`, from the store, packed there once, straight
/// from where they lie. Large ones are packed piece by piece, and the pages of a mapped file given
/// back, so that they are never in memory twice.
[[nodiscard]] PackedArg pack(WeightStore& store,
                             const Constant& constant,
                             int name,
                             const StoredForm& stored,
                             const dnnl::memory::desc& wanted);

}  // namespace fovea::cpu
