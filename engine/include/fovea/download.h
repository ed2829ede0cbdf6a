// What a download of weights tells while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace fovea {

enum class DownloadPhase : std::uint8_t {
  kWaiting,   ///< another process or thread is downloading the same file
  kTransfer,  ///< bytes arrive, or are waited for
  kDone,      ///< the file is complete, checked and in its place; said once
};

struct DownloadProgress {
  DownloadPhase phase = DownloadPhase::kTransfer;
  std::string_view model;         ///< name in the zoo
  std::string_view file;          ///< name of the file
  std::string_view url;           ///< without a password; empty where another downloads
  std::uint64_t done_bytes = 0;   ///< here already, those of an interrupted download included
  std::uint64_t total_bytes = 0;  ///< 0 where unknown
};

/// Called on the thread that asked for the weights, at every piece that arrives and at least once a
/// second. The views are valid during the call. An exception that it throws ends the download and
/// reaches the caller; what has arrived is kept, and the next download goes on from there. Not
/// called where nothing has to be downloaded.
using DownloadCallback = std::function<void(const DownloadProgress&)>;

}  // namespace fovea
