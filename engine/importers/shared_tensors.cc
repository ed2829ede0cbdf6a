#include "engine/importers/shared_tensors.h"

#include <span>
#include <string_view>
#include <system_error>

#include "engine/core/env.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// Whether the file is there and what it should be.
bool is_whole(const fs::path& path, const SharedFile& file) {
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  const auto mapped = MappedFile::open(path);
  return mapped->bytes().size() == file.bytes && xxh3_128(mapped->bytes()) == file.xxh3;
}

}  // namespace

fs::path path_of(const SharedFile& file) {
  const auto home = cache_home();
  return home ? *home / "tensors" / cat(file.xxh3, ".safetensors") : fs::path();
}

SharedFile share_tensors(const NamedTensors& tensors) {
  Xxh3 hash;
  SharedFile file;
  write_safetensors(tensors, [&](std::span<const std::byte> bytes) {
    hash.add(bytes);
    file.bytes += bytes.size();
  });
  file.xxh3 = hash.digest();
  const fs::path path = path_of(file);
  if (path.empty()) {
    throw Error(ErrorCode::kIoWrite,
                cat("there is no folder for shared weights; set ", env::kHome.name, " to one"));
  }
  if (is_whole(path, file)) return file;
  std::error_code ignored;  // writing the file reports what is wrong
  fs::create_directories(path.parent_path(), ignored);
  write_safetensors(path, tensors);
  return file;
}

std::shared_ptr<const MappedFile> open_shared_tensors(const SharedFile& file,
                                                      std::string_view user) {
  const fs::path path = path_of(file);
  std::error_code error;
  if (path.empty() || !fs::exists(path, error)) {
    throw Error(
        ErrorCode::kWeightsMissing,
        cat(user,
            " shares its weights with other plans, and they are not here: ",
            path.empty() ? cat(env::kHome.name, " is not set") : cat(path.native(), " is missing"),
            "; set ",
            env::kHome.name,
            " to the cache that it was compiled with, or compile it again"));
  }
  auto mapped = MappedFile::open(path);
  if (mapped->bytes().size() != file.bytes || xxh3_128(mapped->bytes()) != file.xxh3) {
    throw Error(ErrorCode::kWeightsHashMismatch,
                cat(path.native(),
                    " is damaged: it is not what ",
                    user,
                    " was compiled from; compile it again, which replaces it"));
  }
  return mapped;
}

}  // namespace fovea
