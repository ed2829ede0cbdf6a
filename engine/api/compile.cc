// The public compiler over the internal one.
#include "engine/api/compile.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fovea/compiler.h>

#include "engine/api/backends.h"
#include "engine/api/compiler_dump.h"
#include "engine/api/model_graph.h"
#include "engine/api/tactic_settings.h"
#include "engine/core/env.h"
#include "engine/core/joined.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// Whether each node depends on no input. Nodes come after those they depend on.
std::vector<bool> constant_nodes(const Graph& graph) {
  std::vector<bool> constant;
  constant.reserve(graph.nodes().size());
  for (const Node& node : graph.nodes()) {
    const bool known = std::ranges::all_of(node.inputs, [&](const Value& input) {
      return constant[static_cast<std::size_t>(input.node)];
    });
    constant.push_back(known && node.as<Input>() == nullptr);
  }
  return constant;
}

/// The graph with the values of these names as further outputs.
Graph with_taps(const Graph& graph, const std::vector<std::string>& taps) {
  Graph tapped = graph;
  const std::vector<bool> constant = constant_nodes(graph);
  const auto is_constant = [&](NodeId id) { return constant[static_cast<std::size_t>(id)]; };
  std::set<std::string, std::less<>> names;
  for (const GraphOutput& output : graph.outputs()) names.insert(output.name);
  const auto tap = [&](NodeId id) {
    if (names.insert(graph.node(id).name).second) tapped.mark_output({id, 0});
  };
  for (const std::string& name : taps) {
    if (name == "all") {
      for (NodeId id = 0; id < graph.size(); ++id) {
        if (!is_constant(id)) tap(id);
      }
      continue;
    }
    const NodeId id = graph.find(name);
    if (id < 0) throw InvalidArgument(cat("the network has no value called '", name, "'"));
    if (is_constant(id)) throw InvalidArgument(cat("'", name, "' is a weight, not a value"));
    tap(id);
  }
  return tapped;
}

std::vector<std::int64_t> buckets_of(const CompileOptions& options) {
  if (!options.buckets.empty()) return options.buckets;
  std::vector<std::int64_t> buckets;
  for (const std::int64_t size : {1, 8, 32}) {
    if (size < options.batch) buckets.push_back(size);
  }
  buckets.push_back(options.batch);
  return buckets;
}

/// Tells of locks that are for other batch sizes alone.
std::vector<std::string> lock_notices(const LockedTactics& locked,
                                      const std::vector<std::int64_t>& buckets) {
  std::vector<std::string> notices;
  for (const auto& lock : locked) {
    const auto applies = [&](std::int64_t bucket) { return lock.second.contains(bucket); };
    if (applies(kEveryBatch) || std::ranges::any_of(buckets, applies)) continue;
    notices.push_back(cat("the lock of node '",
                          printable(lock.first),
                          "' is not for a batch size that is compiled; \"*\" stands for all"));
  }
  return notices;
}

/// "all passes", or which are left out.
std::string passes_text(const std::string& disabled) {
  return disabled.empty() ? "all passes" : cat("all passes but ", printable(disabled));
}

}  // namespace

