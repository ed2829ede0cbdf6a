// Graph-to-graph rewrites.
#pragma once

#include <compare>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/precision.h>

#include "engine/graph/graph.h"
#include "engine/graph/target_traits.h"

namespace fovea {

/// One decision of a pass: what `--explain` prints.
struct Decision {
  std::string pass;
  std::string node;  ///< empty: the whole graph
  bool taken = false;
  std::string
      reason;  ///< of a refusal: the condition that failed; of a rewrite: what became of the node

  auto operator<=>(const Decision&) const = default;
};

/// All decisions of a compilation, in order.
class Report {
 public:
  void take(std::string_view pass, std::string_view node, std::string what);
  void refuse(std::string_view pass, std::string_view node, std::string condition);

  /// Appends the decisions that are not there yet: those of another batch size are mostly the same.
  void add_new(const Report& other);

  [[nodiscard]] std::span<const Decision> decisions() const { return decisions_; }

 private:
  std::vector<Decision> decisions_;
};

/// Told of the graph after each pass that changed it, by the pass's name.
using PassObserver = std::function<void(std::string_view pass, const Graph&)>;

struct PassContext {
  TargetTraits traits;
  Report report;
  PassObserver on_change{};                ///< may be empty
  Precision precision = Precision::kFp32;  ///< what the network is to be computed in
};

/// A rewrite keeps the meaning of the graph. Returns true when it changed something.
using PassFn = bool(Graph&, PassContext&);

struct Pass {
  std::string_view name;
  PassFn* run;
};

/// All passes in the order in which they run.
[[nodiscard]] std::span<const Pass> default_passes();

/// The pass of that name. Throws InvalidArgument, which lists all names, when there is none.
[[nodiscard]] const Pass& find_pass(std::string_view name);

/// default_passes() without those of these names. Throws InvalidArgument as find_pass does.
[[nodiscard]] std::vector<Pass> passes_without(std::span<const std::string> names);

/// Runs the passes once each, in order; in debug builds the graph is verified after each.
void run_passes(Graph& graph, std::span<const Pass> passes, PassContext& context);

}  // namespace fovea
