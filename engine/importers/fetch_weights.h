// Downloading the weights of the zoo's networks.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include <fovea/download.h>

#include "engine/importers/fetch_http.h"
#include "engine/importers/manifest.h"

namespace fovea {

struct FetchOptions {
  DownloadCallback progress{};
  HttpLimits limits{};
  int retries = 3;                         ///< in a row that bring nothing new, per URL
  std::chrono::milliseconds backoff{500};  ///< before the first retry; doubles with each
};

/// The path of the weights in the cache (weights_cache.h), where they are downloaded to if they are
/// not there: from the first of the manifest's URLs that has them, or from $FOVEA_WEIGHTS_URL
/// alone. What an interrupted download left is gone on with: bytes that reached the disk are asked
/// for again only where the server knows no ranges or the whole turns out to be wrong. No ETag is
/// kept for that, since the name of the part holds the hash of the whole: every server that has the
/// file has the same bytes. The file appears complete, with the right size and hash, or not at all.
/// Of several processes and threads one downloads while the others wait.
///
/// model  what messages call the network
/// Throws Error: weights/offline where FOVEA_OFFLINE forbids it; weights/missing where no URL is
/// known; weights/download, naming each URL and why it failed; weights/hash-mismatch for what came
/// (nothing is kept) and for a file that somebody put there (it stays); io/no-space, io/write; and
/// what `progress` throws. Thread-safe.
[[nodiscard]] std::filesystem::path fetch_weights(const WeightFile& file,
                                                  std::string_view model,
                                                  const FetchOptions& options = {});

}  // namespace fovea
