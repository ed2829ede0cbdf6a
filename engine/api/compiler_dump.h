// What the compiler does to a network, as files: $FOVEA_DUMP_DIR.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// One compilation's files, in a folder of their own under $FOVEA_DUMP_DIR, "<n>/":
///
///   about.txt          what is compiled: backend, threads, batch sizes and the other options. One
///                      command may compile twice: for all threads, which share a run, and for one
///                      thread, of which each has a run of its own (pictures of a folder)
///   00-described.dot   the graph as it came
///   NN-PASS.dot        the graph behind each pass that changed it, NN counts on
///   plan.txt           every step's tactic and place in the arena; absent where it failed
///
/// n counts from 1; folders that are there are left alone. Does nothing where the variable is not
/// set. Throws io/write, io/no-space.
class CompilerDump {
 public:
  CompilerDump(const Graph& described, const Backend& backend, const PlanOptions& options);

  /// For PlanOptions::on_pass; empty where nothing is dumped. The dump must outlive it.
  [[nodiscard]] PassObserver observer();

  void write(const ExecutionPlan& plan) const;

 private:
  void write_graph(std::string_view name, const Graph& graph);

  std::optional<std::filesystem::path> folder_;
  int graphs_ = 0;
};

}  // namespace fovea
