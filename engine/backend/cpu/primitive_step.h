// A step that executes one oneDNN primitive.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/backend/backend.h"
#include "engine/backend/cpu/pack_weights.h"

namespace fovea::cpu {

/// A tensor that a primitive is given: oneDNN's name for it and its memory description.
struct PrimitiveArg {
  int name = 0;
  dnnl::memory::desc desc;
};

/// What a PrimitiveStep is made of. Filled member by member: GCC 12 takes a half-made aggregate of
/// oneDNN 3's handles for an uninitialised one.
struct PrimitiveSpec {
  dnnl::primitive primitive;
  PrimitiveArg source;       ///< node input 0
  PrimitiveArg destination;  ///< node output 0
  std::vector<PackedArg> weights;
  dnnl::memory::desc scratchpad;
  PrimitiveArg second{};    ///< node input 1, where it has a name
  int residual_input = -1;  ///< node input that a sum post-operation expects in the destination
};

/// Throws DeviceError where oneDNN fails.
[[nodiscard]] std::unique_ptr<Step> make_primitive_step(PrimitiveSpec spec);

/// Attributes of every primitive: scratch memory comes from the arena.
[[nodiscard]] dnnl::primitive_attr base_attributes();

}  // namespace fovea::cpu
