// What this installation has and what works in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/precision.h>

namespace fovea {

/// A library, ours first, and its version as its makers write it.
struct LibraryVersion {
  std::string name;  ///< "fovea", "commit", "onednn"
  std::string version;
};

/// Of the libraries that compute. Thread-safe.
[[nodiscard]] std::vector<LibraryVersion> library_versions();

/// What the processor calls itself; "unknown" where the system does not tell. Thread-safe.
[[nodiscard]] std::string processor_name();

/// What speaks against that precision on that backend ("auto" too) of this machine, in one
/// sentence; empty where nothing does. Thread-safe.
[[nodiscard]] std::string precision_note(std::string_view backend, Precision precision);

enum class CheckStatus : std::uint8_t {
  kOk,       ///< works
  kNote,     ///< something optional is missing, or is worth knowing
  kProblem,  ///< something does not work that belongs to the product
};

/// "ok", "note" or "problem".
[[nodiscard]] std::string_view to_string(CheckStatus status);

/// One thing that was looked at.
struct Check {
  std::string area;  ///< "cpu", "gpu", "memory", "files" or "environment"
  std::string name;  ///< unique within its area
  CheckStatus status = CheckStatus::kOk;
  std::string detail{};  ///< what was found, in one line
  std::string fix{};     ///< what to do about it; empty where there is nothing to do
};

/// Looks at the processor, the GPU, memory, the library's helper programs and folders, and computes
/// a small network on every fast backend to compare it with the reference. Takes some tenths of a
/// second. What fails is a Check, never an exception. Thread-safe.
[[nodiscard]] std::vector<Check> diagnose();

}  // namespace fovea
