// Comparing what a backend computes with the operators' definitions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fovea/model.h>
#include <fovea/options.h>

namespace fovea {

/// How far a value of the plan is from its definition.
struct LayerDifference {
  std::string name;    ///< of the node, or of the network's output
  std::string op;      ///< its operator, "Conv2d"
  std::string tactic;  ///< what the plan computes it with
  double max_abs = 0;  ///< largest difference of an element; infinity where one side is no number
  double max_rel = 0;  ///< max_abs over the largest magnitude that the definition gives
  double cosine = 1;   ///< of the two tensors as vectors
  bool ok = true;      ///< max_rel is within the tolerance
};

struct Verification {
  std::string model;
  std::string backend;
  std::string precision;
  double tolerance = 0;              ///< for max_rel
  std::vector<std::string> notices;  ///< of the compilation, as Plan::notices()

  /// Each step of the plan against its operator's definition on the plan's own inputs of that step,
  /// so that an error shows where it is made and nowhere else.
  std::vector<LayerDifference> layers;

  /// The plan's outputs against the network as it was described, by the operators' definitions:
  /// the errors of all layers and of the compiler's rewrites together.
  std::vector<LayerDifference> outputs;
  double output_tolerance = 0;  ///< for their max_rel: ten times the other, as errors add up

  /// Share of the pictures whose largest first-output element is the same; nothing where the
  /// network gives no row of scores.
  std::optional<double> top1_agreement;

  std::string worst;         ///< the layer with the largest max_rel
  std::string first_failed;  ///< the first layer, else output, over the tolerance; empty where ok
  std::string failed_pass;   ///< with bisect_passes: the rewrite that changes the outputs, or empty
  bool ok = true;
};

struct VerifyOptions {
  CompileOptions compile{};   ///< its buckets, batch and taps are ignored
  std::int64_t pictures = 1;  ///< >= 1, computed as one batch
  std::uint64_t seed = 1;     ///< of the pseudo-random inputs
  double tolerance =
      0;  ///< for LayerDifference::max_rel; 0: 1e-4 for fp32, 2e-2 for bf16, 2.5e-3 for fp16
  bool bisect_passes = false;  ///< look for the rewrite that changes the outputs

  /// Told of every layer when it is compared; may be empty.
  std::function<void(const LayerDifference&)> on_layer{};
};

/// Compiles the network as it is served, runs it on pseudo-random inputs and compares every step's
/// result with the operator's definition, evaluated in double precision. Slow: the definitions take
/// seconds for a large network.
///
/// Throws what compile() throws, and argument/invalid for options out of range. Thread-safe.
[[nodiscard]] Verification verify(const Model& model, const VerifyOptions& options = {});

}  // namespace fovea
