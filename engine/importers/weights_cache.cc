#include "engine/importers/weights_cache.h"

#include <string_view>
#include <system_error>

#include "engine/core/digest.h"
#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/require.h"

namespace fovea {

namespace fs = std::filesystem;

std::string published_hash(const WeightFile& file) {
  if (!file.sha256.empty()) return cat("sha256:", file.sha256);
  if (!file.md5.empty()) return cat("md5:", file.md5);
  throw Error(ErrorCode::kInternal, cat("no hash of the weights ", file.file, " is known"));
}

fs::path weights_path(const WeightFile& file) {
  const auto home = cache_home();
  if (!home) {
    throw Error(ErrorCode::kIoWrite,
                cat("there is no folder for downloads; set ", env::kHome.name, " to one"));
  }
  const std::string hash = published_hash(file);
  return *home / "weights" /
         cat(std::string_view(hash).substr(hash.find(':') + 1),
             '-',
             fs::path(file.file).filename().native());
}

bool has_weights(const fs::path& path, const WeightFile& file) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  const std::uintmax_t bytes = fs::file_size(path, error);
  return !error && (file.bytes == 0 || bytes == file.bytes);
}

std::string hash_of_weights(const fs::path& path, const WeightFile& file) {
  return file.sha256.empty() ? cat("md5:", md5_of_file(path))
                             : cat("sha256:", sha256_of_file(path));
}

std::string hash_of_weights(std::span<const std::byte> bytes, const WeightFile& file) {
  return file.sha256.empty() ? cat("md5:", md5(bytes)) : cat("sha256:", sha256(bytes));
}

void check_hash(std::string_view hash,
                const WeightFile& file,
                std::string_view model,
                std::string_view place) {
  const std::string wanted = published_hash(file);
  if (hash == wanted) return;
  throw Error(ErrorCode::kWeightsHashMismatch,
              cat("the weights of ",
                  model,
                  " in ",
                  place,
                  " have ",
                  hash,
                  ", the published file has ",
                  wanted,
                  "; fovea models pull ",
                  model,
                  " replaces them"));
}

}  // namespace fovea
