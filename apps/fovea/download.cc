#include "apps/fovea/download.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <unistd.h>

#include "apps/fovea/interrupt.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

using Clock = std::chrono::steady_clock;

/// The lines of one command's downloads.
class DownloadLines {
 public:
  DownloadLines() = default;
  DownloadLines(const DownloadLines&) = delete;
  DownloadLines& operator=(const DownloadLines&) = delete;

  /// What comes next, such as an error, has a line of its own.
  ~DownloadLines() { clear(); }

  void show(const DownloadProgress& progress) {
    catch_interrupt();
    if (interrupted()) {
      clear();
      throw Interrupted{};
    }
    switch (progress.phase) {
      case DownloadPhase::kWaiting:
        announce("waiting for another process, which downloads the weights of " +
                 std::string(progress.model));
        return;
      case DownloadPhase::kTransfer:
        begin(progress);
        update(progress);
        return;
      case DownloadPhase::kDone:
        clear();
        announced_.clear();
        release_interrupt();
        return;
    }
  }

 private:
  /// A line to stay, once.
  void announce(const std::string& text) {
    if (text == announced_) return;
    announced_ = text;
    clear();
    std::fprintf(stderr, "%s\n", wrap("fovea: " + one_line(text), /*indent=*/2).c_str());
  }

  void begin(const DownloadProgress& progress) {
    if (url_ == progress.url) return;
    url_ = progress.url;
    std::string text = "downloading the weights of " + std::string(progress.model);
    if (progress.total_bytes != 0) text += ", " + in_megabytes(progress.total_bytes);
    if (progress.done_bytes != 0) text += " (" + in_megabytes(progress.done_bytes) + " are here)";
    announce(text + ", from " + url_);
    start_ = last_ = Clock::now();
    start_bytes_ = progress.done_bytes;
  }

  void update(const DownloadProgress& progress) {
    const auto now = Clock::now();
    if (!on_terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    shown_ = true;
    // A server without ranges begins again.
    if (progress.done_bytes < start_bytes_) start_bytes_ = 0;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(progress.done_bytes - start_bytes_) / seconds;
    std::string text = in_megabytes(progress.done_bytes);
    if (progress.total_bytes != 0) text += " of " + in_megabytes(progress.total_bytes);
    text += ", " + in_megabytes(static_cast<std::uint64_t>(rate)) + " a second";
    if (progress.total_bytes >= progress.done_bytes && rate > 0) {
      const double left = static_cast<double>(progress.total_bytes - progress.done_bytes) / rate;
      std::array<char, 32> time{};
      std::snprintf(time.data(), time.size(), ", %.0f s left", left);
      text += time.data();
    }
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
  }

  void clear() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
    shown_ = false;
  }

  bool on_terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  std::string announced_;
  std::string url_;
  std::uint64_t start_bytes_ = 0;
  Clock::time_point start_;
  Clock::time_point last_;
};

}  // namespace

DownloadCallback show_downloads() {
  auto lines = std::make_shared<DownloadLines>();
  return [lines](const DownloadProgress& progress) { lines->show(progress); };
}

std::string in_megabytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

}  // namespace fovea::app
