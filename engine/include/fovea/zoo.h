// The networks that come with the library and can be opened by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/download.h>

namespace fovea {

/// The names, such as "resnet50", in the order in which they are listed. Thread-safe.
[[nodiscard]] std::vector<std::string_view> zoo_names();

/// One line about the network: what it classifies, its input and its size. Throws Error
/// (model/not-found) that lists the names for any other one. Thread-safe.
[[nodiscard]] std::string_view zoo_description(std::string_view name);

/// Numbers that the network has learned, running means and variances included, at its usual input
/// size. Throws as zoo_description. Thread-safe.
[[nodiscard]] std::int64_t zoo_parameters(std::string_view name);

enum class WeightsPlace : std::uint8_t {
  kBundled,  ///< inside the library; there is no file
  kCached,   ///< downloaded, or put there by hand
  kAbsent,   ///< open_model and pull_weights download them
};

/// The weights that open_model gives a network of the zoo by default.
struct ZooWeights {
  std::string name;         ///< what they were trained on, such as "imagenet"
  std::string file;         ///< name of the file
  std::uint64_t bytes = 0;  ///< 0 where unknown
  std::string hash;         ///< "sha256:..." or "md5:...", as published
  WeightsPlace place = WeightsPlace::kAbsent;
  std::string path{};  ///< where the file is, or would be; empty for kBundled
};

/// Throws as zoo_description; io/write where the environment names no folder for caches.
/// Thread-safe.
[[nodiscard]] ZooWeights zoo_weights(std::string_view name);

/// Makes sure that the network's weights are here: downloads them, or reads the file that is there
/// and downloads it again where its hash is wrong. An interrupted download is gone on with. Of
/// several processes one downloads while the others wait. The environment has a say: FOVEA_HOME
/// (where to), FOVEA_OFFLINE, FOVEA_WEIGHTS_URL, and the proxies http_proxy and https_proxy.
///
/// Throws as zoo_weights; weights/offline; weights/download, naming the URL and the reason;
/// weights/hash-mismatch for a download with other bytes, of which nothing is kept; io/read,
/// io/write, io/no-space; and what `progress` throws. Thread-safe.
void pull_weights(std::string_view name, const DownloadCallback& progress = {});

/// Hashes the network's weights and compares. Throws as zoo_weights; weights/missing where they are
/// not here; weights/hash-mismatch, naming both hashes; io/read. Thread-safe.
void verify_weights(std::string_view name);

}  // namespace fovea
