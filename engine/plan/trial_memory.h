// Scratch memory for the trials of one site, with inputs in it and the results that they must give.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/graph/sample.h"
#include "engine/plan/trial.h"

namespace fovea {

/// Whether inputs can be made up for the site: all that are no Constants hold floats or bytes.
[[nodiscard]] bool has_random_inputs(const OpSite& site);

/// Blocks of memory, each with the same pseudo-random inputs: trials that take turns on them find
/// theirs in no near cache, as in a network. One thread; everything refers to the arguments of the
/// constructor.
class TrialMemory {
 public:
  /// Throws DeviceError where there is too little memory.
  ///
  /// block_bytes, workspace_bytes   the most that a trial needs
  TrialMemory(const Backend& backend,
              const OpSite& site,
              const TrialInputs& inputs,
              std::size_t block_bytes,
              std::size_t workspace_bytes,
              Stream& stream);

  [[nodiscard]] std::size_t blocks() const { return blocks_; }

  [[nodiscard]] std::byte* block(std::size_t i) const { return memory_.get() + i * block_bytes_; }

  [[nodiscard]] std::byte* workspace() const { return memory_.get() + blocks_ * block_bytes_; }

  /// Runs the trial once on inputs as they were. Empty where its results agree with the reference,
  /// of the weights as they are or as the backend rounds them (Backend::rounded_weights), else what
  /// is wrong. Throws what the trial throws.
  [[nodiscard]] std::string check(const Trial& trial);

 private:
  void fill(std::size_t input, std::span<const std::byte> pattern);
  void repeat(std::byte* to, std::span<const std::byte> pattern, std::size_t bytes);
  [[nodiscard]] std::vector<std::byte> samples_of(const Trial& trial);
  [[nodiscard]] std::string difference(std::span<const ElementSample> expected,
                                       std::span<const std::byte> elements) const;

  /// What every block is before a check, and never written by a trial.
  [[nodiscard]] std::byte* untouched() const {
    return memory_.get() + blocks_ * block_bytes_ + workspace_bytes_;
  }

  const Backend& backend_;
  const OpSite& site_;
  const TrialInputs& inputs_;
  Stream& stream_;
  std::vector<ElementSample> expected_;
  /// For weights as the backend rounds them; nothing until they are asked for.
  std::optional<std::vector<std::vector<ElementSample>>> rounded_;
  std::size_t block_bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
  std::size_t blocks_ = 1;
  std::shared_ptr<std::byte> memory_;
};

}  // namespace fovea
