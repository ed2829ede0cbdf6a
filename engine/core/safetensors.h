// The public safetensors format: named dense tensors and nothing else, read without copying.
//
// A file is eight bytes of header length (little-endian), a JSON header and the tensors' bytes:
// {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}.
// Source: github.com/huggingface/safetensors, README, "Format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <fovea/types.h>

#include "engine/core/buffer.h"
#include "engine/core/file.h"

namespace fovea {

/// Dense tensors of concrete shape by name: what each one is, and its bytes, row-major.
using NamedTensors =
    std::map<std::string, std::pair<TensorDesc, std::shared_ptr<const Buffer>>, std::less<>>;

/// The most that a file may hold; more is model/limit.
inline constexpr std::size_t kMaxStoredTensors = 200'000;
inline constexpr std::size_t kMaxStoredRank = 8;
inline constexpr std::uint64_t kMaxTensorFileBytes = std::uint64_t{4} << 30;

/// The tensors of a file. Their buffers are views of the mapped file; only tensors that start at an
/// address that is no multiple of 8 are copied (none do in the files that write_safetensors makes,
/// save those whose size is no multiple of 8). Tensors of an element type that DType does not have
/// (F64, BOOL, ...) are checked and left out.
///
/// Throws Error: model/corrupt for anything that the format forbids (holes, overlaps and bytes that
/// no tensor covers among them), model/limit, io/read.
[[nodiscard]] NamedTensors read_safetensors(const std::filesystem::path& path);

/// The same for a file that is mapped already.
[[nodiscard]] NamedTensors parse_safetensors(const std::shared_ptr<const MappedFile>& file);

/// The same for a part of such a file.
[[nodiscard]] NamedTensors parse_safetensors(std::span<const std::byte> part,
                                             const std::shared_ptr<const MappedFile>& file);

/// The same for bytes in memory, which live as long as `owner`, or the program where there is none.
[[nodiscard]] NamedTensors parse_safetensors(std::span<const std::byte> bytes,
                                             const std::shared_ptr<const void>& owner = nullptr);

/// Passes the file's bytes to `sink`, piece by piece. The same tensors give the same bytes: names
/// are sorted, the header is padded with spaces to a multiple of 8 bytes, tensors are stored in an
/// order in which each is aligned to its element size without holes.
/// Throws InvalidArgument for a tensor without data or with data of another size than its
/// description says, and for a name that is not UTF-8.
void write_safetensors(const NamedTensors& tensors,
                       const std::function<void(std::span<const std::byte>)>& sink);

/// The same into a file, atomically. Additionally throws io/no-space and io/write.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace fovea
