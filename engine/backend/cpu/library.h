// What oneDNN says of itself.
#pragma once

#include <cstdint>
#include <string>

namespace fovea {

/// "2.6.3".
[[nodiscard]] std::string onednn_version();

/// The widest instruction set that oneDNN uses on this processor, in its own words: "avx512_core";
/// its number, "isa 1023", where it is newer than this program.
[[nodiscard]] std::string onednn_isa();

/// Whether tactics of our own may use AVX-512: the processor has it and ONEDNN_MAX_CPU_ISA does not
/// forbid it, so that with one variable the backend offers what it offers on an older processor.
/// (Loops that the compiler made for several processors, FOVEA_CLONES, do not ask.)
[[nodiscard]] bool has_avx512();

/// How this processor computes in bf16.
enum class Bf16Support : std::uint8_t {
  kNone,      ///< not at all: oneDNN needs AVX-512
  kEmulated,  ///< by float32 instructions, and so slower than float32
  kNative,    ///< by its own vector instructions
  kTiles,     ///< by its own matrix instructions (AMX)
};
[[nodiscard]] Bf16Support bf16_support();

}  // namespace fovea
