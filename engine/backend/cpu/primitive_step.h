// A step that executes one oneDNN primitive.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// A tensor that a primitive is given: oneDNN's name for it and its memory description.
struct PrimitiveArg {
  int name = 0;
  dnnl::memory::desc desc;
};

/// Weights that a primitive is given; the step keeps them alive.
struct PackedArg {
  int name = 0;
  dnnl::memory::desc desc;
  std::shared_ptr<const std::byte> data;
};

/// What a PrimitiveStep is made of. Filled member by member: GCC 12 takes a half-made aggregate of
/// oneDNN 3's handles for an uninitialised one.
struct PrimitiveSpec {
  dnnl::primitive primitive;
  PrimitiveArg source;       ///< node input 0
  PrimitiveArg destination;  ///< node output 0
  std::vector<PackedArg> weights;
  dnnl::memory::desc scratchpad;
  int residual_input = -1;  ///< node input that a sum post-operation expects in the destination
};

/// Throws DeviceError where oneDNN fails.
[[nodiscard]] std::unique_ptr<Step> make_primitive_step(PrimitiveSpec spec);

/// Attributes of every primitive: scratch memory comes from the arena.
[[nodiscard]] dnnl::primitive_attr base_attributes();

/// A Constant's floats in the form `wanted`, from the store, packed there once.
[[nodiscard]] PackedArg pack(WeightStore& store,
                             const Constant& constant,
                             int name,
                             const dnnl::memory::desc& present,
                             const dnnl::memory::desc& wanted);

}  // namespace fovea::cpu
