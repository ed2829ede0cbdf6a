#include "apps/fovea/progress.h"

#include <cstdio>

#include <unistd.h>

namespace fovea::app {

Progress::Progress(std::optional<std::size_t> total, bool rows_on_stdout)
    : total_(total),
      enabled_(isatty(STDERR_FILENO) != 0 && !(rows_on_stdout && isatty(STDOUT_FILENO) != 0)) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void Progress::advance() {
  ++done_;
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  shown_ = true;
  const double rate =
      static_cast<double>(done_) / std::chrono::duration<double>(now - start_).count();
  if (total_) {
    std::fprintf(stderr,
                 "\r\033[K%zu/%zu pictures, %.0f a second, %.0f s left",
                 done_,
                 *total_,
                 rate,
                 static_cast<double>(*total_ - done_) / rate);
  } else {
    std::fprintf(stderr, "\r\033[K%zu pictures, %.0f a second", done_, rate);
  }
}

}  // namespace fovea::app
