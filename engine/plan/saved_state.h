// What steps saved, as bytes: a section of plan files.
//
// An entry a key, in the order of the keys, each the sizes of key and text as u32, then both. Texts
// are of the backend's, which alone reads them: compiled kernels may be among them, so they are
// neither escaped nor looked at.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "engine/backend/backend.h"

namespace fovea {

struct ExecutionPlan;

/// Throws InvalidArgument for a key or a text of 4 GiB or more.
[[nodiscard]] std::string to_bytes(const SavedState& state);

/// Inverse of to_bytes. Throws Error (plan/corrupt), with the number of the entry, for anything
/// that it does not write.
[[nodiscard]] SavedState parse_saved_state(std::span<const std::byte> bytes);

/// Adds what all steps of the plan save.
void save_steps(const ExecutionPlan& plan, SavedState& state);

}  // namespace fovea
