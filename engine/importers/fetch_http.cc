#include "engine/importers/fetch_http.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <memory>
#include <utility>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/importers/fetch_curl.h"

namespace fovea {

namespace {

constexpr long kMostRedirects = 10;
constexpr long kBufferBytes = 128 << 10;
constexpr std::string_view kRangeHeader = "content-range:";
constexpr auto kProtocols = static_cast<long>(CURLPROTO_HTTP) | static_cast<long>(CURLPROTO_HTTPS);
constexpr auto kHttpsOnly = static_cast<long>(CURLPROTO_HTTPS);
// By number: newer headers call CURLOPT_PROTOCOLS and CURLOPT_REDIR_PROTOCOLS deprecated, those of
// Ubuntu 22.04 do not have what came after them. libcurl.so.4 has them for good.
constexpr auto kProtocolsOption = static_cast<CURLoption>(CURLOPTTYPE_LONG + 181);
constexpr auto kRedirectProtocolsOption = static_cast<CURLoption>(CURLOPTTYPE_LONG + 182);

/// The bytes that a partial answer holds.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t total = 0;  ///< 0 where unknown
};

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

bool take_character(std::string_view& text, char character) {
  const bool found = text.starts_with(character);
  if (found) text.remove_prefix(1);
  return found;
}

/// "bytes FIRST-LAST/TOTAL", where the total may be "*" (RFC 9110, 14.4).
std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  ContentRange range;
  std::uint64_t last = 0;
  const bool good = take_number(text, range.first) && take_character(text, '-') &&
                    take_number(text, last) && take_character(text, '/') &&
                    (take_character(text, '*') || take_number(text, range.total));
  return good ? std::optional(range) : std::nullopt;
}

bool is_header(std::string_view line, std::string_view name) {
  if (line.size() < name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != name[i]) return false;
  }
  return true;
}

/// One request: libcurl's callbacks and what they found. Exceptions cannot pass through its C code,
/// so they wait here for its end.
class Request {
 public:
  Request(std::uint64_t first, const HttpSink& sink)
      : sink_(sink), first_(first), handle_(curl_.easy_init()) {
    if (handle_ == nullptr) throw Error(ErrorCode::kWeightsDownload, "libcurl is out of memory");
  }

  HttpResult run(const std::string& url, const HttpLimits& limits) {
    set_up(url, limits);
    const CURLcode status = curl_.easy_perform(handle_.get());
    if (status == CURLE_OK && !begun_) begin();  // a file without bytes
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    if (range_refused_) return {HttpEnd::kRangeRefused, "it sends another range than asked for"};
    if (refused_) return {HttpEnd::kFailed, *refused_};
    return result(status);
  }

 private:
  struct Cleanup {
    void operator()(CURL* handle) const { curl_library().easy_cleanup(handle); }
  };

  template <typename Value>
  void set(CURLoption option, Value value) {
    if (const CURLcode status = curl_.easy_setopt(handle_.get(), option, value);
        status != CURLE_OK) {
      throw Error(ErrorCode::kWeightsDownload,
                  cat("libcurl refuses an option: ", curl_.easy_strerror(status)));
    }
  }

  template <typename Value>
  [[nodiscard]] Value info(CURLINFO what) const {
    Value value{};
    curl_.easy_getinfo(handle_.get(), what, &value);
    return value;
  }

