// What the networks are held to.
#pragma once

#include <string_view>
#include <vector>

namespace fovea::selftest {

/// What the operators' own definitions give for the first kPictures pictures of a network: as many
/// rows of logits, from the file oracles/<network>.f32 (float32, little-endian), which make_oracles
/// writes. Empty where the program has none.
[[nodiscard]] std::vector<float> oracle_logits(std::string_view network);

}  // namespace fovea::selftest
