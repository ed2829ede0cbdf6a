#include "apps/fovea/line_reader.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include <fovea/error.h>

namespace fovea::app {

namespace {

constexpr std::size_t kMaxLineBytes = 64U << 10U;

[[noreturn]] void fail_reading(int error_number) {
  throw Error(ErrorCode::kIoRead,
              std::string("cannot read standard input: ") + std::strerror(error_number));
}

}  // namespace

std::optional<std::string> LineReader::next() {
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos && buffer_.size() - begin_ <= kMaxLineBytes && fill()) {
    end = buffer_.find('\n', begin_);
  }
  std::string line = buffer_.substr(begin_, end == std::string::npos ? end : end - begin_);
  if (end == std::string::npos && line.empty()) return std::nullopt;
  begin_ += line.size() + (end == std::string::npos ? 0 : 1);
  ++lines_;
  if (line.find('\0') != std::string::npos || line.size() > kMaxLineBytes) {
    throw InvalidArgument("line " + std::to_string(lines_) +
                          " of standard input is no path; '-' takes one path a line, not pictures");
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

bool LineReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  std::array<pollfd, 2> ready{pollfd{descriptor_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  while (::poll(ready.data(), ready.size(), -1) < 0) {
    if (errno != EINTR) fail_reading(errno);
  }
  if (ready[1].revents != 0) {
    // Half a line is no path.
    buffer_.clear();
    return false;
  }
  std::array<char, 4096> bytes{};
  const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
  if (count < 0 && errno != EINTR) fail_reading(errno);
  if (count > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  return count != 0;
}

}  // namespace fovea::app
