// Compiled networks as files.
//
// A plan file is data: the whole model (network, weights, labels, preprocessing) and what compiling
// it found out (tactics, weights in the form that steps read them, the steps for people to look
// at). open_model opens it as any other model file. Where it is used with the backend, CPU and
// libraries that it was made for, what was found out is taken over; elsewhere the model inside is
// compiled without it, and one of Plan::notices() says so. What was locked or forced for single
// nodes holds everywhere where the backend offers it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fovea/model.h>
#include <fovea/options.h>
#include <fovea/plan.h>

namespace fovea {

/// How a plan is written.
struct PlanFileOptions {
  /// Put the model's weights into the cache ($FOVEA_HOME/tensors), under a hash of them, and into
  /// the file only that hash: many plans of one model then share them. Such a file is only of use
  /// where the cache is.
  bool shared_weights = false;
};

/// What save_plan did.
struct SavedPlan {
  std::shared_ptr<const Plan> plan;  ///< the one in the file
  std::uint64_t file_bytes = 0;
  double model_s = 0;    ///< to write the model and its weights
  double compile_s = 0;  ///< to compile it and pack the weights
  double write_s = 0;    ///< to write the packed weights and the rest, and to wait for the disk
};

/// Compiles the model as a classifier would (a model without a contract as compile() does) and
/// writes it with everything found out into a plan file. The file appears when it is complete; the
/// same model, options, machine and, where tactics are measured, timing cache give the same bytes.
/// `options.taps` must be empty.
///
/// Throws Error: what compile throws; io/write, io/no-space. Thread-safe, also between processes:
/// of several that write one file the last one wins.
[[nodiscard]] SavedPlan save_plan(const Model& model,
                                  std::string_view file,
                                  const CompileOptions& options = {},
                                  const PlanFileOptions& file_options = {});

/// One step of a plan, as it was lowered.
struct StepInfo {
  std::string name;          ///< of the node, or of the value whose layout it changes
  std::string tactic;        ///< stable name
  std::string output;        ///< what it writes, such as "f32[1,56,56,64]"
  std::string layout;        ///< and how that lies
  std::uint64_t offset = 0;  ///< bytes from the arena's start
  std::uint64_t bytes = 0;   ///< of the buffer

  bool operator==(const StepInfo&) const = default;
};

/// The steps for one batch size.
struct BucketInfo {
  std::int64_t batch = 0;
  std::uint64_t arena_bytes = 0;
  std::uint64_t lower_bound_bytes = 0;  ///< of the arena: the largest set of live buffers
  std::uint64_t workspace_bytes = 0;    ///< beside the arena
  std::vector<StepInfo> steps;

  bool operator==(const BucketInfo&) const = default;
};

/// The weights of a plan or package as its model has them.
struct StoredWeightsInfo {
  std::string place;  ///< "file", or "cache": $FOVEA_HOME/tensors
  std::uint64_t bytes = 0;
  std::string sha256;  ///< of weights.safetensors, wherever it lies; empty where it is absent
};

/// What only a plan has.
struct CompiledInfo {
  std::uint32_t format = 0;  ///< of the file
  std::string version;       ///< of the Fovea that compiled it
  std::string backend;       ///< its name
  std::string fingerprint;   ///< the device and library versions that the tactics are for
  std::vector<std::pair<std::string, std::string>> options;  ///< as given, by name
  std::vector<BucketInfo> buckets;
  std::size_t packed_weights = 0;                            ///< how many
  std::uint64_t packed_bytes = 0;                            ///< of all of them
  std::vector<std::pair<std::string, std::string>> tactics;  ///< chosen ones by operation signature

  /// What was forced or locked for one node.
  struct Lock {
    std::string node;
    std::int64_t batch = 0;  ///< 0: every batch size that has no lock of its own
    std::string tactic;
  };

  std::vector<Lock> locks;

  struct Section {
    std::string name;
    std::uint64_t bytes = 0;
    std::string xxh3;  ///< 32 digits
  };

  std::vector<Section> sections;
};

/// What is in a plan or package.
struct FileInfo {
  std::string model;        ///< its name
  std::string description;  ///< one line; may be empty
  std::string source;  ///< the foreign file that it was imported from, and its SHA-256; or empty
  std::uint64_t file_bytes = 0;  ///< of a package those of its files together
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::optional<PreprocessSpec> preprocessing;
  std::string labels;  ///< the name of a built-in set or of a file inside; empty: none
  StoredWeightsInfo weights;
  std::optional<CompiledInfo> compiled;  ///< nothing for a package
};

/// Looks into a plan file or a model package, all of which is checked, and compiles nothing.
///
/// Throws Error: model/not-found, model/unsupported-format for another file; plan/corrupt,
/// plan/version, model/corrupt, io/read. Thread-safe.
[[nodiscard]] FileInfo inspect_file(std::string_view file);

}  // namespace fovea
