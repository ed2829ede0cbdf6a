#include "apps/fovea/progress.h"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

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

ElapsedLine::ElapsedLine(std::string_view what) {
  if (isatty(STDERR_FILENO) == 0) return;
  clock_ = std::jthread([text = std::string(what)](const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    int seconds = 0;
    while (!stop.stop_requested()) {
      if (seconds > 0) std::fprintf(stderr, "\r\033[K%s, %d s", text.c_str(), seconds);
      (void)stopped.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
      ++seconds;
    }
    if (seconds > 1) std::fprintf(stderr, "\r\033[K");
  });
}

ElapsedLine::~ElapsedLine() = default;

}  // namespace fovea::app
