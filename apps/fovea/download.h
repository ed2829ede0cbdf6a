// How downloads look on standard error.
#pragma once

#include <cstdint>
#include <string>

#include <fovea/download.h>

namespace fovea::app {

/// Says what is downloaded and from where, and shows bytes, rate and the time left where standard
/// error is a terminal. While it runs, Ctrl-C ends the download by an Interrupted.
[[nodiscard]] DownloadCallback show_downloads();

/// "103.0 MB": in units of 1,000.
[[nodiscard]] std::string in_megabytes(std::uint64_t bytes);

}  // namespace fovea::app
