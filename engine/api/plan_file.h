// Plan files: the model inside, and what compiling it found out.
//
// The container's sections, in this order:
//   manifest, labels, graph    of a model package (package.h); labels where it has a file of them
//   weights                    weights.safetensors of the package; absent where they are shared
//   packed                     packed weights, each at a multiple of kPackedAlignment
//   choices                    tactics by operation signature (tactic_choices.h)
//   locks                      tactics of single nodes (locked_tactics_json); absent without any
//   state                      what steps saved for their backend (saved_state.h); absent where
//                              they saved nothing
//   record                     the steps, for people (plan_record.h)
//   compiled                   CompiledFacts
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/weight_store.h"
#include "engine/core/file.h"
#include "engine/importers/package.h"
#include "engine/plan/plan_io.h"
#include "engine/plan/tactic_options.h"

namespace fovea {

/// The section `compiled`: what a loader has to know.
struct CompiledFacts {
  std::string version;            ///< of the Fovea that wrote it
  std::string backend;            ///< Backend::name()
  std::string fingerprint;        ///< Backend::fingerprint()
  std::string convolution;        ///< CompileOptions::convolution
  std::string precision;          ///< CompileOptions::precision as text
  std::string disabled_passes{};  ///< PlanOptions::disabled_passes with commas between

  std::uint64_t weights_bytes = 0;  ///< of weights.safetensors
  std::string shared_xxh3;          ///< of it, where it is shared; empty: it is a section

  std::map<std::string, std::string> tensor_xxh3;  ///< of its tensors, by name

  /// A packed weight's place in the section `packed`.
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;

    bool operator==(const Place&) const = default;
  };

  std::map<std::string, Place> packed;  ///< by the WeightStore's key

  bool operator==(const CompiledFacts&) const = default;
};

[[nodiscard]] std::string to_json(const CompiledFacts& facts);

/// Inverse of to_json. Throws Error (plan/corrupt), also for a packed weight that does not lie
/// within `packed_bytes` bytes.
[[nodiscard]] CompiledFacts parse_compiled_facts(std::string_view json, std::uint64_t packed_bytes);

/// What an earlier compilation found out. Immutable and thread-safe.
struct Precompiled {
  std::string origin;  ///< the plan file, for messages
  CompiledFacts facts;
  Choices choices;
  LockedTactics locks;
  SavedState state;
  std::shared_ptr<const PackedWeights> packed;
};

/// The sections of a plan file that is mapped.
class PlanFile {
 public:
  /// Maps the file and checks all of it (read_plan, whose errors it throws, and io/read).
  explicit PlanFile(const std::filesystem::path& path);

  [[nodiscard]] const std::string& origin() const { return origin_; }

  [[nodiscard]] const std::shared_ptr<const MappedFile>& mapping() const { return mapping_; }

  [[nodiscard]] const std::vector<PlanSection>& sections() const { return sections_; }

  [[nodiscard]] bool has(std::string_view section) const;

  /// Throws plan/corrupt where there is none of that name.
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view section) const;
  [[nodiscard]] std::string_view text(std::string_view section) const;

  [[nodiscard]] CompiledFacts facts() const;
  [[nodiscard]] Manifest manifest() const;
  [[nodiscard]] LockedTactics locks() const;  ///< empty where there are none
  [[nodiscard]] SavedState state() const;     ///< likewise

  /// What `read` gives; what it refuses in its own terms becomes plan/corrupt and names the file
  /// and the section.
  template <typename Read>
  [[nodiscard]] auto parse(std::string_view section, const Read& read) const {
    try {
      return read(text(section));
    } catch (const Error& error) {
      rethrow(section, error);
    }
  }

 private:
  [[noreturn]] void rethrow(std::string_view section, const Error& error) const;

  std::string origin_;
  std::shared_ptr<const MappedFile> mapping_;
  std::vector<PlanSection> sections_;
};

/// Whether the file begins as a plan does, or is called one: a damaged beginning must be told.
[[nodiscard]] bool is_plan_file(const std::filesystem::path& path);

/// The model of a plan file. Its constants are views of the mapped file, known by their content.
struct OpenedPlan {
  Package package;
  std::shared_ptr<const Precompiled> precompiled;
};

/// Throws what PlanFile throws, plan/corrupt for content that does not fit together, and
/// weights/missing and weights/hash-mismatch for shared weights.
[[nodiscard]] OpenedPlan open_plan_file(const std::filesystem::path& path);

/// The tensors with identities that follow from these hashes. Throws plan/corrupt for a tensor
/// without one.
[[nodiscard]] NamedTensors identified(const NamedTensors& tensors,
                                      const std::map<std::string, std::string>& xxh3);

}  // namespace fovea
