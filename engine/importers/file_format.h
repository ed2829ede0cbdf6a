// What a model file is, by how it begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace fovea {

/// kOther is everything without a mark of its own, ONNX files among them.
enum class FileFormat : std::uint8_t { kHdf5, kZip, kTensorFlowLite, kSafetensors, kOther };

/// By the first bytes of the file; its name does not matter. Throws io/read.
[[nodiscard]] FileFormat file_format(const std::filesystem::path& file);

/// The same of a file's content.
[[nodiscard]] FileFormat file_format(std::span<const std::byte> content);

}  // namespace fovea
