// What the compiler does to a network, as files: $FOVEA_DUMP_DIR.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// One compilation's files, in a folder of their own under $FOVEA_DUMP_DIR: "<n>/00-described.dot",
/// one numbered .dot of the graph for each pass that changes it, and plan.txt, with every step's
/// tactic and place in the arena. n counts from 1; folders that are there are left alone. Does
/// nothing where the variable is not set. Throws io/write, io/no-space.
class CompilerDump {
 public:
  explicit CompilerDump(const Graph& described);

  /// For PlanOptions::on_pass; empty where nothing is dumped. The dump must outlive it.
  [[nodiscard]] PassObserver observer();

  void write(const ExecutionPlan& plan) const;

 private:
  void write_graph(std::string_view name, const Graph& graph);

  std::optional<std::filesystem::path> folder_;
  int graphs_ = 0;
};

}  // namespace fovea
