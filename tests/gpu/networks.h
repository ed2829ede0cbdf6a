// The zoo's networks as the self-test runs them: from the bytes of pictures to logits, with weights
// and pictures that follow from a formula (graph/random_weights.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/interpret.h"

namespace fovea::selftest {

/// Pictures that there are oracles for.
inline constexpr std::int64_t kPictures = 2;

/// The names of the zoo's networks, in its order.
[[nodiscard]] std::vector<std::string> network_names();

/// One input, u8 [N,H,W,C]; one output, the logits, f32 [N, classes]. Throws model/not-found.
[[nodiscard]] Graph make_network(std::string_view name);

/// A batch of formula pictures for what make_network() gives: picture i is that of seed i %
/// kPictures + 1.
[[nodiscard]] TensorBytes formula_pictures(const Graph& network, std::int64_t n);

}  // namespace fovea::selftest
