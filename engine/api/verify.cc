// A backend against the operators' definitions.
#include <algorithm>
#include <utility>

#include <fovea/verify.h>

#include "engine/api/classify_graph.h"
#include "engine/api/compile.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/core/require.h"
#include "engine/graph/class_scores.h"
#include "engine/graph/random_inputs.h"
#include "engine/passes/bisect.h"
#include "engine/runtime/compare_steps.h"

namespace fovea {

namespace {

/// Of a step's result, by the type that it is rounded to: bf16 has 8 significant bits, f16 11.
double tolerance_of(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return 2e-2;
    case Precision::kFp16:
      return 2.5e-3;
    default:
      return 1e-4;
  }
}

/// Errors of many layers add up.
constexpr double kOutputFactor = 10;

constexpr std::int64_t kMostPictures = 1024;

TensorDifference output_difference(const Graph& graph,
                                   std::size_t output,
                                   const TensorBytes& defined,
                                   const TensorBytes& computed) {
  const TensorDesc& desc = graph.desc(graph.outputs()[output].value);
  return difference({&desc, defined.data()}, {&desc, computed.data()});
}

/// Index of the largest score of every row of the first output: of a classifier, its first index.
std::vector<std::int64_t> best_classes(const Graph& graph,
                                       const std::vector<TensorBytes>& outputs) {
  const TensorDesc& desc = graph.desc(graph.outputs()[0].value);
  std::vector<std::int64_t> best;
  const std::optional<std::int64_t> classes = number_of_classes(desc);
  if (!classes) return best;
  const auto columns = static_cast<std::size_t>(*classes);
  if (graph.node(graph.outputs()[0].value).as<TopK>() != nullptr) {
    const Value wanted{graph.outputs()[0].value.node, 1};
    if (outputs.size() < 2 || graph.outputs()[1].value != wanted) return best;
    const auto* indices = reinterpret_cast<const std::int32_t*>(outputs[1].data());
    for (std::int64_t row = 0; row < desc.shape[0]; ++row, indices += columns)
      best.push_back(*indices);
    return best;
  }
  const auto* scores = reinterpret_cast<const float*>(outputs[0].data());
  for (std::int64_t row = 0; row < desc.shape[0]; ++row, scores += columns) {
    best.push_back(std::max_element(scores, scores + columns) - scores);
  }
  return best;
}

std::optional<double> agreement(const std::vector<std::int64_t>& a,
                                const std::vector<std::int64_t>& b) {
  if (a.empty()) return std::nullopt;
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

LayerDifference layer(std::string name,
                      std::string_view op,
                      std::string tactic,
                      const TensorDifference& difference,
                      double tolerance) {
  return {.name = std::move(name),
          .op = std::string(op),
          .tactic = std::move(tactic),
          .max_abs = difference.max_abs,
          .max_rel = difference.max_rel,
          .cosine = difference.cosine,
          .ok = difference.max_rel <= tolerance};
}

void conclude(Verification& result) {
  const auto failed = [](const LayerDifference& layer) { return !layer.ok; };
  const auto worst = std::ranges::max_element(result.layers, {}, &LayerDifference::max_rel);
  if (worst != result.layers.end()) result.worst = worst->name;
  for (const auto* list : {&result.layers, &result.outputs}) {
    const auto found = std::ranges::find_if(*list, failed);
    if (found != list->end() && result.first_failed.empty()) result.first_failed = found->name;
  }
  result.ok = result.first_failed.empty();
}

}  // namespace

Verification verify(const Model& model, const VerifyOptions& options) {
  if (options.pictures < 1 || options.pictures > kMostPictures) {
    throw InvalidArgument(
        cat("1 to ", kMostPictures, " pictures can be compared, not ", options.pictures));
  }
  require(options.tolerance >= 0, "a tolerance cannot be negative");
  const Graph served = served_graph(model);
  CompileOptions compile = options.compile;
  compile.buckets = {options.pictures};
  compile.taps.clear();
  const auto plan = compile_graph(served, compile, ModelGraphAccess::precompiled(model.graph()));
  const BucketPlan& bucket = plan->buckets.back();
  const Graph described = with_batch(served, bucket.batch);
  const std::vector<TensorBytes> inputs = random_inputs(described, options.seed);

  Verification result;
  result.model = model.name();
  result.backend = plan->backend->name();
  result.notices = plan->tactics.notices;
  result.precision = to_string(plan->precision);
  result.tolerance = options.tolerance > 0 ? options.tolerance : tolerance_of(plan->precision);
  const auto computed = compare_steps(
      plan, bucket, inputs, [&](const PlannedStep& step, const TensorDifference& difference) {
        result.layers.push_back(layer(step.name,
                                      op_name(plan->graph.node(step.node).op),
                                      step.tactic,
                                      difference,
                                      result.tolerance));
        if (options.on_layer) options.on_layer(result.layers.back());
      });

  const std::vector<TensorBytes> defined = evaluate_graph(described, inputs);
  result.output_tolerance = kOutputFactor * result.tolerance;
  for (std::size_t i = 0; i < defined.size(); ++i) {
    const GraphOutput& output = described.outputs()[i];
    if (described.desc(output.value).dtype != DType::kFloat32) continue;
    const TensorDifference apart = output_difference(described, i, defined[i], computed[i]);
    result.outputs.push_back(layer(
        output.name, op_name(described.node(output.value).op), {}, apart, result.output_tolerance));
  }
  result.top1_agreement =
      agreement(best_classes(described, defined), best_classes(described, computed));
  conclude(result);
  if (options.bisect_passes) {
    result.failed_pass = first_differing_pass({.graph = served,
                                               .traits = plan->backend->traits(),
                                               .precision = plan->precision,
                                               .batch = bucket.batch,
                                               .inputs = inputs,
                                               .tolerance = result.output_tolerance},
                                              passes_without(disabled_passes()));
    result.ok = result.ok && result.failed_pass.empty();
  }
  return result;
}

}  // namespace fovea
