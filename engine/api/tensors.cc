#include <filesystem>
#include <utility>

#include <fovea/tensors.h>

#include "engine/core/require.h"
#include "engine/core/safetensors.h"

namespace fovea {

std::vector<TensorData> read_tensors(std::string_view path) {
  std::vector<TensorData> tensors;
  for (const auto& [name, tensor] : read_safetensors(std::filesystem::path(path))) {
    const PinnedBytes bytes = tensor.second->read();
    tensors.push_back({name, tensor.first, {bytes.begin(), bytes.end()}});
  }
  return tensors;
}

void write_tensors(std::string_view path, const std::vector<TensorData>& tensors) {
  NamedTensors named;
  for (const TensorData& tensor : tensors) {
    const bool is_new =
        named.emplace(tensor.name, std::pair(tensor.desc, Buffer::from(tensor.bytes))).second;
    if (!is_new) throw InvalidArgument(cat("two tensors are called '", tensor.name, "'"));
  }
  write_safetensors(std::filesystem::path(path), named);
}

}  // namespace fovea
