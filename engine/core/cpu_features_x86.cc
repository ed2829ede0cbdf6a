// For x86: by cpuid, which __builtin_cpu_supports checks against what the system saves.
#include <array>
#include <cstring>

#include <cpuid.h>

#include "engine/core/cpu_features.h"

namespace fovea {

namespace {

/// AMX's tiles, which GCC 12 has no name for.
/// Source: Intel's Software Developer's Manual, CPUID leaf 7: EDX bit 24 is AMX-TILE; leaf 0xD: EAX
/// bits 17 and 18 are the tile state that XCR0 may have.
bool has_amx() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned kTile = 1U << 24U;
  if ((edx & kTile) == 0) return false;
  if (__get_cpuid_count(0xD, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned kTileState = 3U << 17U;
  return (eax & kTileState) == kTileState;
}

}  // namespace

std::vector<CpuFeature> cpu_features() {
  return {
      {"AVX2", __builtin_cpu_supports("avx2") != 0},
      {"AVX-512", __builtin_cpu_supports("avx512f") != 0},
      {"VNNI", __builtin_cpu_supports("avx512vnni") != 0 || __builtin_cpu_supports("avxvnni") != 0},
      {"BF16", __builtin_cpu_supports("avx512bf16") != 0},
      {"AMX", has_amx()}};
}

/// Source: Intel's Software Developer's Manual, CPUID leaves 0x80000002 to 0x80000004: 16
/// characters each, padded with spaces or zeros.
std::string cpu_model() {
  constexpr unsigned kFirst = 0x80000002;
  constexpr unsigned kLast = 0x80000004;
  std::string name;
  for (unsigned leaf = kFirst; leaf <= kLast; ++leaf) {
    std::array<unsigned, 4> registers{};
    if (__get_cpuid(leaf, registers.data(), &registers[1], &registers[2], &registers[3]) == 0)
      break;
    std::array<char, sizeof registers> characters{};
    std::memcpy(characters.data(), registers.data(), sizeof registers);
    name.append(characters.data(), ::strnlen(characters.data(), characters.size()));
  }
  const auto begin = name.find_first_not_of(' ');
  if (begin == std::string::npos) return "unknown processor";
  return name.substr(begin, name.find_last_not_of(' ') - begin + 1);
}

}  // namespace fovea