std::vector<std::string> disabled_passes() {
  std::vector<std::string> names;
  std::istringstream list(env::get(env::kDisablePasses).value_or(""));
  for (std::string name; std::getline(list, name, ',');) {
    const std::size_t begin = std::min(name.find_first_not_of(' '), name.size());
    names.push_back(name.substr(begin, name.find_last_not_of(' ') + 1 - begin));
    if (names.back() == "place" || names.back() == "in-place") {
      throw InvalidArgument(cat(env::kDisablePasses.name,
                                ": '",
                                names.back(),
                                "' is how values get their places in memory; it is no pass and "
                                "cannot be left out"));
    }
  }
  try {
    (void)passes_without(names);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(cat(env::kDisablePasses.name, ": ", error.what()));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

bool exact_convolutions(const std::string& convolution) {
  if (convolution != "auto" && convolution != "direct") {
    throw InvalidArgument(
        cat("no way to convolve is called '", convolution, "'; use auto or direct"));
  }
  return convolution == "direct";
}

std::string backend_name_for(const std::string& name, const Precompiled* precompiled) {
  if (precompiled == nullptr || name != "auto") return name;
  const std::string& before = precompiled->facts.backend;
  try {
    return device_count(before) > 0 ? before : name;
  } catch (const Error&) {
    return name;  // this build has no such backend; differences() tells
  }
}

std::shared_ptr<const Backend> backend_for(const std::string& name,
                                           const Precompiled* precompiled,
                                           int device) {
  return make_backend(backend_name_for(name, precompiled), device);
}

Precision default_precision(const Precompiled* precompiled, const Backend& backend) {
  if (precompiled == nullptr) return Precision::kFp32;
  const Precision before = parse_precision(precompiled->facts.precision);
  return backend.traits().computes_in(before) ? before : Precision::kFp32;
}

PlanOptions plan_options(const CompileOptions& options,
                         const Backend& backend,
                         const Precompiled* precompiled) {
  const std::vector<std::int64_t> buckets = buckets_of(options);
  for (const std::int64_t bucket : buckets) {
    if (bucket < 1 || bucket > kLargestBatch) {
      throw InvalidArgument(cat("a batch size is 1 to ", kLargestBatch, ", not ", bucket));
    }
  }
  const int threads = checked_threads(options.threads);
  const bool as_before = precompiled != nullptr && options.convolution == "auto";
  TacticOptions tactics = tactic_options(options);
  std::vector<std::string> notices = lock_notices(tactics.locked, buckets);
  return {
      .buckets = buckets,
      .threads = backend.on_host() ? threads : 1,
      .exact_convolutions =
          exact_convolutions(as_before ? precompiled->facts.convolution : options.convolution),
      .precision = options.precision ? *options.precision : default_precision(precompiled, backend),
      .tactics = std::move(tactics),
      .notices = std::move(notices),
      .on_pass = {},
      .disabled_passes = disabled_passes()};
}

std::shared_ptr<const PackedWeights> take_over(const Precompiled* precompiled,
                                               const Backend& backend,
                                               const std::string& asked_for,
                                               PlanOptions& settings) {
  if (precompiled == nullptr) return nullptr;
  const CompiledFacts& facts = precompiled->facts;
  const bool same_backend = facts.backend == backend.name();
  if (!same_backend && asked_for != "auto") return nullptr;
  if (same_backend) settings.tactics.planned_locks = precompiled->locks;
  if (!backend.traits().computes_in(parse_precision(facts.precision))) {
    settings.notices.push_back(cat(printable(precompiled->origin),
                                   " was compiled in ",
                                   facts.precision,
                                   ", which ",
                                   backend.name(),
                                   " does not compute in here; its model is computed in ",
                                   to_string(settings.precision)));
  }
  if (facts.fingerprint != backend.fingerprint()) return nullptr;
  // Whoever measures wants to know what is fastest now.
  if (settings.tactics.tuning == Tuning::kOff) {
    settings.tactics.choices = precompiled->choices;
    // Whoever names tactics wants to choose among all.
    const bool named = !settings.tactics.forced.empty() || !settings.tactics.locked.empty();
    if (!named) backend.restore(precompiled->state);
  }
  return precompiled->packed;
}

std::vector<std::string> differences(const Precompiled* precompiled,
                                     const Backend& backend,
                                     const std::string& asked_for,
                                     const PlanOptions& settings) {
  if (precompiled == nullptr) return {};
  const CompiledFacts& facts = precompiled->facts;
  if (facts.backend != backend.name() && asked_for != "auto") return {};
  const std::string origin = printable(precompiled->origin);
  if (facts.fingerprint != backend.fingerprint()) {
    return {cat(origin,
                " was compiled for another machine or library, and its model is compiled for this "
                "one now, which takes longer: fovea compile ",
                origin,
                " --output FILE does it once. It is for (",
                printable(facts.fingerprint),
                "), this is (",
                backend.fingerprint(),
                ")")};
  }
  const std::string disabled = joined(settings.disabled_passes, ",");
  if (facts.disabled_passes == disabled) return {};
  return {cat(origin,
              " was compiled with ",
              passes_text(facts.disabled_passes),
              " and is used with ",
              passes_text(disabled),
              " (FOVEA_DISABLE_PASSES), so its steps are others")};
}

std::shared_ptr<const ExecutionPlan> compile_and_dump(const Graph& graph,
                                                      std::shared_ptr<const Backend> backend,
                                                      PlanOptions settings,
                                                      WeightStore& weights) {
  CompilerDump dump(graph, *backend, settings);
  settings.on_pass = dump.observer();
  auto plan = compile_plan(graph, std::move(backend), settings, weights);
  dump.write(*plan);
  return plan;
}

std::shared_ptr<const ExecutionPlan> compile_graph(const Graph& graph,
                                                   const CompileOptions& options,
                                                   std::shared_ptr<const Backend> backend,
                                                   const Precompiled* precompiled) {
  PlanOptions settings = plan_options(options, *backend, precompiled);
  for (std::string& notice : differences(precompiled, *backend, options.backend, settings)) {
    settings.notices.push_back(std::move(notice));
  }
  WeightStore weights(*backend, take_over(precompiled, *backend, options.backend, settings));
  return compile_and_dump(
      with_taps(graph, options.taps), std::move(backend), std::move(settings), weights);
}

std::shared_ptr<const ExecutionPlan> compile_graph(const Graph& graph,
                                                   const CompileOptions& options,
                                                   const Precompiled* precompiled) {
  return compile_graph(
      graph, options, backend_for(options.backend, precompiled, options.device), precompiled);
}

std::shared_ptr<const Plan> compile(const ModelGraph& graph, const CompileOptions& options) {
  return std::make_shared<const Plan>(
      compile_graph(ModelGraphAccess::graph(graph), options, ModelGraphAccess::precompiled(graph)));
}

}  // namespace fovea
