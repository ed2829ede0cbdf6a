// One HTTP request for a file, or for the rest of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fovea {

struct HttpLimits {
  std::chrono::milliseconds connect{15'000};  ///< for a connection, TLS included
  std::chrono::seconds stall{30};             ///< how long it may be slower than stall_bytes
  long stall_bytes = 1'000;                   ///< a second
};

/// What takes the answer. Each function may throw, which ends the request and reaches the caller.
struct HttpSink {
  /// Once, before the first byte: the place in the file of the bytes that follow, which is either 0
  /// or what was asked for, and the whole file's length, 0 where the server does not say. Returns
  /// why the answer is not wanted, which ends the request; nothing where it is.
  std::function<std::optional<std::string>(std::uint64_t first, std::uint64_t total)> begin;

  /// The next bytes. Returns like begin.
  std::function<std::optional<std::string>(std::span<const std::byte> bytes)> take;

  /// At least once a second.
  std::function<void()> tick;
};

enum class HttpEnd : std::uint8_t {
  kDone,          ///< everything that the server had to send was taken
  kRangeRefused,  ///< it has no bytes from there on, or sends others than were asked for
  kCut,           ///< may work if tried again: a cut or stalled connection, a server in trouble
  kFailed,        ///< will not work this way
};

struct HttpResult {
  HttpEnd end = HttpEnd::kDone;
  std::string reason;  ///< for people; empty for kDone
};

/// Asks for the file from byte `first` on (0: for all of it) over http or https, through redirects
/// and the proxies of the environment (http_proxy, https_proxy, no_proxy), with certificates
/// checked. A server that knows no ranges begins at 0. Throws weights/download where libcurl cannot
/// be loaded, and what the sink throws. Thread-safe.
[[nodiscard]] HttpResult http_get(const std::string& url,
                                  std::uint64_t first,
                                  const HttpLimits& limits,
                                  const HttpSink& sink);

/// The URL for messages: without name, password and what follows a '?'.
[[nodiscard]] std::string shown_url(std::string_view url);

}  // namespace fovea
