// A small classifier of pictures, and pictures for it: for tests of the way from one to the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/pipeline/ordered_pool.h"
#include "engine/pipeline/picture_team.h"

namespace fovea::test {

/// Compiled for batches of 1 and 4.
[[nodiscard]] std::shared_ptr<const ExecutionPlan> small_classifier_on(
    std::shared_ptr<const Backend> backend);

/// Of its pictures.
[[nodiscard]] PreprocessSpec small_classifier_spec();

/// Of its classes, without texts.
[[nodiscard]] std::vector<Label> small_classifier_labels();

/// Whether the picture of that number cannot be loaded: every ninth.
[[nodiscard]] bool is_broken(std::size_t index);

/// Index and probability of a picture's predictions; of a broken one none.
using Answer = std::vector<std::pair<std::int32_t, float>>;
using Answers = std::vector<Answer>;

/// What the first `count` pictures' results are, by the reference, one at a time.
[[nodiscard]] Answers known_answers(std::span<const Label> labels, std::size_t count);

/// The first `count` pictures by all workers of the team, each of which takes a second to decode.
/// Expects results in order, and failures of the broken ones alone.
///
/// asked     pictures that were taken
/// answers   of those that were handed over
[[nodiscard]] OrderedRun answers_run(const PictureTeam& team,
                                     std::size_t count,
                                     std::size_t& asked,
                                     Answers& answers);

}  // namespace fovea::test