  void set_up(const std::string& url, const HttpLimits& limits) {
    set(CURLOPT_URL, url.c_str());
    if (first_ != 0) {
      range_ = cat(first_, '-');
      set(CURLOPT_RANGE, range_.c_str());
    }
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, kMostRedirects);
    set(kProtocolsOption, kProtocols);
    // What was asked for over an encrypted connection does not continue in the open.
    const bool encrypted = url.starts_with("https:");
    set(kRedirectProtocolsOption, encrypted ? kHttpsOnly : kProtocols);
    set(CURLOPT_USERAGENT, "fovea");
    set(CURLOPT_BUFFERSIZE, kBufferBytes);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stall.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, limits.stall_bytes);
    set(CURLOPT_ERRORBUFFER, message_.data());
    set(CURLOPT_HEADERFUNCTION, &Request::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Request::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_XFERINFOFUNCTION, &Request::on_tick);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
    set(CURLOPT_NOPROGRESS, 0L);
  }

  static std::size_t on_header(char* text, std::size_t size, std::size_t count, void* self) {
    std::string_view line(text, size * count);
    auto& request = *static_cast<Request*>(self);
    // A redirect or a proxy has headers of its own.
    if (line.starts_with("HTTP/")) request.content_range_.reset();
    if (is_header(line, kRangeHeader)) {
      line.remove_prefix(kRangeHeader.size());
      request.content_range_ = parse_content_range(line);
    }
    return size * count;
  }

  static std::size_t on_body(char* text, std::size_t size, std::size_t count, void* self) {
    auto& request = *static_cast<Request*>(self);
    const std::size_t bytes = size * count;
    const bool wanted = request.guarded([&] {
      if (!request.begun_) request.begin();
      if (request.refused_ || request.range_refused_) return false;
      request.refused_ = request.sink_.take(std::as_bytes(std::span(text, bytes)));
      return !request.refused_;
    });
    return wanted ? bytes : 0;
  }

  static int on_tick(
      void* self, curl_off_t /*all*/, curl_off_t /*here*/, curl_off_t /*up*/, curl_off_t /*sent*/) {
    auto& request = *static_cast<Request*>(self);
    const bool go_on = request.guarded([&] {
      request.sink_.tick();
      return true;
    });
    return go_on ? 0 : 1;
  }

  /// What `call` returns; false where it throws.
  template <typename Call>
  bool guarded(const Call& call) {
    if (thrown_ != nullptr) return false;
    try {
      return call();
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  /// The answer begins: what it is of the file.
  void begin() {
    begun_ = true;
    ContentRange range;
    if (info<long>(CURLINFO_RESPONSE_CODE) == 206) {
      range_refused_ = !content_range_ || content_range_->first != first_;
      if (range_refused_) return;
      range = *content_range_;
    } else if (const auto length = info<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
               length > 0) {
      range.total = static_cast<std::uint64_t>(length);
    }
    refused_ = sink_.begin(range.first, range.total);
  }

  [[nodiscard]] HttpResult result(CURLcode status) const {
    const std::string reason = message_[0] != '\0' ? printable(message_.data(), message_.size())
                                                   : std::string(curl_.easy_strerror(status));
    switch (status) {
      case CURLE_OK:
        return {};
      case CURLE_HTTP_RETURNED_ERROR:
        return http_error(info<long>(CURLINFO_RESPONSE_CODE));
      case CURLE_OPERATION_TIMEDOUT:
        // Without an answer from there, patience has been had already.
        return {info<double>(CURLINFO_PRETRANSFER_TIME) > 0 ? HttpEnd::kCut : HttpEnd::kFailed,
                reason};
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
      case CURLE_GOT_NOTHING:
      case CURLE_HTTP2:
      case CURLE_HTTP2_STREAM:
        return {HttpEnd::kCut, reason};
      default:
        return {HttpEnd::kFailed, reason};
    }
  }

  [[nodiscard]] static HttpResult http_error(long status) {
    const std::string reason = cat("HTTP status ", status);
    if (status == 416) return {HttpEnd::kRangeRefused, reason};
    const bool may_pass = status == 408 || status == 429 || status >= 500;
    return {may_pass ? HttpEnd::kCut : HttpEnd::kFailed, reason};
  }

  const CurlLibrary& curl_ = curl_library();
  const HttpSink& sink_;
  std::uint64_t first_;
  std::string range_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::optional<ContentRange> content_range_;
  bool begun_ = false;
  bool range_refused_ = false;
  std::optional<std::string> refused_;
  std::exception_ptr thrown_;
  std::unique_ptr<CURL, Cleanup> handle_;  // the last: it uses the others to its end
};

}  // namespace

HttpResult http_get(const std::string& url,
                    std::uint64_t first,
                    const HttpLimits& limits,
                    const HttpSink& sink) {
  return Request(first, sink).run(url, limits);
}

std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find('?'));
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  const std::size_t at = url.substr(0, path).rfind('@');
  if (at == std::string_view::npos || at < host) return printable(url, 1'000);
  return printable(cat(url.substr(0, host), url.substr(at + 1)), 1'000);
}

}  // namespace fovea
