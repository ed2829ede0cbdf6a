// Named tensors in files (the safetensors format).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/types.h>

namespace fovea {

/// A dense tensor of concrete shape with its bytes, little-endian and row-major.
struct TensorData {
  std::string name;
  TensorDesc desc;
  std::vector<std::byte> bytes;
};

/// All tensors of a safetensors file, sorted by name. Throws io/read, and model/corrupt for a file
/// that is none.
[[nodiscard]] std::vector<TensorData> read_tensors(std::string_view path);

/// Writes a safetensors file, whole or not at all. Throws io/write, io/no-space, and
/// argument/invalid for two tensors of one name.
void write_tensors(std::string_view path, const std::vector<TensorData>& tensors);

}  // namespace fovea
