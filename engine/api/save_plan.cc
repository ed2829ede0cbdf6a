// Writing plan files.
#include <algorithm>
#include <chrono>
#include <utility>

#include <fovea/plan_file.h>
#include <fovea/version.h>

#include "engine/api/classify_graph.h"
#include "engine/api/compile.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/api/model_package.h"
#include "engine/api/plan_record.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"
#include "engine/core/stage_clock.h"
#include "engine/graph/graph_io.h"
#include "engine/importers/shared_tensors.h"
#include "engine/plan/saved_state.h"

namespace fovea {

namespace {

/// Writes the model's parts and gives its network back, whose weights lie in the plan file from now
/// on, or in the cache: packing them from there costs no memory of their own, and they are known by
/// their content.
Graph write_model(PlanWriter& writer,
                  const Package& package,
                  const PlanFileOptions& options,
                  CompiledFacts& facts) {
  writer.start("manifest");
  writer.write(to_json(package.manifest));
  if (has_label_file(package.manifest)) {
    writer.start("labels");
    writer.write(package.labels);
  }
  writer.start("graph");
  const std::string graph = graph_json(package.graph);
  writer.write(graph);

  NamedTensors stored;
  const NamedTensors tensors = constant_tensors(package.graph);
  if (options.shared_weights) {
    const SharedFile shared = share_tensors(tensors);
    facts.shared_xxh3 = shared.xxh3;
    facts.weights_bytes = shared.bytes;
    stored = parse_safetensors(open_shared_tensors(shared, package.manifest.name));
  } else {
    writer.start("weights");
    write_safetensors(tensors, [&](std::span<const std::byte> bytes) { writer.write(bytes); });
    facts.weights_bytes = writer.section_bytes();
    const PlanWriter::Written written = writer.map();
    stored = parse_safetensors(written.section, written.file);
  }
  for (const auto& [name, tensor] : stored) {
    const PinnedBytes bytes = tensor.second->read();
    facts.tensor_xxh3[name] = xxh3_128({bytes.data(), bytes.size()});
  }
  return parse_graph(graph, identified(stored, facts.tensor_xxh3));
}

void write_packed(PlanWriter& writer, const WeightStore& weights, CompiledFacts& facts) {
  writer.start("packed");
  weights.for_each([&](const std::string& key, std::span<const std::byte> bytes) {
    writer.align(kPackedAlignment);
    facts.packed[key] = {.offset = writer.section_bytes(), .bytes = bytes.size()};
    writer.write(bytes);
  });
}

/// How a classifier compiles for many pictures: a context for every thread, each on its own. What
/// is left of the time for tuning is its. What is said of single nodes was checked for the plan
/// itself, and may name tactics that one thread does not have.
PlanOptions one_of_many(PlanOptions plan, const ExecutionPlan& compiled) {
  constexpr double kLeastSeconds = 0.1;
  const TuningSummary& tuning = compiled.tactics.tuning;
  plan.threads = 1;
  plan.buckets = {1};
  plan.tactics.planned_locks = all_locks(plan.tactics);
  plan.tactics.locked.clear();
  plan.tactics.forced.clear();
  plan.tactics.tuning_seconds = std::max(tuning.limit_seconds - tuning.seconds, kLeastSeconds);
  return plan;
}

/// The plan, which also tells of those tactics.
std::shared_ptr<const ExecutionPlan> with_tactics(const ExecutionPlan& plan,
                                                  const TacticRecord& more) {
  auto both = std::make_shared<ExecutionPlan>(plan);
  append(both->tactics, more);
  return both;
}

/// Without the times, which differ from one measurement to the next.
Choices names_of(Choices choices) {
  for (auto& [signature, choice] : choices) choice.microseconds = 0;
  return choices;
}

}  // namespace

SavedPlan save_plan(const Model& model,
                    std::string_view file,
                    const CompileOptions& options,
                    const PlanFileOptions& file_options) {
  require(options.taps.empty(), "a plan file has no taps; tap the model in it when it is run");
  const Precompiled* before = ModelGraphAccess::precompiled(model.graph());
  const auto backend = backend_for(options.backend, before, options.device);
  PlanOptions plan = plan_options(options, *backend, before);
  const Package package = package_of(model);

  SavedPlan saved;
  StageClock clock;
  PlanWriter writer{std::filesystem::path(file)};
  CompiledFacts facts;
  facts.version = version();
  facts.backend = backend->name();
  facts.fingerprint = backend->fingerprint();
  facts.convolution = plan.exact_convolutions ? "direct" : "auto";
  facts.precision = to_string(plan.precision);
  facts.disabled_passes = joined(plan.disabled_passes, ",");
  const Graph network = write_model(writer, package, file_options, facts);
  clock.end_of(saved.model_s);

  WeightStore weights(*backend, take_over(before, *backend, options.backend, plan));
  const Graph deployed = deployed_graph(model.impl(), network);
  auto compiled = compile_and_dump(deployed, backend, plan, weights);
  SavedState state;
  save_steps(*compiled, state);
  if (plan.threads > 1) {
    const PlanOptions alone = one_of_many(plan, *compiled);
    const auto single = compile_and_dump(deployed, backend, alone, weights);
    save_steps(*single, state);
    compiled = with_tactics(*compiled, single->tactics);
  }
  clock.end_of(saved.compile_s);

  write_packed(writer, weights, facts);
  writer.start("choices");
  writer.write(choices_json(names_of(choices_of(compiled->tactics))));
  const LockedTactics locks = all_locks(plan.tactics);
  if (!locks.empty()) {
    writer.start("locks");
    writer.write(locked_tactics_json(locks));
  }
  if (!state.empty()) {
    writer.start("state");
    writer.write(to_bytes(state));
  }
  writer.start("record");
  PlanRecord record = record_of(*compiled);
  record.options = {{"buckets", joined(plan.buckets, ",")},
                    {"threads", std::to_string(plan.threads)},
                    {"convolution", facts.convolution},
                    {"precision", facts.precision},
                    {"tuning", options.tuning}};
  if (!facts.disabled_passes.empty()) {
    record.options.emplace_back("disabled_passes", facts.disabled_passes);
  }
  writer.write(to_json(record));
  writer.start("compiled");
  writer.write(to_json(facts));
  saved.file_bytes = writer.commit();
  clock.end_of(saved.write_s);
  saved.plan = std::make_shared<const Plan>(compiled);
  return saved;
}

}  // namespace fovea
