// What oneDNN says of itself.
#pragma once

#include <string>

namespace fovea {

/// "2.6.3".
[[nodiscard]] std::string onednn_version();

/// The widest instruction set that oneDNN uses on this processor, in its own words: "avx512_core".
[[nodiscard]] std::string onednn_isa();

}  // namespace fovea
