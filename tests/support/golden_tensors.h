// Reads golden tensors, which may be float64 (the engine has no such type).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fovea::test {

struct GoldenTensor {
  std::vector<std::int64_t> shape;
  std::vector<double> values;  ///< row-major
};

/// All F32 and F64 tensors of a safetensors file, by name. Throws std::runtime_error.
[[nodiscard]] std::map<std::string, GoldenTensor> read_goldens(const std::filesystem::path& path);

}  // namespace fovea::test
